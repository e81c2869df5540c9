"""Clutter: strokes, blobs and patches that belong to no class."""

from __future__ import annotations

from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from .colors import HUES, RGB, rgb
from .rng import Rng

MOST = 12
"""Pieces of clutter at its greatest amount."""

_PATCHES, _STROKES = 0.2, 0.6
"""Shares of pieces: up to the first number muted patches, up to the second strokes, the rest blobs."""


def scatter(image: NDArray[np.uint8], rng: Rng, amount: float) -> None:
    """Draw from half of to all ``MOST`` x ``amount`` pieces on an image (H, W, 3), in place."""
    count = round(MOST * amount * rng.uniform(0.5, 1))
    if count == 0:
        return
    height, width = image.shape[:2]
    numbers = rng.table(24, count)
    kind, hue, saturation, value, size, thickness, y, x = numbers[:8]
    side = min(height, width)
    is_patch, is_blob = kind < _PATCHES, kind >= _STROKES
    blobs = _blobs(np.where(is_patch, 0.12 + 0.15 * size, 0.03 + 0.05 * size) * side, numbers[8:18])
    strokes = _strokes((0.15 + 0.25 * size) * side, numbers[18:], np.maximum((0.006 + 0.014 * thickness) * side, 0.6))
    points = np.where((is_patch | is_blob)[:, None, None], blobs, strokes)
    points += np.stack([x * width, y * height], 1)[:, None]
    # In 1/16 pixel; OpenCV counts from the centre of the first pixel.
    fixed = np.rint(points * 16 - 8).astype(np.int32)
    colors = zip(is_patch.tolist(), hue.tolist(), saturation.tolist(), value.tolist(), strict=True)
    for polygon, (muted, *color) in zip(fixed, colors, strict=True):
        cv2.fillPoly(image, [polygon], _muted(*color) if muted else _bright(*color), cv2.LINE_AA, 4)


def _muted(hue: float, saturation: float, value: float) -> RGB:
    return rgb(hue * len(HUES), 0.4 * saturation, 0.15 + 0.8 * value)


def _bright(hue: float, saturation: float, value: float) -> RGB:
    return rgb(hue * len(HUES), 0.5 + 0.5 * saturation, 0.4 + 0.6 * value)


_CORNERS = 24
_TURN = np.arange(_CORNERS) * (2 * pi / _CORNERS)
_WAVES = np.stack([wave(k * _TURN) for k in (2, 3, 4, 5, 7) for wave in (np.cos, np.sin)])
_STRENGTH = np.repeat((0.4, 0.5, 0.3, 0.15, 0.4), 2)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)


def _blobs(radius: NDArray[np.float64], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lobed outlines (n, 24, 2), of radii (n,) and with waves of random strength (10, n)."""
    waves = ((numbers.T - 0.5) * _STRENGTH) @ _WAVES
    return _CIRCLE * (radius[:, None] * np.maximum(1 + waves, 0.2))[:, :, None]


_T = np.linspace(0, 1, _CORNERS // 2)
_BEZIER = np.stack([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2], 1)
_SLOPE = np.stack([_T - 1, 1 - 2 * _T, _T], 1)


def _strokes(reach: NDArray[np.float64], numbers: NDArray[np.float64], thickness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bent lines (n, 24, 2) between three points within reach (n,), out of numbers (6, n)."""
    corners = (2 * numbers.T - 1).reshape(-1, 3, 2) * reach[:, None, None]
    line, ahead = _BEZIER @ corners, _SLOPE @ corners
    length = np.sqrt((ahead**2).sum(2, keepdims=True)) + 1e-6
    across = ahead[:, :, ::-1] * (1, -1) / length * thickness[:, None, None]
    return np.concatenate([line + across, (line - across)[:, ::-1]], 1)
