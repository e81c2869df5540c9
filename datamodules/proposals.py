"""Regions of an image that may hold an object: what R-CNN, SPP-net and Fast R-CNN classify."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .scene import InputError


class Proposer(ABC):
    """Finds regions that may hold an object, whatever its class. What it finds is a function of the image alone."""

    @abstractmethod
    def __call__(self, image: Tensor) -> Tensor:
        """The proposals for one image as it lies on disk, before augmentation.

        Args:
            image: uint8 (3, H, W), RGB.

        Returns:
            float32 (P, 4), xyxy in pixels, inside the image and of positive area, each box once and the most promising
            first. P may be 0.
        """


class SlidingWindows(Proposer):
    """Windows of some sizes and shapes at every place of a grid: the search that proposals replaced.

    CS231n 2017, lecture 11, "Object Detection as Classification: Sliding Window": "Problem: Need to apply CNN to huge number
    of locations and scales, very computationally expensive!"

    The grid reaches from border to border, and neighbours are at most ``step`` of a window apart. Larger windows come first;
    those that do not fit are left out, and an image that holds none is a window itself. The defaults are for photographs of
    about 640 pixels, and objects above 32² pixels: 1.5 sizes an octave and four shapes find more of them than many places do.

    Args:
        sides: roots of the windows' areas, in pixels.
        ratios: widths divided by heights.
        step: of a window's width and height, from one place to the next.
    """

    def __init__(
        self,
        sides: Sequence[float] = (42, 67, 106, 168, 267, 423),
        ratios: Sequence[float] = (0.35, 0.7, 1.4, 2.8),
        step: float = 0.5,
    ) -> None:
        if not sides or not ratios or min(*sides, *ratios, step) <= 0:
            raise InputError(f"SlidingWindows: sides, ratios and step must be above 0, got {sides}, {ratios} and {step}")
        self.sides, self.ratios, self.step = tuple(sides), tuple(ratios), step

    def __call__(self, image: Tensor) -> Tensor:
        height, width = image.shape[1:]
        boxes = []
        for side in sorted(set(self.sides), reverse=True):
            for ratio in dict.fromkeys(self.ratios):
                w, h = side * ratio**0.5, side / ratio**0.5
                if w <= width and h <= height:
                    boxes.append(_grid(width, height, w, h, self.step))
        if not boxes:
            return torch.tensor([[0.0, 0.0, width, height]])
        return torch.from_numpy(np.concatenate(boxes).astype(np.float32))


def _grid(width: int, height: int, w: float, h: float, step: float) -> NDArray[np.float64]:
    """Windows of w x h pixels all over an image, float64 (N, 4), row by row."""
    x = np.linspace(0, width - w, 1 + ceil((width - w) / (step * w)))
    y = np.linspace(0, height - h, 1 + ceil((height - h) / (step * h)))
    corners = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    return np.concatenate([corners, corners + np.array([w, h])], 1)
