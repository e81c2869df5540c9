"""Objects as annotation files of one's own data say them: read one by one, and what is wrong with each is said.

Several formats (YOLO's, labelme's) say the same of an object in other words. A reader turns each of its lines or shapes
into an :class:`AnnotatedObject` or a :class:`Fault`, and :func:`scene_of` makes a scene of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .coco_masks import LARGEST_MASKS, draw_masks
from .scene import Scene, SceneError, printable

Outline = NDArray[np.float64]
"""(P, 2): x and y in pixels of the image, counted from the outer corner of its first pixel."""


@dataclass(frozen=True)
class AnnotatedObject:
    """One object of an image."""

    where: str
    """Its place in the file: ``line 3``, ``shape 0``."""
    label: int
    box: tuple[float, float, float, float]
    """xyxy in pixels."""
    outlines: Sequence[Outline] | None = None
    """Polygons that hold the object's pixels; None where the file has a box alone."""
    keypoints: NDArray[np.float32] | None = None
    """(K, 3): x, y and v."""
    mask: NDArray[np.uint8] | None = None
    """(H, W) of 0 and 1, drawn where it is asked for; a file that has masks in place of outlines gives it."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line or a shape, of which nothing is used."""

    where: str
    text: str


def scene_of(
    image: Tensor,
    name: str,
    file: Path,
    found: Sequence[AnnotatedObject | Fault],
    fields: frozenset[str],
    invalid: Literal["error", "skip"],
) -> Scene:
    """The scene of an image (3, H, W) and its objects, with those of ``fields`` that objects have.

    ``area`` is that of an object's mask, otherwise of what its outlines enclose, otherwise of its box. ``label`` is the class
    of the object of the largest area. ``masks`` are drawn as COCO's are. ``mask`` has class c of the objects as c + 1,
    and 0 where there is none.

    Args:
        image: uint8 (3, H, W).
        name: the scene's.
        file: the annotation's, for messages.
        found: what the file says, in its order.
        fields: what is asked for.
        invalid: with ``skip`` objects with a fault are left out, and named under ``problems``, from which the data module
            counts them.

    Raises:
        SceneError: an object has a fault (with ``error``), or no object is left for the ``label``.
    """
    height, width = image.shape[1:]
    if {"masks", "mask"} & fields and len(found) * height * width > LARGEST_MASKS:
        raise SceneError(f"{file}: {len(found)} masks of {width} x {height} pixels, more than {LARGEST_MASKS:,} bytes")
    checked = [one if isinstance(one, Fault) else _checked(one, height, width, fields) for one in found]
    faults = [f"{file}, {one.where}: {one.text}" for one in checked if isinstance(one, Fault)]
    if faults and invalid == "error":
        raise SceneError(f"{faults[0]} (data.invalid: skip leaves such objects out)")
    objects = [one for one in checked if isinstance(one, AnnotatedObject)]
    scene: dict[str, Any] = {
        "image": image,
        "name": name,
        "boxes": torch.tensor([one.box for one in objects], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor([one.label for one in objects], dtype=torch.int64),
        "area": torch.tensor([_area(one) for one in objects], dtype=torch.float32),
    }
    if "masks" in fields:
        masks = [cast("NDArray[np.uint8]", one.mask) for one in objects]
        scene["masks"] = torch.from_numpy(np.stack(masks) if masks else np.zeros((0, height, width), np.uint8))
    if "mask" in fields:
        scene["mask"] = torch.zeros((height, width), dtype=torch.uint8)
        for one in objects:  # in the file's order: what comes later lies on top
            scene["mask"][torch.from_numpy(cast("NDArray[np.uint8]", one.mask)).bool()] = one.label + 1
    if "keypoints" in fields:
        keypoints = [cast("NDArray[np.float32]", one.keypoints) for one in objects]
        scene["keypoints"] = torch.from_numpy(np.stack(keypoints) if keypoints else np.zeros((0, 0, 3), np.float32))
    if "label" in fields:
        if not objects:
            raise SceneError(f"{file}: no object, so the image has no label")
        scene["label"] = scene["labels"][scene["area"].argmax()]
    if faults:
        scene["problems"] = [printable(text) for text in faults]
    return cast(Scene, scene)


def box_around(points: Outline) -> tuple[float, float, float, float]:
    """The tight box xyxy of points (P, 2)."""
    x1, y1 = points.min(axis=0).tolist()
    x2, y2 = points.max(axis=0).tolist()
    return x1, y1, x2, y2


def polygon_area(points: Outline) -> float:
    """Square pixels that a polygon (P, 2) encloses."""
    x, y = points[:, 0], points[:, 1]
    return 0.5 * abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))


def _checked(one: AnnotatedObject, height: int, width: int, fields: frozenset[str]) -> AnnotatedObject | Fault:
    """The object, its box cut at the image's edge where it is over it by less than a pixel; or what is wrong with it."""
    x1, y1, x2, y2 = one.box
    text = f"box ({x1:g}, {y1:g}, {x2:g}, {y2:g})"
    if not all(map(math.isfinite, one.box)):
        return Fault(one.where, f"{text} is not finite")
    if x2 <= x1 or y2 <= y1:
        return Fault(one.where, f"{text} has no area")
    if x1 < -1 or y1 < -1 or x2 > width + 1 or y2 > height + 1:
        return Fault(one.where, f"{text} leaves its image of {width} x {height} (W x H)")
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
    if box[2] <= box[0] or box[3] <= box[1]:
        return Fault(one.where, f"{text} lies beside its image of {width} x {height} (W x H)")
    mask = one.mask
    if {"masks", "mask"} & fields and mask is None:
        if not one.outlines:
            return Fault(one.where, "a box and no outline, where masks are asked for: segmentation needs polygons")
        try:
            mask = draw_masks(one.where, [[outline.reshape(-1) for outline in one.outlines]], height, width)[0]
        except SceneError as error:
            return Fault(one.where, str(error).removeprefix(f"{one.where}: object 0: "))
        if not mask.any():
            return Fault(one.where, "its outline covers no pixel")
    return replace(one, box=box, mask=mask)


def _area(one: AnnotatedObject) -> float:
    if one.mask is not None:
        return float(one.mask.sum())
    if one.outlines:
        return sum(map(polygon_area, one.outlines))
    return (one.box[2] - one.box[0]) * (one.box[3] - one.box[1])
