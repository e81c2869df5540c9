"""Sprites: patches of coverage and colour, filled from polygons and laid over an image.

Polygons are rounded to 1/16 pixel and filled with whole numbers on a canvas of 4 x 4 samples a pixel, so the same
polygon covers the same pixels on every machine. Coverage counts samples, from 0 to 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from .colors import RGB

PointArray = NDArray[np.float64]
"""(..., V, 2): x to the right and y down, in pixels."""
Box = tuple[float, float, float, float]
"""xyxy in pixels."""

FULL = 16
"""Coverage of a pixel that lies inside a polygon."""

_SAMPLES = 4
_SHIFT = 2
_HALF_SAMPLE = 2
"""OpenCV counts from the centre of the first sample; in 1/16 pixel."""


@dataclass(slots=True)
class Sprite:
    """A patch of an image."""

    top: int
    left: int
    coverage: NDArray[np.uint8]
    """(h, w), 0 to 16."""
    color: NDArray[np.uint8]
    """(3, h, w), or (3, 1, 1) where it is the same all over."""

    @property
    def where(self) -> tuple[slice, slice]:
        """Its place in an image (H, W)."""
        height, width = self.coverage.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """bool (h, w): the pixels that are covered by half or more."""
        return self.coverage >= FULL // 2


def cover(contours: Sequence[PointArray], box: Box) -> Sprite:
    """A black sprite of the polygon that has a box; the second and later contours are holes."""
    canvas = _canvas(box)
    cv2.fillPoly(canvas, [_fixed(contour, box) for contour in contours], FULL, cv2.LINE_8, _SHIFT)
    return Sprite(floor(box[1]), floor(box[0]), _mean(canvas), np.zeros((3, 1, 1), np.uint8))


def paint(polygons: PointArray, colors: Sequence[RGB], box: Box) -> Sprite:
    """A sprite of coloured polygons (P, V, 2) in a box, the later over the earlier."""
    canvas = _canvas(box, 4)
    for polygon, (red, green, blue) in zip(_fixed(polygons, box), colors, strict=True):
        color = (red & 0xF0, green & 0xF0, blue & 0xF0, FULL)
        cv2.fillPoly(canvas, [polygon], color, cv2.LINE_8, _SHIFT)
    mean = _mean(canvas).transpose(2, 0, 1)
    coverage = np.ascontiguousarray(mean[3])
    color_sum = mean[:3].astype(np.uint16) * FULL
    return Sprite(floor(box[1]), floor(box[0]), coverage, (color_sum // np.maximum(coverage, 1)).astype(np.uint8))


def hollowed(coverage: NDArray[np.uint8], stroke: int) -> NDArray[np.uint8]:
    """What is left of a coverage when all is taken away that lies deeper than ``stroke`` pixels."""
    core = cv2.erode(coverage, _disc(stroke), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return coverage - core


def lay(image: NDArray[np.int16], sprite: Sprite) -> None:
    """Lay a sprite over an image (3, H, W), in place."""
    below = image[:, *sprite.where]
    below += (sprite.color - below) * sprite.coverage >> 4


def _canvas(box: Box, *channels: int) -> NDArray[np.uint8]:
    x1, y1, x2, y2 = box
    return np.zeros(((ceil(y2) - floor(y1)) * _SAMPLES, (ceil(x2) - floor(x1)) * _SAMPLES, *channels), np.uint8)


def _mean(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of 4 x 4 samples. It is a whole number where they are multiples of 16: no rounding that could differ."""
    size = canvas.shape[1] // _SAMPLES, canvas.shape[0] // _SAMPLES
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)


def _fixed(points: PointArray, box: Box) -> NDArray[np.int32]:
    """PointArray in 1/16 pixel from the corner of the box's first pixel."""
    corner = (floor(box[0]) * 16 + _HALF_SAMPLE, floor(box[1]) * 16 + _HALF_SAMPLE)
    return np.rint(points * 16 - corner).astype(np.int32)


@cache
def _disc(radius: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius + radius // 2).astype(np.uint8)
