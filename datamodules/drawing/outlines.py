"""The outlines of the classes: polygons of unit size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_Points = NDArray[np.float64]
"""(V, 2): x to the right and y down."""


def _ellipse(width: float = 1.0, height: float = 1.0, start: float = 0.0, stop: float = 360.0) -> _Points:
    """An arc of an ellipse, by degrees, clockwise from the right; the whole ellipse by default."""
    angles = np.radians(np.linspace(start, stop, 64, endpoint=stop - start < 360))
    return np.stack([width * np.cos(angles), height * np.sin(angles)], 1)


def _star(points: int, inner: float) -> _Points:
    angles = np.radians(np.arange(2 * points) * 180 / points - 90)
    radii = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)


def _heart() -> _Points:
    t = np.radians(np.linspace(0, 360, 64, endpoint=False))
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y], 1)


def _crescent() -> _Points:
    """A disc less a disc of 0.8 times its radius, that is moved to its right."""
    radius, shift = 0.82, 0.5
    x = (1 + shift**2 - radius**2) / (2 * shift)
    outer = np.degrees(np.arctan2(np.sqrt(1 - x * x), x))
    inner = np.degrees(np.arctan2(np.sqrt(1 - x * x), x - shift))
    rim = _ellipse(1, 1, outer, 360 - outer)
    bite = _ellipse(radius, radius, inner, 360 - inner) + np.array([shift, 0])
    return np.concatenate([rim, bite[::-1]])


def _polygon(*points: tuple[float, float]) -> _Points:
    return np.array(points, np.float64)


def _of_unit_size(*contours: _Points) -> tuple[_Points, ...]:
    """The contours about the centre of their box, scaled so that their convex hull has area 1."""
    outer = contours[0]
    area = cv2.contourArea(cv2.convexHull(outer.astype(np.float32)))
    centre = (outer.min(0) + outer.max(0)) / 2
    return tuple((contour - centre) / np.sqrt(area) for contour in contours)


OUTLINES: dict[str, tuple[_Points, ...]] = {
    "circle": _of_unit_size(_ellipse()),
    "square": _of_unit_size(_polygon((-1, -1), (1, -1), (1, 1), (-1, 1))),
    "triangle": _of_unit_size(_polygon((0, -1.8), (1, 0), (-1, 0))),
    "cross": _of_unit_size(
        _polygon(
            *((-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1)),
            *((1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)),
        )
    ),
    "ring": _of_unit_size(_ellipse(), _ellipse(0.55, 0.55)),
    "star": _of_unit_size(_star(5, 0.42)),
    "ellipse": _of_unit_size(_ellipse(2.3, 1)),
    "bar": _of_unit_size(_polygon((-3.2, -1), (3.2, -1), (3.2, 1), (-3.2, 1))),
    "crescent": _of_unit_size(_crescent()),
    "heart": _of_unit_size(_heart()),
    "arrow": _of_unit_size(_polygon((-5, -1.5), (0, -1.5), (0, -4), (5, 0), (0, 4), (0, 1.5), (-5, 1.5))),
    "bolt": _of_unit_size(_polygon((1.6, -5), (-3, 1), (-0.4, 1), (-1.6, 5), (3, -1.4), (0.4, -1.4))),
}
"""The classes: each a tuple of contours, of which the second and later are holes.

Every outline has size 1: its convex hull has the area of a unit square. So the size of an object says how large it
looks, whatever its shape, its holes and its rotation. No outline looks like another after a rotation by any
angle or a change of its aspect ratio by up to 1.5.
"""
