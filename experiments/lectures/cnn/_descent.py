"""How far a training has to go to a loss, for the studies of descent."""

from __future__ import annotations

import math
from collections.abc import Callable

from experiments.studies.results import Run

LOSS = "trainset/loss"
"""Of the training set, as :class:`experiments.measures.training.TrainingSet` scores it."""


def steps_to(threshold: float) -> Callable[[Run], float]:
    """Optimizer steps to a loss; infinite where the run never had it."""

    def steps(run: Run) -> float:
        return run.steps_to(LOSS, threshold) + 1  # the first step is number 0

    return steps


def slowness(threshold: float, budget: int) -> Callable[[Run], float]:
    """What an arm is tuned by: the steps to the loss; of runs that missed it, those with the higher loss are worse."""

    def slow(run: Run) -> float:
        reached = steps_to(threshold)(run)
        return reached if math.isfinite(reached) else budget * (1 + run.value(LOSS))

    return slow
