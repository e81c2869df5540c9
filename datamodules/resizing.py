"""How an image of any size takes the size of the batch, and all that is annotated in it with it."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .layout import contiguous, to_chw, to_hwc
from .scene import IGNORE, Scene, keep_objects

ResizeMode = Literal["stretch", "letterbox", "crop"]
"""How an image takes the size of the batch.

``stretch`` resizes both sides, ``letterbox`` keeps the aspect ratio and pads with black (mask: ignore), ``crop``
resizes the shorter side and cuts out the centre.
"""


def resize_matrix(size: tuple[int, int], image_size: tuple[int, int], resize_mode: ResizeMode) -> NDArray[np.float64]:
    """The affine map (2, 3) from the pixels of an image of ``size`` (H, W) to those of the resized one."""
    (h, w), (target_h, target_w) = size, image_size
    if resize_mode == "stretch":
        return np.array([[target_w / w, 0, 0], [0, target_h / h, 0]], dtype=np.float64)
    scale = (min if resize_mode == "letterbox" else max)(target_h / h, target_w / w)
    new_h, new_w = max(1, round(h * scale)), max(1, round(w * scale))
    left, top = (target_w - new_w) // 2, (target_h - new_h) // 2
    return np.array([[new_w / w, 0, left], [0, new_h / h, top]], dtype=np.float64)


def resize_scene(scene: Scene, image_size: tuple[int, int], resize_mode: ResizeMode) -> Scene:
    """The scene with its image at ``image_size`` (H, W), and every field moved by :func:`resize_matrix`.

    Boxes are clipped to the image, and ``area`` shrinks with them; objects outside are left out of every object field.
    Proposals are clipped too, and those outside left out.
    Joints outside become unlabelled, and what is unlabelled is (0, 0, 0).
    """
    size = scene["image"].shape[1], scene["image"].shape[2]
    if size == image_size and _lies_within(scene, size):
        return _as_it_is(scene)
    matrix = resize_matrix(size, image_size, resize_mode)
    fitted = Scene(**scene)
    fitted["image"] = _resized(scene["image"], matrix, image_size)
    if "mask" in scene:
        fitted["mask"] = _sampled(scene["mask"], matrix, image_size, fill=IGNORE)
    if "masks" in scene:
        fitted["masks"] = _sampled(scene["masks"], matrix, image_size, fill=0)
    if "boxes" in scene or "keypoints" in scene or "proposals" in scene:
        return _moved(fitted, matrix, size, image_size)
    return fitted


def _lies_within(scene: Scene, size: tuple[int, int]) -> bool:
    """Whether fitting an image to the size (H, W) that it has would change nothing in its boxes and joints."""
    far = size[::-1]
    for boxes in _boxes(scene).values():
        low, high = boxes.numpy()[:, :2], boxes.numpy()[:, 2:]
        if not ((low >= 0).all() and (high <= far).all() and (high > low).all()):
            return False
    if "keypoints" in scene and len(scene["keypoints"]):
        joints = scene["keypoints"].numpy()
        if joints[~(joints[..., 2] > 0)].any() or not ((joints >= 0) & (joints <= (*far, np.inf))).all():
            return False
    return True


def _as_it_is(scene: Scene) -> Scene:
    same = Scene(**scene)
    same["image"] = contiguous(scene["image"])
    same |= {field: boxes.float() for field, boxes in _boxes(scene).items()}  # type: ignore[typeddict-item]
    if "keypoints" in scene:
        same["keypoints"] = scene["keypoints"].float()
    return same


def _boxes(scene: Scene) -> dict[str, Tensor]:
    """The fields that are boxes (N, 4)."""
    return {field: scene[field] for field in ("boxes", "proposals") if field in scene}  # type: ignore[literal-required]


def _moved(scene: Scene, matrix: NDArray[np.float64], old: tuple[int, int], new: tuple[int, int]) -> Scene:
    scale, offset = torch.from_numpy(matrix[:, :2].diagonal().copy()), torch.from_numpy(matrix[:, 2].copy())
    near, old_far, far = torch.zeros(2), torch.tensor(old[::-1]), torch.tensor(new[::-1])
    if "keypoints" in scene:
        points, visible = scene["keypoints"][..., :2], scene["keypoints"][..., 2:]
        moved = points * scale + offset
        seen = (visible > 0) & _within(points, old_far) & _within(moved, far)
        scene["keypoints"] = torch.cat([moved, visible], -1).where(seen, 0).float()
    if "proposals" in scene:
        corners = scene["proposals"].reshape(-1, 2, 2)
        proposals = (corners.clamp(near, old_far) * scale + offset).clamp(near, far).reshape(-1, 4).float()
        scene["proposals"] = proposals[(proposals[:, 2:] > proposals[:, :2]).all(-1)]
    if "boxes" not in scene:
        return scene
    corners = scene["boxes"].reshape(-1, 2, 2)
    moved = (corners.clamp(near, old_far) * scale + offset).clamp(near, far)
    scene["boxes"] = moved.reshape(-1, 4).float()
    if "area" in scene:
        scene["area"] = (scene["area"] * (_areas(moved) / _areas(corners.double()))).float()
    inside = (scene["boxes"][:, 2:] > scene["boxes"][:, :2]).all(-1)
    return scene if bool(inside.all()) else keep_objects(scene, inside.nonzero().flatten().tolist())


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


def _sampled(masks: Tensor, matrix: NDArray[np.float64], image_size: tuple[int, int], fill: int) -> Tensor:
    """The class under the centre of each pixel of the fitted image, for masks (..., H, W)."""
    size = masks.shape[-2:]
    if tuple(size) == image_size:
        return masks
    # (OpenCV's nearest neighbour takes the class at a pixel's corner, half a pixel off.)
    y, x = (np.arange(n) + 0.5 for n in image_size)
    rows = torch.from_numpy(np.floor((y - matrix[1, 2]) / matrix[1, 1])).long()
    columns = torch.from_numpy(np.floor((x - matrix[0, 2]) / matrix[0, 0])).long()
    sampled = masks[..., rows.clamp(0, size[0] - 1)[:, None], columns.clamp(0, size[1] - 1)]
    sampled[..., (rows < 0) | (rows >= size[0]), :] = fill
    sampled[..., (columns < 0) | (columns >= size[1])] = fill
    return sampled
