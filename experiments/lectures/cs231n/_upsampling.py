"""The ways up, compared on one network: what the studies of unpooling and of checkerboards share, their runs included.

FCN without skips (they would carry positions past the bottleneck), each step up one learned layer: a 3 x 3 convolution
behind a fixed doubling, or a transpose convolution. All layers begin at random, as PyTorch's do: an interpolation to begin with
would hide the checkerboard that a transpose convolution is said to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.studies.results import Runs
from experiments.studies.study import Scale, ScaleName, Tune
from experiments.studies.verdict import Gate

RECIPE = "segmentation/small_shapes"
MIOU = "test/miou"
BORDER = "test/border_accuracy"
ENERGY = "val/phase_energy"
TRIVIAL = 0.25
"""mIoU that one class for all pixels cannot exceed, of four."""

_NETWORK = "model.init_args.network.init_args"


def way(name: str, **arguments: Any) -> dict[str, Any]:
    """An arm: the recipe's network with this class for its steps up."""
    return {f"{_NETWORK}.upsampling": {"class_path": f"lightning_modules.networks.{name}", "init_args": arguments}}


WAYS: Mapping[str, Mapping[str, Any]] = {
    "max unpooling": way("MaxUnpooling"),
    "bed of nails": way("BedOfNails"),
    "bilinear": way("Bilinear"),
    "transpose 2 × 2": way("TransposeConv", kernel_size=2, initialization="random"),
    "transpose 3 × 3": way("TransposeConv", kernel_size=3, initialization="random"),
    "transpose 4 × 4": way("TransposeConv", kernel_size=4, initialization="random"),
    "nearest neighbour": way("NearestNeighbor"),
}

CALLBACKS = [
    {"class_path": "experiments.measures.training.TrainingSet", "init_args": {"samples": 300}},
    {"class_path": "experiments.measures.segmentation.PhaseEnergy"},
    {"class_path": "experiments.measures.segmentation.BorderAccuracy"},
]

TUNE = Tune(start=1e-2, by="trainset/miou", greatest=True)

SCALES: Mapping[ScaleName, Scale] = {
    "cpu": Scale(
        {"trainer.callbacks": CALLBACKS},
        departures=("drawn scenes of 32 × 32 pixels with three classes", "16, 32 and 64 features", "700 steps of 16 images"),
    ),
    "gpu": Scale(
        {
            "trainer.callbacks": CALLBACKS,
            "trainer.max_steps": 4000,
            f"{_NETWORK}.encoder": {
                "class_path": "lightning_modules.networks.ConvEncoder",
                "init_args": {"widths": [64, 64, 64, 64]},
            },
            "data": {
                "class_path": "CamVid",
                "init_args": {
                    "root": "data/camvid",
                    "image_size": [360, 480],
                    "batch_size": 8,
                    "augment": [{"class_path": "albumentations.HorizontalFlip"}],
                },
            },
        },
        departures=("CamVid at 360 × 480, four levels of 64 features as in SegNet-Basic", "4,000 steps of 8 images"),
    ),
}

HELD = "encoder, data, order, steps, one learned layer for each step up, random initialization"


def learns(runs: Runs, *arms: str) -> Gate:
    """These arms beat the best constant prediction."""
    return runs.beats(MIOU, TRIVIAL, arms=arms)


def overlaps(kernel_size: int) -> tuple[float, float]:
    """(least, most) copies of the kernel that are summed in one output of a transpose convolution of stride 2.

    Computed by the network's own layer, from ones with a kernel of ones; away from the edge, where there are fewer.
    """
    import torch

    from lightning_modules.networks import TransposeConv

    layer = TransposeConv(1, 1, kernel_size, initialization="random")
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), (1.0, 0.0), strict=True):
            parameter.fill_(value)
        ones = torch.ones(1, 1, 16, 16)
        counts = layer(ones, torch.zeros(ones.shape, dtype=torch.long), (32, 32))[..., 8:-8, 8:-8]
    return float(counts.min()), float(counts.max())
