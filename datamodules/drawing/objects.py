"""What is in a scene: shapes and figures, each with its class, its words and its sprite, and which of them are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from . import figure
from .colors import HUES, mix, rgb
from .outlines import OUTLINES
from .rng import Rng
from .sprite import Box, PointArray, Sprite, cover, hollowed, paint
from .style import MAIN_TO_OTHERS, Style
from .texture import PATTERNS, grain, palette, pattern

LEAST_VISIBLE = 0.3
"""An object of which a smaller part is seen is left out."""

MOST_HIDDEN = 0.5
"""An object that would hide more than this of the main object is left out."""

_LEGIBLE = 12
"""Pixels that an object must measure for its fill to be seen."""

_TALL = 1.7
"""Height of a standing figure of size 1: its convex hull then looks about as large as a shape's."""

_ATTEMPTS = 24

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(slots=True)
class Object:
    """A shape or a figure in its place."""

    label: int
    hue: int
    fill: str
    """A word of ``language.FILLS``, or nothing."""
    size: float
    """The side of the square of the area of its convex hull, in pixels."""
    sprite: Sprite
    keypoints: PointArray | None = None
    """(14, 2) in pixels, of a figure."""
    visible: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool))
    """bool (h, w): the pixels of its sprite that are its own, neither outside it nor hidden."""


def arrange(rng: Rng, style: Style) -> list[Object]:
    """The objects of a scene, the main one first, no two of them overlapping more than the style allows.

    A figure is the main object where there are figures. It, and any other figure, is in the upper part of the range
    of sizes; shapes beside it are clearly smaller, so that the class of the largest object is never in doubt.
    """
    figures, shapes = rng.integer(*style.figures), rng.integer(*style.objects)
    side = min(style.image_size)
    smallest, largest = (side * size for size in style.object_size)
    main = smallest
    if figures + shapes > 1:
        main = max(smallest / MAIN_TO_OTHERS, smallest + 0.6 * (largest - smallest))
    hues = rng.shuffled(range(len(HUES)))
    boxes: list[Box] = []
    objects: list[Object] = []
    for i in range(figures + shapes):
        if i < max(figures, 1):
            size = rng.uniform(main, largest)
        else:
            size = rng.uniform(smallest, max(smallest, MAIN_TO_OTHERS * objects[0].size))
        made = (_figure if i < figures else _shape)(rng, style, size, hues, boxes)
        objects += [made] if made else []
    return objects


def reveal(objects: Sequence[Object], front_first: Sequence[int], image_size: tuple[int, int]) -> list[int]:
    """Find the visible pixels of each object; return those that are seen well enough, in the given order."""
    hidden = np.zeros(image_size, bool)
    kept: list[int] = []
    for i in front_first:
        one, main = objects[i], objects[0].sprite
        inside, where = one.sprite.inside, one.sprite.where
        one.visible = inside & ~hidden[where]
        if i and np.count_nonzero(one.visible) <= LEAST_VISIBLE * np.count_nonzero(inside):
            continue
        before = hidden[where].copy()
        hidden[where] |= inside
        if i and 0 not in kept:
            body = main.inside
            if np.count_nonzero(hidden[main.where] & body) > MOST_HIDDEN * np.count_nonzero(body):
                hidden[where] = before
                continue
        kept.append(i)
    return kept


def dress(rng: Rng, style: Style, one: Object) -> None:
    """Give a shape its colours. A figure has its own from the start."""
    if one.keypoints is not None:
        return
    saturation, value = rng.uniform(0.75, 1), rng.uniform(0.6, 1)
    base = rgb(one.hue + rng.spread(0.15), saturation, value)
    height, width = one.sprite.coverage.shape
    if one.fill in PATTERNS:
        other = mix(base, _BLACK if value > 0.8 else _WHITE, 0.2 + 0.4 * style.texture)
        one.sprite.color = palette(other, base).T.take(pattern(one.fill, rng, height, width, one.size / 4), axis=1)
    elif style.texture > 0:
        depth = 0.3 * style.texture
        shades = palette(mix(base, _BLACK, depth), mix(base, _WHITE, depth))
        one.sprite.color = shades.T.take(grain(rng, height, width), axis=1)
    else:
        one.sprite.color = np.array(base, np.uint8).reshape(3, 1, 1)


