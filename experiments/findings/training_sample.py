"""The training scenes that a baseline is made of: some, evenly spread, since a split may have a hundred thousand."""

from __future__ import annotations

from typing import Any, cast

import torch

from datamodules.base import DataModule, PreparedScenes
from datamodules.loading import Skipped
from datamodules.scene import InputError, Scene

from .inquiry import TrainingSample

LEAST, MOST = 32, 1_000
"""Scenes."""
PART = 10
"""Of the evaluated scenes one in so many is read of the training split as well: what a baseline may cost."""

KEPT = frozenset({"label", "labels", "boxes", "mask", "keypoints", "difficult", "crowd", "captions", "name", "size", "index"})
"""What a baseline is made of; images and masks of single objects would fill the memory."""


def training_sample(data: DataModule, evaluated: int) -> TrainingSample:
    """Scenes of the training split, evenly spread over it; none where it is not here, or cannot be read.

    How many there are depends on nothing but the number of scenes of both splits, so that a baseline is the same each time.

    Args:
        data: asked for what the task needs already.
        evaluated: how many scenes were.
    """
    try:
        prepared = PreparedScenes(data, "train", augment=False)  # without the cache, whose scenes have all fields
        prepared.propose, prepared.invalid = None, "skip"
        prepared.fields_to_load &= KEPT
        total = len(prepared)
        count = min(total, MOST, max(LEAST, evaluated // PART))
        scenes, image_sum = list[Scene](), torch.zeros((), dtype=torch.float64)
        for k in range(count):
            scene = prepared[0, int((k + 0.5) * total / count)]
            if not isinstance(scene, Skipped):
                image_sum = image_sum + scene["image"]
                scenes.append(_reduced(scene))
    except (InputError, OSError):
        return TrainingSample()
    return TrainingSample(scenes, total, image_sum / len(scenes) if scenes else None)


def _reduced(scene: Scene) -> Scene:
    kept: dict[str, Any] = {field: value for field, value in scene.items() if field in KEPT}
    return cast(Scene, kept | {"image": torch.zeros(3, 1, 1, dtype=torch.uint8)})
