"""Folders of images and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .common import Array, Tiny, picture, save, write_text

BOX = (5, 6, 25, 26)
"""Of the object in each image, xyxy in pixels."""


def write_mask_folder(root: Path, binary: bool = False, size: tuple[int, int] = (40, 50), **splits: int) -> Path:
    """images/<split>/*.jpg, masks/<split>/*.png (``train=4, val=2``; ``all=12`` for none), and classes.txt.

    Masks have the values 0 and 1, and 255 around the object; or, ``binary``, 0 and 255, and nothing names the classes.
    """
    for split, count in (splits or {"train": 4, "val": 2, "test": 2}).items():
        folder = "" if split == "all" else split
        for i in range(count):
            save(root / "images" / folder / f"{split}_{i}.jpg", picture(size, [BOX], seed=i + 10 * len(split)))
            save(root / "masks" / folder / f"{split}_{i}.png", mask_of(size, 255 if binary else 1, edge=not binary))
    if not binary:
        write_text(root / "classes.txt", "background\ncell\n")
    return root


def mask_of(size: tuple[int, int], value: int, edge: bool = False) -> Array:
    """uint8 (H, W): 0, and ``value`` in the box, with a line of 255 above it."""
    x1, y1, x2, y2 = BOX
    mask = np.zeros(size, np.uint8)
    mask[y1:y2, x1:x2] = value
    if edge:
        mask[y1, x1:x2] = 255
    return mask


TINY = {"MaskFolder": Tiny(write_mask_folder, image_size=32)}
