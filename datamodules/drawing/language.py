"""Captions: a small grammar over what is seen of each object.

    caption  = "a" size colour [fill] class [relation "a" size colour class]
    size     = "small" | "medium" | "large"
    fill     = "striped" | "spotted" | "checked" | "hollow"
    relation = "left of" | "right of" | "above" | "below"

The size is by the side of the square that has the area of the object's box, as a fraction of the image's shorter side;
the relation is to the object whose box has the nearest centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from .colors import HUES

SIZES = ("small", "medium", "large")
SIZE_LIMITS = (0.25, 0.4)
FILLS = ("striped", "spotted", "checked", "hollow")


@dataclass(frozen=True)
class DescribedObject:
    """What a caption says of an object."""

    box: tuple[float, float, float, float]
    """xyxy in pixels."""
    color: str
    """A word of ``HUES``."""
    fill: str
    """A word of ``FILLS``, or nothing for a plain object."""
    name: str
    """Its class."""


def captions(objects: Sequence[DescribedObject], side: int) -> list[str]:
    """A caption for each object of an image whose shorter side is ``side`` pixels."""
    return [_caption(i, objects, side) for i in range(len(objects))]


def vocabulary(classes: Sequence[str]) -> tuple[str, ...]:
    """Every word that a caption of these classes may have."""
    return ("a", *SIZES, *HUES, *FILLS, *classes, "left", "right", "of", "above", "below")


def _caption(i: int, objects: Sequence[DescribedObject], side: int) -> str:
    one = objects[i]
    words = ["a", _size(one, side), one.color, *([one.fill] if one.fill else []), one.name]
    if len(objects) > 1:
        other = min((o for j, o in enumerate(objects) if j != i), key=lambda o: hypot(*_offset(o, one)))
        words += [_relation(one, other), "a", _size(other, side), other.color, other.name]
    return " ".join(words)


def _size(described: DescribedObject, side: int) -> str:
    x1, y1, x2, y2 = described.box
    size = sqrt((x2 - x1) * (y2 - y1)) / side
    return SIZES[sum(size >= limit for limit in SIZE_LIMITS)]


def _offset(one: DescribedObject, other: DescribedObject) -> tuple[float, float]:
    """From the centre of the other's box to the centre of this one's, in pixels."""
    x = (one.box[0] + one.box[2] - other.box[0] - other.box[2]) / 2
    y = (one.box[1] + one.box[3] - other.box[1] - other.box[3]) / 2
    return x, y


def _relation(one: DescribedObject, other: DescribedObject) -> str:
    x, y = _offset(one, other)
    if abs(x) >= abs(y):
        return "left of" if x < 0 else "right of"
    return "above" if y < 0 else "below"
