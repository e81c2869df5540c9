"""How an image of any size takes the size of the batch, and all that is annotated in it with it."""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .kinds import Areas, Boxes, Kind, Map, Masks, Points, Regions
from .layout import contiguous, take_pixels, to_chw, to_hwc
from .scene import Scene, declared, keep_objects, of_kind

ResizeMode = Literal["stretch", "letterbox", "crop"]
"""How an image takes the size of the batch.

``stretch`` resizes both sides, ``letterbox`` keeps the aspect ratio and pads with black (a map: with its fill), ``crop``
resizes the shorter side and cuts out the centre.
"""


_PLACED = (Boxes, Regions, Points)
"""The kinds that hold coordinates."""


def resize_matrix(size: tuple[int, int], image_size: tuple[int, int], resize_mode: ResizeMode) -> NDArray[np.float64]:
    """The affine map (2, 3) from the pixels of an image of ``size`` (H, W) to those of the resized one."""
    (h, w), (target_h, target_w) = size, image_size
    if resize_mode == "stretch":
        return np.array([[target_w / w, 0, 0], [0, target_h / h, 0]], dtype=np.float64)
    scale = (min if resize_mode == "letterbox" else max)(target_h / h, target_w / w)
    new_h, new_w = max(1, round(h * scale)), max(1, round(w * scale))
    left, top = (target_w - new_w) // 2, (target_h - new_h) // 2
    return np.array([[new_w / w, 0, left], [0, new_h / h, top]], dtype=np.float64)


def resize_scene(scene: Scene, image_size: tuple[int, int], resize_mode: ResizeMode, *, annotated_areas: bool = False) -> Scene:
    """The scene with its image at ``image_size`` (H, W), and every field moved by :func:`resize_matrix`.

    Boxes are clipped to the image, and areas shrink with them; objects outside are left out of every field with one entry
    an object. Regions (proposals) are clipped too, and those outside left out. Points outside become unlabelled, and what
    is unlabelled is (0, 0, 0). A map takes the value under the centre of each new pixel, and its fill beside the image.

    With ``annotated_areas`` areas stay those of the annotation, less what is cut off with the box: by them COCO tells small
    from large, and instances by how far off a keypoint may be.
    """
    size = scene["image"].shape[1], scene["image"].shape[2]
    moving = [entry for entry in declared(scene) if entry[1].moves]
    resized: dict[str, Any] = dict(scene)
    if size == image_size:
        placed = [entry for entry in moving if isinstance(entry[1], _PLACED)]
        if all(_lies_within(kind, value, size) for _, kind, value in placed):
            resized["image"] = contiguous(scene["image"])
            return cast(Scene, resized | {field: value.float() for field, _, value in placed})
    matrix = resize_matrix(size, image_size, resize_mode)
    place = _Placement(matrix, size, image_size)
    resized["image"] = _resized(scene["image"], matrix, image_size)
    inside = torch.ones(0, dtype=torch.bool)
    for field, kind, value in moving:
        match kind:
            case Map():
                resized[field] = _sampled(value, matrix, image_size, fill=kind.fill)
            case Masks():
                resized[field] = _sampled(value, matrix, image_size, fill=0)
            case Points():
                resized[field] = place.points(value)
            case Regions():
                regions = place.corners(value).reshape(-1, 4).float()
                resized[field] = regions[_has_area(regions)]
            case Boxes():
                corners = place.corners(value)
                resized[field] = corners.reshape(-1, 4).float()
                inside = _has_area(resized[field])
                for areas, _, area in of_kind(scene, Areas):
                    kept = _areas(corners) / _areas(value.reshape(-1, 2, 2).double())
                    resized[areas] = (area * (place.part(kept) if annotated_areas else kept)).float()
    if not bool(inside.all()):
        return keep_objects(resized, inside.nonzero().flatten().tolist())
    return cast(Scene, resized)


def _has_area(boxes: Tensor) -> Tensor:
    """bool (N,): which of the boxes (N, 4) have a positive width and height."""
    return (boxes[:, 2:] > boxes[:, :2]).all(-1)


