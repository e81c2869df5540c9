"""What every library of transforms needs beside itself: which objects are left, what was mirrored, what is outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .kinds import Areas, Kind
from .scene import InputError, Scene, keep_objects, of_kind

PROBE = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75]], np.float32)
"""Three points of the image, in parts of its sides: their orientation afterwards tells whether it was mirrored."""

Moving: TypeAlias = list[tuple[str, Kind, Any]]
"""Name, kind and value of the fields that move with the image."""

INSIDE = "inside image"
"""A mask that is moved with maps whose fill a library cannot know: what it does not mark afterwards is outside."""

LEAST_SIDE = 0.5
"""Pixels; a box that is thinner after a transform is none. One of a whole pixel is, after a flip, a rounding error thinner."""


def keypoints_moved(keypoints: Tensor, points: NDArray[np.float32], flip_pairs: Sequence[tuple[int, int]] | None) -> Tensor:
    """Keypoints (N, K, 3) at their new places; where the image was mirrored, left and right are exchanged.

    Args:
        keypoints: as they were.
        points: float32 (3 + N * K, 2), x and y of :data:`PROBE` and of the keypoints afterwards; nan where one is gone.
        flip_pairs: indices of a left and a right keypoint each; None where nobody knows them.

    Raises:
        InputError: the image was mirrored, and nobody knows the pairs.
    """
    moved = keypoints.clone()
    moved[..., :2] = torch.from_numpy(points[len(PROBE) :]).reshape(*keypoints.shape[:2], 2)
    moved[moved[..., 0].isnan()] = 0
    (ax, ay), (bx, by), (cx, cy) = points[: len(PROBE)].tolist()
    if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0:
        if flip_pairs is None:
            raise InputError(
                "data.augment mirrors the image, and it is not known which keypoints are left and right of each other: "
                "call them left_x and right_x in the annotation file, name the pairs in data.flip_pairs, or drop the flip"
            )
        for left, right in flip_pairs:
            moved[:, [left, right]] = moved[:, [right, left]]
    return moved


def with_objects_left(moved: dict[str, Any], field: str, before: Tensor, numbered: NDArray[np.float32]) -> Scene:
    """The scene with the boxes (N, 5) as they came out, each with its object's number, and with their objects alone."""
    boxes, objects = numbered[:, :4], numbered[:, 4:].flatten().astype(np.int64)
    for areas, _, area in of_kind(moved, Areas):
        # Nobody measures the area after a rotation or a crop; it follows the box's.
        shrinkage = torch.ones(len(before))
        shrinkage[objects] = torch.from_numpy(_areas(boxes)) / _areas(before[objects])
        moved[areas] = area * shrinkage
    scene = cast(Scene, moved)
    if (kept := objects.tolist()) != list(range(len(before))):
        scene = keep_objects(moved, kept)
    return cast(Scene, {**scene, field: torch.from_numpy(np.ascontiguousarray(boxes))})


def _areas(boxes: Any) -> Any:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
