"""The ways up, compared on one network: what the studies of unpooling and of checkerboards share, their runs included.

FCN without skips (they would carry positions past the bottleneck), each step up one learned layer: a 3 x 3 convolution
behind a fixed doubling, or a transpose convolution. All layers begin at random, as PyTorch's do: an interpolation to begin with
would hide the checkerboard that a transpose convolution is said to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.segmentation import BorderAccuracy, PhaseEnergy
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale, ScaleName
from experiments.studies.verdict import ValidityCheck
from lightning_modules.networks import BedOfNails, Bilinear, ConvEncoder, MaxUnpooling, NearestNeighbor, TransposeConv

from ._segmentation import BASELINE, MIOU, STREETS, SegmentationStudy

ENERGY = "val/phase_energy"


_STEPS_UP = {
    "max unpooling": L(MaxUnpooling)(),
    "bed of nails": L(BedOfNails)(),
    "bilinear": L(Bilinear)(),
    "transpose 2 × 2": L(TransposeConv)(kernel_size=2, initialization="random"),
    "transpose 3 × 3": L(TransposeConv)(kernel_size=3, initialization="random"),
    "transpose 4 × 4": L(TransposeConv)(kernel_size=4, initialization="random"),
    "nearest neighbour": L(NearestNeighbor)(),
}
WAYS: Mapping[str, Mapping[str, Any]] = {name: {"model.network.upsampling": step} for name, step in _STEPS_UP.items()}
"""Variants by name: the recipe's network with these steps up."""

CALLBACKS = [L(TrainingSet)(samples=300), L(PhaseEnergy)(last=5, every=40), L(BorderAccuracy)()]

SCALES: Mapping[ScaleName, Scale] = {
    "cpu": Scale(
        {"trainer.callbacks": CALLBACKS},
        deviations=("drawn scenes of 32 × 32 pixels with three classes", "16, 32 and 64 features", "700 steps of 16 images"),
    ),
    "gpu": Scale(
        {
            "trainer.callbacks": CALLBACKS,
            "trainer.max_steps": 4000,
            "model.network.encoder": L(ConvEncoder)(widths=[64, 64, 64, 64]),
            "data": STREETS,
        },
        deviations=("CamVid at 360 × 480, four levels of 64 features as in SegNet-Basic", "4,000 steps of 8 images"),
    ),
}

WaysStudy = partial(
    SegmentationStudy,
    controlled="encoder, data, order, steps, one learned layer for each step up, random initialization",
    scales=SCALES,
)
"""A study that compares some of :data:`WAYS`: what all of them have in common."""

MEASURED = ("measured on the logits of a segmentation network, not on a generator's images",)
"""Deviations of those that measure the checkerboard."""

CONTROL_ALONE = Amendment(
    "2026-11-26",
    "that a network beats the best constant prediction is asked of the control variant alone; before, of every variant",
)
CHECKERBOARD_AMENDED = (
    Amendment(
        "2026-11-24",
        "phase means are pooled over all images of a channel; before, they were taken within each image, where content leaks "
        "in: there, on other scenes after 400 steps of 32 images, 3 × 3 had 5.6 times nearest neighbour's energy; since, 700 "
        "of 16",
    ),
    NEW_STATISTICS,
    CONTROL_ALONE,
    Amendment(
        "2026-11-26",
        "the checkerboard is the mean over five of the last steps of a run, 40 steps apart; before, that of the last step "
        "alone",
    ),
)
"""What was changed in those that measure the checkerboard, after they had been run."""


def learns(runs: Runs, *variants: str) -> ValidityCheck:
    """These variants, the control, beat the best constant prediction."""
    return runs.beats(MIOU, BASELINE, variants=variants)


def overlaps(kernel_size: int) -> tuple[float, float]:
    """(least, most) copies of the kernel that are summed in one output of a transpose convolution of stride 2.

    Computed by the network's own layer, from ones with a kernel of ones; away from the edge, where there are fewer.
    """
    layer = TransposeConv(1, 1, kernel_size, initialization="random")
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), (1.0, 0.0), strict=True):
            parameter.fill_(value)
        ones = torch.ones(1, 1, 16, 16)
        counts = layer(ones, torch.zeros(ones.shape, dtype=torch.long), (32, 32))[..., 8:-8, 8:-8]
    return float(counts.min()), float(counts.max())
