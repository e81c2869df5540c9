"""Settings that are chosen as a learning rate is: by the tuning seeds, which no verdict is judged on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from experiments.studies.results import Quantity, Run, Runs


def chosen(runs: Runs, variants: Sequence[str], measure: Quantity) -> str:
    """The variant, among those that differ in one setting, whose mean of ``measure`` over the tuning seeds is least.

    Each at its own best learning rate. ``measure`` is one of validation data; a run that diverged is worse than any other.

    Raises:
        ValueError: there is no run with a tuning seed.
    """

    def score(variant: str) -> float:
        own = [run for run in runs.all if run.variant == variant and run.lr == runs.lrs[variant]]
        values = [_finite(run, measure) for run in own if runs.tuning is not None and run.seed >= runs.tuning]
        if not values:
            raise ValueError(f"{variant}: no run with a tuning seed to choose by")
        return sum(values) / len(values)

    return min(variants, key=score)


def _finite(run: Run, measure: Quantity) -> float:
    value = run.value(measure)
    return value if math.isfinite(value) else math.inf
