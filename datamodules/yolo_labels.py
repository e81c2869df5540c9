"""A line of a label file as YOLO has them: a class, and numbers that are fractions of the image's width and height."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .own_objects import AnnotatedObject, Fault, box_around
from .scene import quoted

LineValues = NDArray[np.float64]

LONGEST_LINE = 1_000_000
"""Characters: an outline of 50,000 points."""
GRACE = 0.01
"""How far a fraction may leave [0, 1]: what annotation tools round, and what they let a hand draw over the edge."""


@dataclass(frozen=True)
class LineFormat:
    """What the lines of a data set hold.

    ``class x y width height`` is a box by its centre and size. With keypoints, ``dimensions`` numbers of each follow: x, y,
    and v where there are three. Any other line of at least three points is an outline, ``class x1 y1 x2 y2 …`` (an oriented
    box is one of four points).
    """

    numbers: tuple[int, ...]
    """The number that lines have of each class: 0, 1, 2 … nearly always."""
    keypoints: int = 0
    dimensions: int = 3


def read_lines(text: str, form: LineFormat, height: int, width: int) -> list[AnnotatedObject | Fault]:
    """The objects of a label file, in its order.

    Args:
        text: the file's.
        form: what its lines hold.
        height: of the image in pixels.
        width: of the image in pixels.

    Returns:
        One entry a line that is not blank; a line that says word for word what another said before is a :class:`Fault`.
    """
    found: list[AnnotatedObject | Fault] = []
    said: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (words := tuple(line.split())):
            continue
        where = f"line {number}"
        if words in said:
            found.append(Fault(where, f"the same object as in line {said[words]}"))
            continue
        said[words] = number
        try:
            found.append(_object(where, line, words, form, height, width))
        except ValueError as error:
            found.append(Fault(where, str(error)))
    return found


def has_outline(text: str, form: LineFormat) -> bool:
    """Whether any line of a label file is an outline; a line with keypoints is none."""
    return any(len(line.split()) >= 7 for line in text.splitlines()) and not form.keypoints


def _object(
    where: str, line: str, words: tuple[str, ...], form: LineFormat, height: int, width: int
) -> AnnotatedObject | Fault:
    if len(line) > LONGEST_LINE or not line.isascii() or "_" in line:
        raise ValueError(f"{quoted(line, 40)} is no line of numbers")
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise ValueError(f"{quoted(line, 40)} is no line of numbers") from None
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{quoted(line, 40)} has a number that is not finite")
    label, rest = values[0], np.array(values[1:])
    if label not in form.numbers:
        raise ValueError(f"class {label:g} is none of the data set's, which go from {form.numbers[0]} to {form.numbers[-1]}")
    index = form.numbers.index(int(label))
    size = np.array([width, height], float)
    if form.keypoints:
        expected = 4 + form.keypoints * form.dimensions
        if len(rest) != expected:
            raise ValueError(
                f"{len(rest)} numbers behind the class, expected {expected}: a box, and {form.dimensions} numbers of each of "
                f"{form.keypoints} keypoints"
            )
        points = rest[4:].reshape(form.keypoints, form.dimensions)
        # Where there is no third number, a keypoint at the corner (0, 0) is one that is not labelled.
        seen = points[:, 2] if form.dimensions == 3 else 2.0 * (points != 0).any(axis=1)
        if not np.isin(seen, (0, 1, 2)).all():
            raise ValueError("a keypoint's visibility is 0, 1 or 2")
        _check_fractions(points[seen > 0, :2])
        keypoints = np.zeros((form.keypoints, 3), np.float32)
        keypoints[seen > 0, :2] = (points[:, :2] * size)[seen > 0]
        keypoints[:, 2] = seen
        return AnnotatedObject(where, index, _box(rest[:4], size), None, keypoints)
    if len(rest) == 4:
        return AnnotatedObject(where, index, _box(rest, size))
    if len(rest) < 6 or len(rest) % 2:
        raise ValueError(
            f"{len(rest)} numbers behind the class, expected 4 (centre x, y, width, height) or x, y of three points or more"
        )
    _check_fractions(rest)
    outline = rest.reshape(-1, 2).clip(0, 1) * size
    return AnnotatedObject(where, index, box_around(outline), [outline])


def _box(values: LineValues, size: LineValues) -> tuple[float, float, float, float]:
    """A box xyxy in pixels, of its centre and size in fractions."""
    _check_fractions(values)
    centre, half = values[:2] * size, values[2:] * size / 2
    (x1, y1), (x2, y2) = (centre - half).tolist(), (centre + half).tolist()
    return x1, y1, x2, y2


def _check_fractions(values: LineValues) -> None:
    outside = values[(values < -GRACE) | (values > 1 + GRACE)]
    if outside.size:
        raise ValueError(f"{outside.flat[0]:g} is no fraction of the image's size, from 0 to 1: are these pixels?")
