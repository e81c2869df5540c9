"""COCO's captions, from tiny files in their layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datamodules import COCOCaptions
from datamodules.scene import InputError
from tests.support import tiny


def write(root: Path, image_id: int = 1) -> Path:
    for name in ("train", "val"):
        tiny.save(root / f"{name}2017" / "000000000001.jpg", tiny.picture((20, 24), [(4, 4, 14, 14)], seed=1))
        content = {
            "images": [{"id": 1, "file_name": "000000000001.jpg", "height": 20, "width": 24}],
            "annotations": [{"image_id": image_id, "caption": c} for c in ("A dog's ball.", "A red BALL, far away")],
        }
        path = root / "annotations" / f"captions_{name}2017.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return root


def test_captions_are_words_and_travel_with_their_image(tmp_path: Path) -> None:
    data = COCOCaptions(str(write(tmp_path)), min_count=2, image_size=16, batch_size=1, workers=0)
    assert data.specification.vocabulary == ("a", "ball")
    batch = next(iter(data.train_dataloader()))
    assert batch is not None
    assert batch["captions"] == [["a dogs ball", "a red ball far away"]]
    assert batch["image"].shape == (1, 3, 16, 16)


def test_a_caption_of_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = COCOCaptions(str(write(tmp_path, image_id=7)), image_size=16)
    with pytest.raises(InputError, match="image_id 7"):
        data.scenes("train")
