"""COCO's captions."""

from __future__ import annotations

import json
from pathlib import Path

from .common import Tiny, picture, save, write_text


def write_coco_captions(root: Path, train: int = 2, val: int = 2, image_id: int | None = None) -> Path:
    """train2017/, val2017/, annotations/: two captions an image; of the image ``image_id``, where one is given."""
    for split, count in (("train2017", train), ("val2017", val)):
        images, annotations = [], []
        for i in range(count):
            images.append({"id": i + 1, "file_name": f"{i + 1:012d}.jpg", "height": 20, "width": 24})
            save(root / split / f"{i + 1:012d}.jpg", picture((20, 24), [(4, 4, 14, 14)], seed=i + 1))
            for caption in ("A dog's ball.", "A red BALL, far away"):
                annotations.append({"image_id": image_id or i + 1, "caption": caption})
        content = json.dumps({"images": images, "annotations": annotations})
        write_text(root / "annotations" / f"captions_{split}.json", content)
    return root


TINY = {"COCOCaptions": Tiny(write_coco_captions, image_size=16)}
