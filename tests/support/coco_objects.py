"""A data set in COCO's layout, of objects that a test may spoil."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datamodules import COCO, COCOKeypoints

PERSON = {"id": 1, "name": "person", "keypoints": ["left_eye", "right_eye"], "skeleton": [[1, 2]]}
CATEGORIES: list[dict[str, Any]] = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def annotation(number: int = 1, without: str = "", **changes: Any) -> dict[str, Any]:
    """A square of 20 pixels at (10, 10), sound but for the changes."""
    polygon = [10, 10, 30, 10, 30, 30, 10, 30]
    sound = {"id": number, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    sound |= {"segmentation": [polygon], "keypoints": [12, 12, 2, 28, 12, 2]} | changes
    return {key: value for key, value in sound.items() if key != without}


def write(root: Path, annotations: list[Any], kind: type[COCO] = COCO, count: int = 1, **content: Any) -> Path:
    """A COCO data set of 64 x 48 pixels an image."""
    listed = [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48} for i in range(1, count + 1)]
    categories = [PERSON] if kind is COCOKeypoints else CATEGORIES
    for split in ("train2017", "val2017"):
        (root / split).mkdir(parents=True, exist_ok=True)
        for image in listed:
            noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
            Image.fromarray(noise).save(root / split / str(image["file_name"]))
        path = root / "annotations" / f"{kind.annotations}_{split}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"images": listed, "annotations": annotations, "categories": categories} | content))
    return root
