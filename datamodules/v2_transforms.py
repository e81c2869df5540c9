"""``torchvision.transforms.v2`` on a whole scene: the way for recipes to leave albumentations, which nobody maintains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from .kinds import Boxes, Map, Masks, Points, Regions, Texts
from .moving import INSIDE, LEAST_SIDE, PROBE, Moving, keypoints_moved, with_objects_left
from .scene import InputError, Scene, SceneError, declared, of_kind

_MARK = 1e6
"""What marks the inside: no fill of a mask is that great."""


class CornerPoints(tv_tensors.KeyPoints):  # type: ignore[misc]
    """Points whose x and y count from the corner of the first pixel, as boxes' do.

    torchvision's own do so as well where they are rotated, scaled or cropped, but count from the pixel's centre where they are
    flipped.
    """


def _flip_x(points: Tensor, **_: Any) -> Tensor:
    return _flipped(points, 0)


def _flip_y(points: Tensor, **_: Any) -> Tensor:
    return _flipped(points, 1)


def _flipped(points: Any, axis: int) -> Tensor:
    moved = points.as_subclass(Tensor).clone()
    moved[..., axis] = points.canvas_size[1 - axis] - moved[..., axis]
    return CornerPoints(moved, canvas_size=points.canvas_size)


F.register_kernel(F.horizontal_flip, CornerPoints)(_flip_x)
F.register_kernel(F.vertical_flip, CornerPoints)(_flip_y)


class V2Run:
    """Transforms of torchvision in a row, applied to every field of a scene together.

    Objects that leave the image are left out, and keypoints become unlabelled, as
    :class:`datamodules.transforms.SceneTransform` says; ``SanitizeBoundingBoxes`` is not needed. ``fill`` is the image's: a map
    has its own. One that looks at boxes (``RandomIoUCrop``) takes the objects' and cannot be had together with proposals.

    torch's own randomness is seeded by each call's seed, and afterwards as it was before.
    """

    def __init__(self, transforms: Sequence[v2.Transform], flip_pairs: Sequence[tuple[int, int]] | None) -> None:
        self.transforms, self.flip_pairs = list(transforms), flip_pairs

    def __call__(self, scene: Scene, seed: tuple[int, ...]) -> Scene:
        if any(any(phrases) for _, _, phrases in of_kind(scene, Texts)):
            raise InputError(
                "data.augment: torchvision's transforms do not keep captions true (left and right, places, sizes, colours); "
                "take albumentations' instead, such as albumentations.HorizontalFlip"
            )
        moving = [entry for entry in declared(scene) if entry[1].moves]
        packed: Any = _pack(scene["image"], moving)
        state = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]) >> 1
        try:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(state)
                for transform in self.transforms:
                    packed = transform(packed)
                    if Points in {type(kind) for _, kind, _ in moving}:  # older versions give back their own class
                        points = packed["points"]
                        packed["points"] = CornerPoints(points.as_subclass(Tensor), canvas_size=points.canvas_size)
        except Exception as error:  # a crop that is larger than the image, for one
            raise SceneError(f"{scene.get('name', 'a scene')}: data.augment: {error}") from error
        return self._unpack(scene, moving, packed)

    def _unpack(self, scene: Scene, moving: Moving, packed: dict[str, Any]) -> Scene:
        image = packed["image"]
        if not isinstance(image, Tensor) or image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
            was = f"{image.dtype} {tuple(image.shape)}" if isinstance(image, Tensor) else type(image).__name__
            raise InputError(
                f"data.augment turned the image into {was}; it must stay uint8 (3, H, W): leave out Normalize, ToDtype and "
                "ToTensor"
            )
        moved: dict[str, Any] = {**scene, "image": _plain(image)}
        inside = _plain(packed[INSIDE]) == _MARK if INSIDE in packed else torch.empty(0)
        for field, kind, value in moving:
            match kind:
                case Map():
                    moved[field] = _plain(packed[field]).masked_fill(~inside, kind.fill)
                case Masks():
                    empty = value.new_zeros((0, *image.shape[1:]))
                    moved[field] = _plain(packed[field]).masked_fill(~inside, 0) if field in packed else empty
                case Points():
                    points = _plain(packed["points"]).numpy().astype(np.float32)
                    moved[field] = keypoints_moved(value, points, self.flip_pairs)
                case Regions():
                    regions = _clipped(packed[field], image)
                    moved[field] = regions[_wide(regions)]
        for field, kind, value in moving:
            if isinstance(kind, Boxes):
                boxes = _clipped(packed[field], image)
                numbered = torch.cat([boxes, torch.arange(len(boxes), dtype=boxes.dtype)[:, None]], 1)[_wide(boxes)]
                return with_objects_left(moved, field, value, numbered.numpy())
        return cast(Scene, moved)


def _pack(image: Tensor, moving: Moving) -> dict[str, Any]:
    size = (image.shape[1], image.shape[2])
    # The objects' boxes come first: they are what a transform that looks at boxes finds.
    ordered = sorted(moving, key=lambda entry: not isinstance(entry[1], Boxes))
    packed: dict[str, Any] = {"image": tv_tensors.Image(image)}
    for field, kind, value in ordered:
        match kind:
            case Map():
                packed[field] = tv_tensors.Mask(value)
            case Masks() if len(value):
                packed[field] = tv_tensors.Mask(value)
            case Boxes() | Regions():
                packed[field] = tv_tensors.BoundingBoxes(  # type: ignore[call-overload]
                    value, format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=size
                )
            case Points():
                keypoints = value[..., :2].reshape(-1, 2).nan_to_num()
                points = torch.cat([torch.from_numpy(PROBE) * torch.tensor(size[::-1]), keypoints])
                packed["points"] = CornerPoints(points, canvas_size=size)
    if any(isinstance(kind, Map | Masks) for _, kind, _ in moving):
        packed[INSIDE] = tv_tensors.Mask(torch.full(size, _MARK))
    return packed


def _plain(value: Tensor) -> Tensor:
    return value.as_subclass(Tensor).contiguous()


def _clipped(boxes: Tensor, image: Tensor) -> Tensor:
    """Boxes (N, 4) within the image (3, H, W); torchvision's flips leave them as they are."""
    height, width = image.shape[1:]
    return _plain(boxes).clamp(min=0).minimum(torch.tensor([width, height] * 2, dtype=boxes.dtype))


def _wide(boxes: Tensor) -> Tensor:
    return ((boxes[:, 2:] - boxes[:, :2]) >= LEAST_SIDE).all(1)
