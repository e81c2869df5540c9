"""Masks and keypoints of every object: what the studies of “Mask R-CNN” share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from datamodules import COCO
from experiments.lectures._augmentations import FLIP
from experiments.lectures._length import epochs
from experiments.measures.instances import FilledBoxes
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Study, Training
from experiments.studies.verdict import ValidityCheck
from lightning_modules.networks import FPN, FullyConnected, MaskBranch, SoftmaxHead, TorchvisionBackbone

MASK_AP50, FILLED_AP50 = "test/mask_mAP50", "test/filled_mask_mAP50"
FILLED_BOXES = L(FilledBoxes)()

MaskStudy = partial(Study, work=Training("instance_segmentation/small_shapes"))
"""A study of Mask R-CNN's masks: what all have in common."""

DRAWN = "drawn rings, crosses, stars and crescents, which fill half of their boxes at most, in place of COCO"
SMALL_MASKS = "masks of 14 × 14 from one convolution of 32 features, in place of 28 × 28 from four of 256"
REAL = "COCO at 512 × 512 pixels, ResNet-50 from ImageNet, three epochs"


def mask_branch(**arguments: Any) -> dict[str, Any]:
    """A change: a mask branch in proportion to small networks, with ``arguments``."""
    return {"model.network.masks": L(MaskBranch)(**{"size": 7, "layers": [32], "hidden": 32} | arguments)}


def knows_shapes(runs: Runs, variants: Sequence[str]) -> ValidityCheck:
    """The masks of these variants beat the boxes themselves, filled."""
    return runs.beats(lambda run: run.value(MASK_AP50) - run.value(FILLED_AP50), 0.0, variants=variants)


def coco(data: type[COCO] = COCO) -> dict[str, Any]:
    """What a study changes at scale ``gpu``, its backbone excepted."""
    return {
        **epochs(3),
        "model.network.candidates": 1000,
        "model.network.proposals": 300,
        "model.network.samples": 128,
        "model.network.rpn_samples": 256,
        "model.network.head": L(SoftmaxHead)(layers=L(FullyConnected)(widths=[1024, 1024])),
        "model.network.max_detections": 100,
        "data": L(data)(
            root="data/coco", image_size=512, resize_mode="letterbox", batch_size=16, invalid="skip", augment=[FLIP]
        ),
    }


def resnet(*strides: int) -> dict[str, Any]:
    """ResNet-50 from ImageNet, with the batch normalisation and the first stages that it came with."""
    backbone: dict[str, Any] = L(TorchvisionBackbone)(
        name="resnet50", weights="IMAGENET1K_V1", strides=strides, frozen=2, frozen_norm=True
    )
    return backbone


def pyramid() -> dict[str, Any]:
    """Changes: ResNet-50 with a feature pyramid, and anchors from 32 pixels on."""
    return {"model.network.backbone": L(FPN)(backbone=resnet(4, 8, 16, 32)), "model.network.anchor_scales": [8.0, 16.0]}
