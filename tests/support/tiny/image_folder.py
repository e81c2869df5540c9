"""A folder of images for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .common import Tiny, picture, save


def write_image_folder(
    root: Path, classes: Sequence[str] = ("cat", "dog"), size: tuple[int, int] = (20, 24), **splits: int
) -> Path:
    """<split>/<class>/*.jpg with so many images a class (``train=3, val=2``); without splits, 10 in <class>/*.jpg."""
    for split, count in (splits or {"": 10}).items():
        for i in range(count):
            for label, name in enumerate(classes):
                save(root / split / name / f"{i}.jpg", picture(size, [(4, 4, 14, 14)], seed=100 * label + i))
    return root


TINY = {"ImageFolder": Tiny(write_image_folder, image_size=16)}
