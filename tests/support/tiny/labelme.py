"""labelme's JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .common import Tiny, picture, save, write_text


def write_labelme(root: Path, size: tuple[int, int] = (40, 50), **splits: int) -> Path:
    """<split>/x.jpg and x.json (``train=4, val=2``; ``all=12`` for none): a polygon and a rectangle an image."""
    for split, count in (splits or {"train": 4, "val": 2, "test": 2}).items():
        for i in range(count):
            folder = root if split == "all" else root / split
            boxes = [(5 + i % 3, 6, 25, 26), (28, 2, 48, 38)]
            save(folder / f"{split}_{i}.jpg", picture(size, boxes, seed=i + 10 * len(split)))
            shapes = [polygon("cell", boxes[0]), rectangle("platelet", boxes[1])]
            write_text(folder / f"{split}_{i}.json", json.dumps(labelme_file(f"{split}_{i}.jpg", size, shapes)))
    return root


def labelme_file(image: str, size: tuple[int, int], shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """What labelme writes of an image of ``size`` (H, W), without its pixels."""
    height, width = size
    head: dict[str, Any] = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": image, "imageData": None}
    return head | {"imageHeight": height, "imageWidth": width}


def polygon(label: str, box: tuple[float, ...]) -> dict[str, Any]:
    """The four corners of a box as a polygon."""
    x1, y1, x2, y2 = box
    points = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    return {"label": label, "points": points, "group_id": None, "shape_type": "polygon", "flags": {}}


def rectangle(label: str, box: tuple[float, ...]) -> dict[str, Any]:
    """Two corners of a box."""
    return polygon(label, box) | {"points": [[box[2], box[3]], [box[0], box[1]]], "shape_type": "rectangle"}


TINY = {"LabelMe": Tiny(write_labelme, image_size=32)}