def _lies_within(kind: Kind, value: Any, size: tuple[int, int]) -> bool:
    """Whether resizing an image to the size (H, W) that it has would change nothing in boxes or points."""
    far = size[::-1]
    if not isinstance(kind, Points):
        low, high = value.numpy()[:, :2], value.numpy()[:, 2:]
        return bool((low >= 0).all() and (high <= far).all() and (high > low).all())
    points = value.numpy()
    unlabelled = points[~(points[..., 2] > 0)]
    return bool(not unlabelled.any() and ((points >= 0) & (points <= (*far, np.inf))).all())


class _Placement:
    """Moves points of an image of the ``old`` size (H, W) to one of the ``new`` size."""

    def __init__(self, matrix: NDArray[np.float64], old: tuple[int, int], new: tuple[int, int]) -> None:
        self.scale, self.offset = torch.from_numpy(matrix[:, :2].diagonal().copy()), torch.from_numpy(matrix[:, 2].copy())
        self.near, self.old_far, self.far = torch.zeros(2), torch.tensor(old[::-1]), torch.tensor(new[::-1])

    def corners(self, boxes: Tensor) -> Tensor:
        """float64 (N, 2, 2): the first and the last corner of boxes (N, 4), clipped to both images."""
        corners = boxes.reshape(-1, 2, 2).clamp(self.near, self.old_far)
        return (corners * self.scale + self.offset).clamp(self.near, self.far)

    def part(self, kept: Tensor) -> Tensor:
        """float64 (N,): how much of each box is left, which has ``kept`` times its old area now.

        Exactly 1 of a box that nothing was cut off of: an area on the bound of small and large stays there.
        """
        part = kept / self.scale.prod()
        return torch.where((part - 1).abs() < 1e-5, 1.0, part)

    def points(self, keypoints: Tensor) -> Tensor:
        """float32 (N, K, 3): those that are labelled and inside both images; the others are (0, 0, 0)."""
        points, visible = keypoints[..., :2], keypoints[..., 2:]
        moved = points * self.scale + self.offset
        seen = (visible > 0) & _within(points, self.old_far) & _within(moved, self.far)
        return torch.cat([moved, visible], -1).where(seen, 0).float()


def _within(points: Tensor, far: Tensor) -> Tensor:
    return ((points >= 0) & (points <= far)).all(-1, keepdim=True)


def _areas(corners: Tensor) -> Tensor:
    return (corners[:, 1] - corners[:, 0]).prod(-1)


def _resized(image: Tensor, matrix: NDArray[np.float64], image_size: tuple[int, int]) -> Tensor:
    size = image.shape[1], image.shape[2]
    if size == image_size:
        return contiguous(image)
    array = to_hwc(image)
    h, w = round(size[0] * matrix[1, 1]), round(size[1] * matrix[0, 0])
    # Averages over areas on the way down, against aliasing; on the way up OpenCV's area mode is close to nearest.
    shrinks = h <= size[0] and w <= size[1]
    array = cv2.resize(array, (w, h), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    if (h, w) != image_size:
        left, top = int(matrix[0, 2]), int(matrix[1, 2])
        (x1, x2), (y1, y2) = (
            (max(low, 0), min(low + side, end)) for low, side, end in ((left, w, image_size[1]), (top, h, image_size[0]))
        )
        canvas = np.zeros((*image_size, 3), np.uint8)
        canvas[y1:y2, x1:x2] = array[y1 - top : y2 - top, x1 - left : x2 - left]
        array = canvas
    return to_chw(array)


def _sampled(masks: Tensor, matrix: NDArray[np.float64], image_size: tuple[int, int], fill: float) -> Tensor:
    """The value under the centre of each pixel of the resized image, for masks (..., H, W)."""
    size = masks.shape[-2:]
    if tuple(size) == image_size:
        return masks
    # (OpenCV's nearest neighbour takes the class at a pixel's corner, half a pixel off.)
    y, x = (np.arange(n) + 0.5 for n in image_size)
    rows = np.floor((y - matrix[1, 2]) / matrix[1, 1]).astype(np.int64)
    columns = np.floor((x - matrix[0, 2]) / matrix[0, 0]).astype(np.int64)
    sampled = take_pixels(masks, rows.clip(0, size[0] - 1), columns.clip(0, size[1] - 1))
    above, beside = (rows < 0) | (rows >= size[0]), (columns < 0) | (columns >= size[1])
    if above.any():
        sampled[..., torch.from_numpy(above), :] = fill
    if beside.any():
        sampled[..., torch.from_numpy(beside)] = fill
    return sampled
