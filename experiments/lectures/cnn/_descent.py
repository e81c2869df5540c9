"""How far a training has to go to a loss or an error, for the studies of descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Run

LOSS = "trainset/loss"
"""Of the training set, as :class:`experiments.measures.training.TrainingSet` scores it."""


def descent(budget: int, *, samples: int, every: int, until: dict[str, float] | None = None) -> dict[str, Any]:
    """Changes: a training of at most ``budget`` steps, scored on ``samples`` of its scenes and not tested.

    It is scored ``every`` so many steps, and ends ``until`` when the loss or the error is at this value.
    """
    scored: dict[str, Any] = {"samples": samples, "every": every} | ({"until": until} if until else {})
    return {
        "trainer.max_steps": budget,
        "trainer.limit_test_batches": 0,
        "trainer.callbacks": [L(TrainingSet)(**scored)],
    }


def steps_to(threshold: float) -> Callable[[Run], float]:
    """Optimizer steps to a loss; infinite where the run never had it."""

    def steps(run: Run) -> float:
        return run.steps_to(LOSS, threshold) + 1  # the first step is number 0

    return steps


def slowness(threshold: float, budget: int) -> Callable[[Run], float]:
    """What a variant is tuned by: the steps to the loss; of runs that missed it, those with the higher loss are worse."""

    def slow(run: Run) -> float:
        reached = steps_to(threshold)(run)
        return reached if math.isfinite(reached) else budget * (1 + run.value(LOSS))

    return slow
