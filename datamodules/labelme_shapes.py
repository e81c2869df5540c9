"""The shapes of a labelme file: each of them read, or what is wrong with it, and those of one group as one object."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .own_objects import AnnotatedObject, Fault, Outline, box_around
from .scene import quoted

CIRCLE = 64
"""Corners of the polygon that a circle becomes."""
NO_CLASSES = ("__ignore__", "_background_")
"""Labels that labelme's own converters take for no class."""


@dataclass(frozen=True)
class Shape:
    """One shape of a file."""

    number: int
    label: str
    group: int | str | None
    outline: Outline
    """(P, 2)."""
    pixels: NDArray[np.uint8] | None = None
    """(h, w) of 0 and 1, for a shape that is a mask; ``outline`` is then its box's."""


def read_shape(number: int, shape: Any) -> Shape | Fault:
    """A shape of a labelme file's list."""
    where = f"shape {number}"
    if not isinstance(shape, dict):
        return Fault(where, f"is {quoted(shape)}, expected a label and points")
    label, kind, group = shape.get("label"), shape.get("shape_type", "polygon"), shape.get("group_id")
    if not isinstance(label, str) or not label.strip() or not label.isprintable():
        return Fault(where, f"its label is {quoted(label)}, expected a text")
    if label in NO_CLASSES:
        return Fault(where, f"its label {label} is no class")
    if group is not None and not isinstance(group, int | str):
        return Fault(where, f"its group_id is {quoted(group)}, expected a number or null")
    points = _points(shape.get("points"))
    if points is None:
        return Fault(where, "its points are no list of [x, y] of finite numbers")
    pixels = None
    if kind == "mask" and len(points) == 2:
        pixels = _pixels(shape.get("mask"))
        if pixels is None:
            return Fault(where, "its mask is no PNG in base64")
        height, width = pixels.shape
        corner = np.floor(points.min(axis=0))
        outline = _rectangle(corner, corner + np.array([width, height]))
    elif kind == "polygon" and len(points) >= 3:
        outline = points
    elif kind == "rectangle" and len(points) in (2, 4):
        outline = _rectangle(points.min(axis=0), points.max(axis=0))
    elif kind == "circle" and len(points) == 2:
        angles = np.linspace(0, 2 * math.pi, CIRCLE, endpoint=False)
        radius = float(np.hypot(*(points[1] - points[0])))
        outline = points[0] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    else:
        expected = {"polygon": "3 or more", "rectangle": "2", "circle": "2", "mask": "2"}.get(str(kind))
        wrong = f"a {kind} of {len(points)} points, expected {expected}" if expected else f"a {quoted(kind)} encloses no pixels"
        return Fault(where, wrong)
    return Shape(number, label.strip(), group, outline, pixels)


def objects_of(shapes: Sequence[Shape | Fault], classes: Sequence[str], size: tuple[int, int]) -> list[AnnotatedObject | Fault]:
    """The objects that shapes are, in the order of the file; those of one label and group are one.

    Args:
        shapes: as :func:`read_shape` gives them.
        classes: the names that labels count.
        size: (H, W) of the image.
    """
    found: list[Fault | list[Shape]] = []
    groups: dict[tuple[str, int | str], list[Shape]] = {}
    for shape in shapes:
        if isinstance(shape, Fault):
            found.append(shape)
        elif shape.label not in classes:
            known = ", ".join(classes[:20])
            found.append(Fault(f"shape {shape.number}", f"class {quoted(shape.label)} is not among data.classes ({known})"))
        elif shape.group is None:
            found.append([shape])
        elif (key := (shape.label, shape.group)) in groups:
            groups[key].append(shape)
        else:
            found.append(groups.setdefault(key, [shape]))
    return [one if isinstance(one, Fault) else _object(one, classes.index(one[0].label), size) for one in found]


def _object(shapes: Sequence[Shape], label: int, size: tuple[int, int]) -> AnnotatedObject | Fault:
    where = f"shape{'s' * (len(shapes) > 1)} {', '.join(str(shape.number) for shape in shapes)}"
    box = box_around(np.concatenate([shape.outline for shape in shapes]))
    if not any(shape.pixels is not None for shape in shapes):
        return AnnotatedObject(where, label, box, [shape.outline for shape in shapes])
    mask = np.zeros(size, np.uint8)
    for shape in shapes:
        if shape.pixels is None:
            cv2.fillPoly(mask, [np.rint(shape.outline - 0.5).clip(-(2**14), 2**14).astype(np.int32)], (1,))
            continue
        x, y = (int(value) for value in shape.outline[0].clip(-(2**30), 2**30))
        height, width = shape.pixels.shape
        if x < 0 or y < 0 or x + width > size[1] or y + height > size[0]:
            return Fault(
                where, f"its mask of {width} x {height} at ({x}, {y}) leaves its image of {size[1]} x {size[0]} (W x H)"
            )
        mask[y : y + height, x : x + width] |= shape.pixels
    if not mask.any():
        return Fault(where, "its mask has no pixel")
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return AnnotatedObject(where, label, (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1), None, None, mask)


def _points(values: Any) -> Outline | None:
    """(P, 2) of a list of pairs of finite numbers; None of anything else."""
    if not isinstance(values, list) or not values:
        return None
    for pair in values:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 2**30 for v in pair):
            return None  # nan is not smaller either
    return np.array(values, np.float64)


def _pixels(encoded: Any) -> NDArray[np.uint8] | None:
    """(h, w) of 0 and 1, of a PNG in base64; None where it is none."""
    if not isinstance(encoded, str):
        return None
    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)), formats=["PNG"]) as image:
            if image.width * image.height > 2**27 or image.mode not in ("1", "L", "P", "I;16", "I"):
                return None
            return (np.array(image) != 0).astype(np.uint8)
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        return None


def _rectangle(low: Any, high: Any) -> Outline:
    (x1, y1), (x2, y2) = low, high
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float64)
