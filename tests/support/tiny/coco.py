"""COCO, with its objects and its people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .common import Array, Tiny, picture, save, write_text

COCO_KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)


def write_coco(root: Path, train: int = 4, val: int = 2, size: tuple[int, int] = (40, 50)) -> Path:
    """train2017/, val2017/, annotations/: a person (polygon, keypoints) and a crowd of cars (run lengths) an image.

    The last image of each split has no object.
    """
    categories: list[dict[str, Any]] = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
    person = {"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS), "skeleton": [[16, 14], [14, 12]]}
    for split, count in (("train2017", train), ("val2017", val)):
        images, annotations, people = [], [], []
        for i in range(count):
            number = 10 * i + 7
            images.append({"id": number, "file_name": f"{number:012d}.jpg", "height": size[0], "width": size[1]})
            x, y, w, h = 4.5 + i, 6.0, 12.0, 20.5
            boxes = [(x, y, x + w, y + h), (30, 30, 49, 39)] if i < count - 1 else []
            save(root / split / f"{number:012d}.jpg", picture(size, boxes, seed=i))
            if not boxes:
                continue
            base: dict[str, Any] = {"image_id": number, "iscrowd": 0}
            polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
            keypoints = [value for k in range(17) for value in ((int(x) + k % 5, int(y) + k, 2) if k % 4 else (0, 0, 0))]
            figure = base | {
                "id": 2 * i,
                "category_id": 1,
                "bbox": [x, y, w, h],
                "area": w * h,
                "segmentation": [polygon],
            }
            crowd = np.zeros(size, np.uint8)
            crowd[30:39, 30:49] = 1
            runs = {"size": list(size), "counts": run_lengths(crowd)}
            annotations += [
                figure,
                base
                | {"id": 2 * i + 1, "category_id": 3, "bbox": [30, 30, 19, 9], "area": 171, "iscrowd": 1}
                | {"segmentation": runs},
            ]
            people.append(figure | {"keypoints": keypoints, "num_keypoints": 12})
        for kind, entries, names in (("instances", annotations, categories), ("person_keypoints", people, [person])):
            content = {"images": images, "annotations": entries, "categories": names}
            write_text(root / "annotations" / f"{kind}_{split}.json", json.dumps(content))
    return root


def run_lengths(mask: Array) -> list[int]:
    """COCO's uncompressed run-length code of a 0/1 mask: column by column, the first run is of 0."""
    flat = np.concatenate([[0], mask.flatten(order="F"), [1 - mask.flatten(order="F")[-1]]])
    changes = np.flatnonzero(np.diff(flat))
    runs: list[int] = np.diff(np.concatenate([[0], changes])).tolist()
    return runs


TINY = {"COCO": Tiny(write_coco, image_size=32), "COCOKeypoints": Tiny(write_coco, image_size=32)}
