"""COCO's captions, from tiny files in their layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from datamodules import COCOCaptions
from datamodules.scene import InputError
from tests.support import tiny


def test_captions_are_words_and_travel_with_their_image(tmp_path: Path) -> None:
    data = COCOCaptions(
        str(tiny.write_coco_captions(tmp_path, train=1, val=1)), min_count=2, image_size=16, batch_size=1, workers=0
    )
    assert data.metadata.vocabulary == ("a", "ball")
    batch = next(iter(data.train_dataloader()))
    assert batch is not None
    assert batch["captions"] == [["a dogs ball", "a red ball far away"]]
    assert batch["image"].shape == (1, 3, 16, 16)


def test_a_caption_of_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = COCOCaptions(str(tiny.write_coco_captions(tmp_path, image_id=7)), image_size=16)
    with pytest.raises(InputError, match="image_id 7"):
        data.scenes("train")
