"""The weight between two losses is chosen by a metric: the weight of the least loss is not the one that localizes best.

CS231n 2017, lecture 11, “Classification + Localization”, question “the two losses have different units?”. The weight changes
the value of the loss itself, so that losses of different weights do not compare.
"""

from __future__ import annotations

import numpy as np

from experiments.lectures._length import epochs
from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Check, Rule, Verdict

from ._localization import CHANCE, ERROR, LocalizationStudy, scales

WEIGHTS = (1e-3, 0.0316, 1.0, 31.6, 1000.0)
LOSS, CHOICE = "val/loss", "val/localization_error"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the weight of the least total loss localizes at least 5 points worse than the one chosen by the metric."""
    checks = units()
    by_loss = min(runs.variants, key=lambda variant: runs.quantity("", variant, LOSS).estimate)
    by_metric = min(runs.variants, key=lambda variant: runs.quantity("", variant, CHOICE).estimate)
    gap = runs.difference(
        "localization accuracy, weight chosen by the metric − by the loss", by_loss, by_metric, ERROR, needs="≥ 5 points"
    )
    found = runs.quantity("localization accuracy at the weight chosen by the metric", by_metric, _accuracy, scale=100, unit="%")
    each = "; ".join(
        f"{name}: loss {runs.quantity('', name, LOSS).estimate:.2g}, {100 * runs.quantity('', name, _accuracy).estimate:.0f} %"
        for name in runs.variants
    )
    also = (f"Validation loss, its weight included, and test localization accuracy: {each}.",)
    learns = runs.beats(
        ERROR, CHANCE, greater=False, variants=(by_metric,)
    )  # with a bad weight a variant need not: that is the claim
    same = all(check.holds for check in checks)
    return Rule((gap, found), (runs.tuned(), learns), also=also, checks=checks).judge(
        reproduced=same and gap.above(0) and gap.estimate >= 5,
        direction=same and gap.above(0),
        refuted=not same or gap.excludes_above(0),
        because=f"The least total loss is found with {by_loss}, the best validation metric with {by_metric}; on the test set "
        f"the latter localizes {gap.estimate:+.1f} points better.",
    )


def _accuracy(run: Run) -> float:
    return 1 - run.value(ERROR)


def units(side: int = 32, weight: float = 20.0) -> tuple[Check, ...]:
    """Pixels against parts of the side: the same loss and the same gradients, once the weight is divided by side²."""
    rng = np.random.default_rng(0)
    boxes, targets = rng.random((64, 4)), rng.random((64, 4))
    parts = weight * np.mean((boxes - targets) ** 2)
    pixels = weight * np.mean((side * boxes - side * targets) ** 2)
    in_parts = weight * 2 * (boxes - targets) / boxes.size
    # By the chain rule, with respect to the boxes in parts: these are what the network gives in both cases.
    in_pixels = weight / side**2 * 2 * (side * boxes - side * targets) * side / boxes.size
    return (
        Check("box loss in pixels / in parts of the side, same weight", float(pixels / parts), side**2, 1e-12),
        Check("the same with the weight divided by side²", float(pixels / side**2 / parts), 1, 1e-12),
        Check("greatest difference of the gradients then", float(np.abs(in_pixels - in_parts).max()), 0, 1e-12),
    )


study = LocalizationStudy(
    claim="E04",
    says="The two losses have different units; a hyperparameter weighs them. It changes the value of the loss itself, so it is "
    "chosen by another measure than the loss.",
    variants={f"weight {weight:g}": {"model.box_weight": weight} for weight in WEIGHTS},
    controlled="network, data, order, steps; box coordinates in parts of the image's side",
    scales=scales(epochs(6)),
    parts=verdict,
)
