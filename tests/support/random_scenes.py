"""Scenes drawn for property tests, and what is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import albumentations as A
import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from datamodules.resizing import ResizeMode
from datamodules.scene import FIELDS, DatasetMetadata, Scene
from datamodules.transforms import Transform

PAIRS = ((0, 1), (2, 3))
KEYPOINTS = 5
RESIZE_MODES: tuple[ResizeMode, ...] = ("stretch", "letterbox", "crop")
METADATA = DatasetMetadata(
    name="random", image_size=(1, 1), classes=tuple("abcdefgh"), mask_classes=tuple("abc"), keypoints=tuple("01234")
)
AUGMENTATIONS: tuple[Transform, ...] = (
    A.HorizontalFlip(p=1),
    A.Transpose(p=1),
    A.Rotate((-90, 90), p=1),
    A.Affine(scale=(0.5, 1.5), rotate=(-30, 30), shear=(-10, 10), p=1),
    A.RandomResizedCrop((20, 30), p=1),
    A.Perspective(p=1),
    A.ElasticTransform(p=1),
    A.CoarseDropout(p=1),
    A.ColorJitter(p=1),
    A.OneOf([A.D4(p=1), A.GaussNoise(p=1)], p=0.5),
)
sizes = st.tuples(st.integers(4, 61), st.integers(4, 61))
OBJECT_FIELDS = tuple(field for field, kind in FIELDS.items() if kind.per_object)
counts = st.integers(0, 4)
seeds = st.integers(0, 2**32 - 1)


def random_scene(size: tuple[int, int], count: int, seed: int, fields: Sequence[str] = OBJECT_FIELDS) -> Scene:
    """Objects are filled rectangles: a box, its mask, and keypoints inside; ``labels`` number them."""
    rng, (height, width) = np.random.default_rng(seed), size
    corners = np.sort(rng.integers(0, (width - 1, height - 1), (count, 2, 2)), axis=1)
    boxes = np.concatenate([corners[:, 0], corners[:, 1] + 1], -1)
    masks = np.zeros((count, height, width), np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        masks[number, y1:y2, x1:x2] = 1
    inside = boxes[:, None, :2] + rng.random((count, KEYPOINTS, 2)) * (boxes[:, None, 2:] - boxes[:, None, :2])
    visible = rng.integers(0, 3, (count, KEYPOINTS, 1))
    every: dict[str, Any] = {
        "boxes": torch.from_numpy(boxes).float(),
        "labels": torch.arange(count),
        "masks": torch.from_numpy(masks),
        "keypoints": torch.from_numpy(np.concatenate([inside, visible], -1)).float(),
        "captions": [f"object {i}" for i in range(count)],
        "difficult": torch.arange(count) % 2 == 0,
        "crowd": torch.arange(count) % 2 == 1,
        "area": torch.from_numpy((boxes[:, 2:] - boxes[:, :2]).prod(-1)).float(),
    }
    image = torch.from_numpy(rng.integers(0, 256, (3, height, width)).astype(np.uint8))
    mask = torch.from_numpy(rng.integers(0, 3, size).astype(np.uint8))
    scene = {"image": image, "mask": mask, "name": "random"} | {f: every[f] for f in fields}
    return scene  # type: ignore[return-value]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(torch.equal(a, b)) if isinstance(a, Tensor) else bool(a == b)
