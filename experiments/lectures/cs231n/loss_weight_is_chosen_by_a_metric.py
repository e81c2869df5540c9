"""The weight between two losses is chosen by a metric: the weight of the least loss is not the one that localizes best.

CS231n 2017, lecture 11, “Classification + Localization”, question “the two losses have different units?”. The weight changes
the value of the loss itself, so that losses of different weights do not compare.
"""

from __future__ import annotations

import numpy as np

from experiments.lectures._amended import NEW_STATISTICS
from experiments.lectures._chosen import chosen
from experiments.lectures._length import epochs
from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment, Tune
from experiments.studies.verdict import Check, Needs, Part

from ._localization import CHOICE, ERROR, PLAIN_SGD, LocalizationStudy, learns, scales

WEIGHTS = (1e-3, 0.0316, 1.0, 31.6, 1000.0)
LOSS = "val/loss"
UNITS = "두 개의 Loss 단위가 달라서 Gradient 계산에 문제가 생기진 않는지?"
BY_METRIC = (
    "이 Hyperparameter는 손실함수의 값 자체를 바꾼다. 지금까지의 Hyperparameter와는 다르고, 조절하는 것이 어렵다. "
    "따라서 Loss 값으로 비교하지 않고 다른 성능 지표를 도입하여 조절한다."
)


def parts(runs: Runs) -> dict[str, Part]:
    """a: the weight that is chosen by validation error localizes better on the test set than the one of the least validation
    loss, its weight included (direction), by at least 5 points (reproduced). Both are chosen with the seeds that chose the
    rates. b: with boxes in pixels, loss and gradients are the same once the weight is divided by the square of the side."""
    by_loss, by_metric = (chosen(runs, runs.variants, measure) for measure in (LOSS, CHOICE))
    gap = runs.difference(
        "localization accuracy, weight chosen by the metric − by the loss", by_loss, by_metric, ERROR, needs=Needs(low=5)
    )
    found = runs.quantity("localization accuracy at the weight chosen by the metric", by_metric, _accuracy, scale=100, unit="%")
    each = "; ".join(
        f"{v}: loss {runs.quantity('', v, LOSS).estimate:.2g}, {100 * runs.quantity('', v, _accuracy).estimate:.0f} %"
        for v in runs.variants
    )
    return {
        "a": Part(
            says=BY_METRIC,
            effects=(gap,),
            shown=(found,),
            # With a bad weight a variant need not learn: that is the claim.
            validity_checks=(runs.tuned(by_loss, by_metric), learns(runs, by_metric)),
            also=(f"Validation loss, its weight included, and test localization accuracy: {each}.",),
            because=f"The least total loss is found with {by_loss}, the best validation metric with {by_metric}; on the "
            f"test set the latter localizes {gap.estimate:+.1f} points better.",
        ),
        "b": Part(says=UNITS, checks=units(), because="A unit is a weight, and no more than that."),
    }


def _accuracy(run: Run) -> float:
    return 1 - run.value(ERROR)


def units(side: int = 32, weight: float = 20.0) -> tuple[Check, ...]:
    """Pixels against parts of the side: the same loss and the same gradients, once the weight is divided by side²."""
    rng = np.random.default_rng(0)
    boxes, targets = rng.random((64, 4)), rng.random((64, 4))
    relative = weight * np.mean((boxes - targets) ** 2)
    pixels = weight * np.mean((side * boxes - side * targets) ** 2)
    in_parts = weight * 2 * (boxes - targets) / boxes.size
    # By the chain rule, with respect to the boxes in parts: these are what the network gives in both cases.
    in_pixels = weight / side**2 * 2 * (side * boxes - side * targets) * side / boxes.size
    return (
        Check("box loss in pixels / in parts of the side, same weight", float(pixels / relative), side**2, 1e-12),
        Check("the same with the weight divided by side²", float(pixels / side**2 / relative), 1, 1e-12),
        Check("greatest difference of the gradients then", float(np.abs(in_pixels - in_parts).max()), 0, 1e-12),
    )


study = LocalizationStudy(
    claim="E04",
    says=BY_METRIC,
    translation="This hyperparameter changes the value of the loss function itself. It differs from the hyperparameters so far "
    "and is hard to set. So values of the loss are not compared: another measure of performance is brought in to set it.",
    slide="Classification + Localization, …pdf-0049, question “두 개의 Loss 단위가 달라서 …”",
    variants={f"weight {weight:g}": {"model.box_weight": weight} for weight in WEIGHTS},
    tune=Tune(start=0.1, by=CHOICE),
    controlled="network, data, order, steps, plain SGD; box coordinates in parts of the image's side",
    scales=scales({**PLAIN_SGD, **epochs(6)}, PLAIN_SGD),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "plain SGD in place of AdamW, which divides a gradient by its size and so undoes much of what the weight does; "
            "both weights are chosen on seeds that are not judged, where the judged ones' validation set chose; the identity "
            "about units is a part of its own",
        ),
    ),
)
