"""The pose of one person: what the studies of “Human Pose Estimation” share."""

from __future__ import annotations

from functools import partial
from typing import Any

from datamodules import LSP
from experiments.lectures._length import epochs
from experiments.studies.lazy import L
from experiments.studies.study import Study, Training, Tune
from lightning_modules.networks import TorchvisionBackbone

PoseStudy = partial(
    Study,
    work=Training("pose/small_shapes"),
    tune=Tune(start=3e-3, by="val/PCK20", greatest=True),
)
"""A study of that slide: what all have in common."""
PCK, MEAN_POSE = "test/PCK20", "test/mean_pose_PCK20"
"""Keypoints within a fifth of the torso's length: the network's, and those of the best constant pose."""


def leeds(length: int) -> dict[str, Any]:
    """What the scale ``gpu`` changes: Leeds Sports Pose for ``length`` epochs, with ResNet-18 from ImageNet."""
    return {
        **epochs(length),
        "model.network.backbone": L(TorchvisionBackbone)(name="resnet18", weights="IMAGENET1K_V1"),
        "data": L(LSP)(root="data/lsp", image_size=128, resize_mode="letterbox", batch_size=32),
    }
