"""The nets of the studies on depth: plain and residual, shallow and deep, with the same parameters pair by pair."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from experiments.measures.training import TestSet, TrainingSet
from experiments.studies.lazy import L
from experiments.studies.study import Scale, ScaleName, Study, Training, Tune, Variant
from lightning_modules.networks import CifarNet

STEPS = 300
ERROR, TEST_ERROR = "trainset/error", "testset/error"
"""Both with the statistics of the batches that are scored."""
RUNNING = "test/error"
"""Of the same test scenes, with the running statistics."""
CHANCE = 5 / 6
"""Error of one guess among six classes."""


def variant(depth: int, residual: bool, *, budget: int = 1, lr_of: str | None = None) -> Variant:
    """``budget``: how many times the steps of the others."""
    network = L(CifarNet)(depth=depth, residual=residual, width=8)
    steps = {"trainer.max_steps": budget * STEPS} if budget > 1 else {}
    return Variant({"model.network": network, **steps}, lr_of)


SCALES: Mapping[ScaleName, Scale] = {
    "cpu": Scale(
        # The fixed sets in batches' own statistics: after 300 steps the running ones lag behind, most in deep nets.
        {"trainer.callbacks": [L(TrainingSet)(every=100, batch_stats=True), L(TestSet)(batch_stats=True)]},
        deviations=("width 8 in place of 16", "drawn scenes of 16 × 16 pixels in place of CIFAR-10", "300 steps of 64 images"),
    ),
}


def nets(*names: str) -> dict[str, Variant]:
    """Variants by the names of their nets, such as ``residual-56``."""
    kinds = {name: name.split("-") for name in names}
    return {name: variant(int(depth), residual=kind == "residual") for name, (kind, depth) in kinds.items()}


DepthStudy = partial(
    Study, work=Training("classification/cifar_nets_shapes"), tune=Tune(start=0.0316, by=ERROR), scales=SCALES, figure=ERROR
)
"""A study of depth: what all have in common."""
