"""Caltech-101 with boxes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from .common import Tiny, picture, save


def write_caltech_boxes(root: Path, count: int = 30, classes: Sequence[str] = ("airplane", "face")) -> Path:
    """images/<class>/ and annotations/<class>.csv."""
    for label, name in enumerate(classes):
        rows = []
        for i in range(count):
            box = (3 + i % 4, 4 + label, 20 + i % 3, 18)
            save(root / "images" / name / f"image_{i:04d}.jpg", picture((24, 30), [box], seed=100 * label + i))
            rows.append([f"image_{i:04d}.jpg", *box, name])
        (root / "annotations").mkdir(exist_ok=True)
        with (root / "annotations" / f"{name}.csv").open("w", newline="") as lines:
            csv.writer(lines).writerows(rows)
    return root


TINY = {"CaltechBoxes": Tiny(write_caltech_boxes, image_size=16)}
