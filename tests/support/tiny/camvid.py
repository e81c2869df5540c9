"""CamVid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .common import Tiny, picture, save


def write_camvid(root: Path, train: int = 4, val: int = 2, test: int = 2, size: tuple[int, int] = (36, 48)) -> Path:
    """train/, trainannot/ and so on: road below, sky above, a car, and a border of void."""
    for split, count in (("train", train), ("val", val), ("test", test)):
        for i in range(count):
            mask = np.zeros(size, np.uint8)
            mask[size[0] // 2 :] = 3
            mask[10:20, 5 + i : 20 + i] = 8
            mask[:2] = 11
            save(root / split / f"{split}_{i}.png", picture(size, [(5 + i, 10, 20 + i, 20)], seed=i))
            save(root / f"{split}annot" / f"{split}_{i}.png", mask)
    return root


TINY = {"CamVid": Tiny(write_camvid, image_size=(18, 24))}
