"""Images as torch holds them, (3, H, W), and as OpenCV does, (H, W, 3).

OpenCV rearranges the bytes several times faster than torch or numpy: 224 x 224 pixels in 10 µs, against 150 to 800.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_hwc(image: Tensor) -> NDArray[np.uint8]:
    """uint8 (3, H, W) as contiguous (H, W, 3); it shares the image's memory where that is in this order already."""
    array: NDArray[np.uint8] = image.permute(1, 2, 0).numpy()
    return array if array.flags.c_contiguous else np.asarray(cv2.merge(list(image.numpy())), np.uint8)


def to_chw(image: NDArray[np.uint8]) -> Tensor:
    """uint8 (H, W, 3) as contiguous (3, H, W), in memory of its own."""
    planes = np.empty((3, *image.shape[:2]), np.uint8)
    cv2.split(np.ascontiguousarray(image), list(planes))
    return torch.from_numpy(planes)


def contiguous(image: Tensor) -> Tensor:
    """uint8 (3, H, W) with its planes one behind the other; the image itself where they are."""
    return image if image.is_contiguous() else to_chw(to_hwc(image))


_MOVABLE = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}
"""A type of each size whose bytes OpenCV moves, whatever they mean."""


def take_pixels(maps: Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    """The pixels (..., len(rows), len(columns)) of maps (..., H, W) where such rows and columns cross, in memory of their own.

    Equal to ``maps[..., rows[:, None], columns]``, and several times faster: it takes whole rows alone, of the maps and then of
    the maps turned over.
    """
    planes = maps.reshape(-1, *maps.shape[-2:]).numpy()
    movable = planes.view(_MOVABLE[planes.itemsize])
    taken = np.empty((len(planes), len(rows), len(columns)), movable.dtype)
    for plane, out in zip(movable, taken, strict=True):
        cv2.transpose(cv2.transpose(plane[rows])[columns], out)
    return torch.from_numpy(taken.view(planes.dtype)).reshape(*maps.shape[:-2], len(rows), len(columns))
