"""Settings that are chosen as a learning rate is: by the tuning seeds, which no verdict is judged on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from experiments.studies.results import Quantity, Run, Runs
from experiments.studies.verdict import ValidityCheck


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


def inside(runs: Runs, variants: Sequence[str], measure: Quantity) -> ValidityCheck:
    """The one that is :func:`chosen` is neither the first nor the last of those that were tried, which stand in order.

    Beyond an end there may be a better one: what is then missing is not the claim's, but the choice's.
    """
    best = chosen(runs, variants, measure)
    end = {variants[0]: "least", variants[-1]: "greatest"}.get(best)
    return ValidityCheck(
        "the setting that is chosen lies inside those tried", end is None, f"{best} is the {end}" if end else ""
    )


def _finite(run: Run, measure: Quantity) -> float:
    value = run.value(measure)
    return value if math.isfinite(value) else math.inf
