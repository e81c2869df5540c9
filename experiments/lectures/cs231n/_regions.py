"""R-CNN, SPP-net, Fast and Faster R-CNN on the same scenes: the arms and scales that the studies of the family share.

All have the same trunk, which has learned to classify other shapes before, and two fully connected layers of the same width on
each region. Arms name what they change one key at a time, so that a scale may change the trunk of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.results import Runs
from experiments.study import Arm, Scale, ScaleName, Training, Tune
from experiments.verdict import Effect, Gate

RECIPE = "detection/regions_small_shapes"
TRAINING = Training(RECIPE)

AP = "test/mAP_voc07"
"""The eleven-point average precision at an IoU of 0.5 that PASCAL VOC 2007, and so the papers, have."""

TUNE = Tune(
    start=2e-3,
    by="val/mAP_voc07",
    greatest=True,
    own_start={"Fast R-CNN": 6.32e-3, "Fast R-CNN with RoIAlign": 6.32e-3, "Fast R-CNN in stages": 6.32e-4},
)

EPOCHS = 10
"""Of Fast and Faster R-CNN, and of what differs from them in one thing."""
RCNN_EPOCHS = 6
"""Of R-CNN's fine-tuning, whose epoch costs about as much as three of Fast R-CNN's."""

WIDTHS = [128, 128]
"""Of the two fully connected layers."""

TRUNK = "model.init_args.network.init_args.trunk"
_NETWORK = "model.init_args.network.class_path"
_ARGUMENTS = "model.init_args.network.init_args"


# Arms -----------------------------------------------------------------------------------------------------------------


def _head(name: str) -> dict[str, Any]:
    layers = {"class_path": "lightning_modules.networks.FullyConnected", "init_args": {"widths": WIDTHS}}
    return {"class_path": f"lightning_modules.networks.{name}", "init_args": {"layers": layers}}


def _pooling(name: str = "RoIPool") -> dict[str, Any]:
    return {"class_path": f"lightning_modules.networks.boxes.{name}", "init_args": {"size": 4}}


def _epochs(count: int) -> dict[str, Any]:
    return {"trainer.max_epochs": count, "trainer.check_val_every_n_epoch": count}


def fast(*, pooling: str = "RoIPool", epochs: int = EPOCHS) -> dict[str, Any]:
    """Fast R-CNN: class and box in one network, trained at once and through the pooling."""
    return {
        "model.class_path": "RegionDetection",
        _NETWORK: "lightning_modules.networks.FastRCNN",
        f"{_ARGUMENTS}.pooling": _pooling(pooling),
        f"{_ARGUMENTS}.head": _head("SoftmaxHead"),
        **_epochs(epochs),
    }


def fast_in_stages() -> dict[str, Any]:
    """Fast R-CNN's network trained as R-CNN was: log loss, then SVMs, then regressors of boxes."""
    return {
        **fast(epochs=EPOCHS + 1),  # the last epoch writes features
        "model.class_path": "StagedDetection",
        f"{_ARGUMENTS}.head": _head("StagedHead"),
    }


def fast_in_two_stages() -> dict[str, Any]:
    """The same without SVMs: log loss, then regressors of boxes; the rate is the one that suits the softmax."""
    return {**fast_in_stages(), "model.init_args.svms": None}


def frozen(levels: Sequence[int]) -> dict[str, Any]:
    """As Fast R-CNN, but nothing is trained through the pooling; of one level of 4, it is the same network."""
    return {
        "model.class_path": "RegionDetection",
        _NETWORK: "lightning_modules.networks.SPPNet",
        f"{_ARGUMENTS}.levels": list(levels),
        f"{_ARGUMENTS}.head": _head("SoftmaxHead"),
        **_epochs(EPOCHS),
    }


def rcnn(epochs: int = RCNN_EPOCHS) -> dict[str, Any]:
    """R-CNN: ``epochs`` of fine-tuning, then features on disk, SVMs and regressors of boxes."""
    return {
        "model.class_path": "StagedDetection",
        _NETWORK: "lightning_modules.networks.RCNN",
        f"{_ARGUMENTS}.crop": 32,
        f"{_ARGUMENTS}.grid": 4,
        f"{_ARGUMENTS}.samples": 32,
        f"{_ARGUMENTS}.head": _head("StagedHead"),
        **_epochs(1 + epochs),
    }


def faster(without: str = "") -> dict[str, Any]:
    """Faster R-CNN, with all of its four losses or ``without`` one."""
    own: dict[str, Any] = {_NETWORK: "lightning_modules.networks.FasterRCNN"}
    if without:
        own = {_NETWORK: f"{__package__}._without_a_loss.FasterRCNNWithout", f"{_ARGUMENTS}.without": without}
    return {
        "model.class_path": "Detection",
        **own,
        f"{_ARGUMENTS}.pooling": _pooling(),
        f"{_ARGUMENTS}.head": _head("SoftmaxHead"),
        f"{_ARGUMENTS}.anchor_scales": [4.0, 6.0, 8.0],
        f"{_ARGUMENTS}.proposals": 75,  # about as many as selective search finds
        f"{_ARGUMENTS}.samples": 64,
        f"{_ARGUMENTS}.nms_threshold": 0.3,
        **_epochs(EPOCHS),
    }


