"""Masks and joints of every object: what the studies of “Mask R-CNN” share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.results import Runs
from experiments.verdict import Gate

RECIPE = "instance_segmentation/small_shapes"
NETWORK = "model.init_args.network"
NETWORK_ARGUMENTS = f"{NETWORK}.init_args"

MASK_AP50, FILLED_AP50 = "test/mask_mAP50", "test/filled_mask_mAP50"
FILLED_BOXES = {"class_path": "experiments.measures_instances.FilledBoxes"}

DRAWN = "drawn rings, crosses, stars and crescents, which fill half of their boxes at most, in place of COCO"
SMALL_MASKS = "masks of 14 × 14 from one convolution of 32 features, in place of 28 × 28 from four of 256"
REAL = "COCO at 512 × 512 pixels, ResNet-50 from ImageNet, three epochs"


def mask_branch(**arguments: Any) -> dict[str, Any]:
    """A change: a mask branch in proportion to small networks, with ``arguments``."""
    own = {"size": 7, "layers": [32], "hidden": 32}
    branch = {"class_path": "lightning_modules.networks.MaskBranch", "init_args": own | arguments}
    return {f"{NETWORK_ARGUMENTS}.masks": branch}


def knows_shapes(runs: Runs, arms: Sequence[str]) -> Gate:
    """The masks of these arms beat the boxes themselves, filled."""
    return runs.beats(lambda run: run.value(MASK_AP50) - run.value(FILLED_AP50), 0.0, arms=arms)


def coco(name: str = "COCO") -> Mapping[str, Any]:
    """What a study changes at scale ``gpu``, its trunk excepted."""
    return {
        "trainer.max_epochs": 3,
        "trainer.check_val_every_n_epoch": 3,
        f"{NETWORK_ARGUMENTS}.candidates": 1000,
        f"{NETWORK_ARGUMENTS}.proposals": 300,
        f"{NETWORK_ARGUMENTS}.samples": 128,
        f"{NETWORK_ARGUMENTS}.rpn_samples": 256,
        f"{NETWORK_ARGUMENTS}.head": {
            "class_path": "lightning_modules.networks.SoftmaxHead",
            "init_args": {
                "layers": {"class_path": "lightning_modules.networks.FullyConnected", "init_args": {"widths": [1024, 1024]}}
            },
        },
        f"{NETWORK_ARGUMENTS}.max_detections": 100,
        "data": {
            "class_path": name,
            "init_args": {
                "root": "data/coco",
                "image_size": 512,
                "fit": "letterbox",
                "batch_size": 16,
                "invalid": "skip",
                "augment": [{"class_path": "albumentations.HorizontalFlip"}],
            },
        },
    }


def resnet(strides: Sequence[int]) -> dict[str, Any]:
    """ResNet-50 from ImageNet, as configuration: with the batch normalisation and the first stages that it came with."""
    arguments = {"name": "resnet50", "weights": "IMAGENET1K_V1", "strides": list(strides), "frozen": 2, "frozen_norm": True}
    return {"class_path": "lightning_modules.networks.TorchvisionTrunk", "init_args": arguments}


def pyramid() -> dict[str, Any]:
    """A change: ResNet-50 with a feature pyramid, and anchors from 32 pixels on."""
    trunk = {"class_path": "lightning_modules.networks.FPN", "init_args": {"trunk": resnet([4, 8, 16, 32])}}
    return {f"{NETWORK_ARGUMENTS}.trunk": trunk, f"{NETWORK_ARGUMENTS}.anchor_scales": [8.0, 16.0]}
