"""What the studies of regularisation share: a net that can learn its few training images by heart."""

from __future__ import annotations

from functools import partial
from typing import Any

from datamodules import CIFAR10
from experiments.lectures._length import steps
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Study, Training, Tune
from experiments.studies.verdict import Effect, Needs

from ._small_net import TEST_ERROR

VALIDATION_ERROR = "val/error"
LOWER = Needs(high=0)
"""The lecture has no figure: that it is lower is all that it says."""

GeneralizationStudy = partial(
    Study,
    slide="Improving Generalization",
    work=Training("classification/few_shapes"),
    tune=Tune(start=0.01, by=VALIDATION_ERROR),
    figure="train/loss",
)
"""A study of that slide: what all have in common."""
DEVIATIONS = ("drawn scenes of 16 × 16 pixels in place of photographs",)


def cifar10(samples: int, count: int) -> dict[str, Any]:
    """Changes of the scale ``gpu``: so many photographs, so many steps of 128."""
    return {"data": L(CIFAR10)(root="data", batch_size=128, workers=8, train_samples=samples), **steps(count)}


def gain(runs: Runs, variant: str, other: str, needs: Needs | None = None, name: str = "") -> Effect:
    """Test error of ``variant`` less that of ``other``; ``name`` stands for a variant that was chosen among several."""
    return runs.difference(f"test error, {name or variant} − {other}", variant, other, TEST_ERROR, needs=needs)