def _shape(rng: Rng, style: Style, size: float, hues: list[int], boxes: list[Box]) -> Object | None:
    label = rng.integer(0, len(style.classes) - 1)
    stretch = (1 + style.aspect) ** rng.spread(0.5)
    angle = radians(rng.spread(style.rotation))
    hue = _hue(rng, style, label, hues)
    fill = _fill(rng, style, size)
    right, down = cos(angle) * size, sin(angle) * size
    turn = np.array([[right * stretch, down * stretch], [-down / stretch, right / stretch]])
    contours = [contour @ turn for contour in OUTLINES[style.classes[label]]]
    placed = _place(rng, contours[0], size, style, boxes)
    if placed is None:
        return None
    scale, offset = placed
    sprite = cover([contour * scale + offset for contour in contours], boxes[-1])
    size *= scale
    if fill == "hollow":
        sprite.coverage = hollowed(sprite.coverage, max(1, round(size / 16)))
    return Object(label, hue, fill, size, sprite)


def _figure(rng: Rng, style: Style, size: float, hues: list[int], boxes: list[Box]) -> Object | None:
    height = size * _TALL
    keypoints = figure.pose(rng, style.articulation) * height
    hue = _taken(hues, hues[0])
    polygons, colors = figure.parts(keypoints, height, hue, rng)
    placed = _place(rng, polygons.reshape(-1, 2), size, style, boxes)
    if placed is None:
        return None
    scale, offset = placed
    sprite = paint(polygons * scale + offset, colors, boxes[-1])
    return Object(len(style.classes), hue, "", size * scale, sprite, keypoints.view(np.float64).reshape(14, 2) * scale + offset)


def _hue(rng: Rng, style: Style, label: int, hues: list[int]) -> int:
    """The hue of the class, by chance ``color_cue``; else the first in line of those that may go with it."""
    # A quarter of all pairs of class and hue is unseen; the hue of a class itself is never among them.
    allowed = [h for h in hues if style.combinations == "all" or ((label + h) % 4 == 3) == (style.combinations == "unseen")]
    own = rng.uniform() < style.color_cue and label in allowed
    return _taken(hues, label if own else allowed[0])


def _taken(hues: list[int], hue: int) -> int:
    """Put a hue last in line, so that the objects of a scene differ in hue where they can."""
    hues.remove(hue)
    hues.append(hue)
    return hue


def _fill(rng: Rng, style: Style, size: float) -> str:
    thin, pick = rng.uniform(), rng.choice(("", *PATTERNS))
    if size < _LEGIBLE:
        return ""
    if thin < style.thin:
        return "hollow"
    return pick if style.texture > 0 else ""


def _place(rng: Rng, points: PointArray, size: float, style: Style, boxes: list[Box]) -> tuple[float, PointArray] | None:
    """A scale and an offset that bring points (V, 2) inside the image and clear of the boxes; smaller from try to try."""
    height, width = style.image_size
    (x1, y1), (x2, y2) = points.min(0).tolist(), points.max(0).tolist()
    fitting = min(1.0, (width - 1) / (x2 - x1), (height - 1) / (y2 - y1))
    least = min(1.0, style.object_size[0] * min(height, width) / size)
    for attempt in range(_ATTEMPTS):
        scale = fitting * max(least, 1 - 0.03 * attempt)
        left = rng.uniform(0.5, width - 0.5 - scale * (x2 - x1))
        top = rng.uniform(0.5, height - 0.5 - scale * (y2 - y1))
        box = (left, top, left + scale * (x2 - x1), top + scale * (y2 - y1))
        if all(_overlap(box, other) <= style.occlusion for other in boxes):
            boxes.append(box)
            return scale, np.array([left - scale * x1, top - scale * y1])
    return None


def _overlap(box: Box, other: Box) -> float:
    """The share of the smaller box that the other one overlaps."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