# Names of the arms that several studies have.
RCNN, NOT_TUNED, SCRATCH = "R-CNN", "R-CNN, not fine-tuned", "R-CNN, from scratch"
FAST, IN_STAGES, FROZEN, PYRAMID = "Fast R-CNN", "Fast R-CNN in stages", "Fast R-CNN, trunk frozen", "SPP-net"
TWO_STAGES = "Fast R-CNN in two stages"
FASTER = "Faster R-CNN"

NOT_FINE_TUNED = Arm(rcnn(0), rate_of=RCNN)  # no step is taken, and so the rate is of no account

# Scales ---------------------------------------------------------------------------------------------------------------

MEASURES = [
    {"class_path": f"experiments.measures_regions.{name}"}
    for name in ("TrainingSeconds", "AnswersInParts", "BoxCorrections", "ProposalRecall")
]

PRETRAINED = {
    "class_path": "experiments.pretraining.PretrainedTrunk",
    "init_args": {
        "data": {
            "class_path": "Shapes",
            "init_args": {
                "image_size": 32,
                "batch_size": 64,
                "workers": 0,
                "train": 2000,
                "scene_seed": 1,
                "style": {
                    "classes": ["ellipse", "bar", "crescent", "heart", "arrow", "bolt"],
                    "objects": [1, 1],
                    "object_size": [0.5, 0.8],
                    "clutter": 0.3,
                },
            },
        },
        "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 5e-3}},
        "epochs": 4,
    },
}

CPU = Scale(
    {"trainer.callbacks": [PRETRAINED, *MEASURES]},
    departures=(
        "200 drawn scenes of 64 × 64 pixels with one or two objects of six classes, in place of VOC 2007",
        "a trunk of four convolutions that has classified 2,000 drawings of six other shapes, in place of ImageNet",
        "about 75 proposals an image, found by selective search at one scale: drawn objects are easier to find than real ones",
    ),
)

VOC_2007: Mapping[str, Any] = {
    "class_path": "VOC",
    "init_args": {
        "root": "data",
        "year": 2007,
        "image_size": [320, 448],
        "fit": "letterbox",
        "batch_size": 8,
        "invalid": "skip",
        "proposals": {"class_path": "datamodules.SelectiveSearch"},
        "augment": [{"class_path": "albumentations.HorizontalFlip"}],
    },
}


def scales(arms: Sequence[str]) -> Mapping[ScaleName, Scale]:
    """``cpu``, and ``gpu`` with what it changes in some of the study's ``arms``."""
    own: dict[str, dict[str, Any]] = {
        "R-CNN": {f"{_ARGUMENTS}.crop": 112},
        "Faster R-CNN": {f"{_ARGUMENTS}.anchor_scales": [4.0, 8.0, 16.0], f"{_ARGUMENTS}.proposals": 300},
    }
    trunk = {
        "class_path": "lightning_modules.networks.TorchvisionTrunk",
        "init_args": {"name": "resnet18", "weights": "IMAGENET1K_V1", "strides": [16], "frozen_norm": True},
    }
    return {
        "cpu": CPU,
        "gpu": Scale(
            {"data": VOC_2007, TRUNK: trunk, "trainer.callbacks": MEASURES},
            departures=(
                "VOC 2007 at 320 × 448 pixels, ResNet-18's ImageNet weights, R-CNN's crops of 112 pixels",
                "two fully connected layers of 128, as on drawn scenes",
            ),
            start=2e-4,
            arms={arm: own[of] for arm in arms for of in own if arm.startswith(of)},
        ),
    }


# Measures -------------------------------------------------------------------------------------------------------------

SOFTMAX, SVM, UNMOVED = (f"{part}/mAP_voc07" for part in ("softmax", "svm", "unmoved"))
"""AP of a part of the answer, on the test set (see :class:`AnswersInParts`)."""


def within(runs: Runs, name: str, arm: str, after: str, before: str, **kwargs: Any) -> Effect:
    """The difference of two measures of the same runs, in percentage points."""
    return runs.quantity(name, arm, lambda run: run.value(after) - run.value(before), scale=100, unit="points", **kwargs)


def between(runs: Runs, name: str, arm: str, measure: str, other: str, other_measure: str, **kwargs: Any) -> Effect:
    """``measure`` of one arm less ``other_measure`` of another, seed by seed, in percentage points."""
    pairs = zip(runs.values(arm, measure), runs.values(other, other_measure), strict=True)
    return Effect(name, tuple(100 * (a - b) for a, b in pairs), "points", **kwargs)


# Gates ----------------------------------------------------------------------------------------------------------------


def learns(runs: Runs, *arms: str) -> Gate:
    """The arms beat a detector that finds nothing, whose AP is 0."""
    return runs.beats(AP, 0.0, arms=arms)
