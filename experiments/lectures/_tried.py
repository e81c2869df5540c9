"""Learning rates of measurements that train nets themselves: tried on tuning seeds, which no verdict is judged on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from experiments.studies.plan import walk
from experiments.studies.results import Quantity, Runs
from experiments.studies.study import TUNING_SEED
from experiments.studies.verdict import ValidityCheck

TUNING = (TUNING_SEED, TUNING_SEED + 1)
"""The seeds, of data and weights, whose mean score decides."""
INSIDE = "rate inside its grid"
"""The measured value that says so: 1, or 0 where the best rate is the least or the greatest of those tried."""


class Tried(NamedTuple):
    """A learning rate that was chosen."""

    lr: float
    inside: float
    """What :data:`INSIDE` is to be."""


def best_lr(score: Callable[[float, int], float], start: float, seeds: Sequence[int] = TUNING) -> Tried:
    """The rate of the least score, from ``start`` on a grid of steps of √10 that is walked until the best is inside.

    Args:
        score: of a rate and a seed: an error on validation data, the less the better.
        start: the middle of the first three rates.
        seeds: whose mean score counts.
    """

    def lr(place: int) -> float:
        return float(f"{start * 10 ** (place / 2):.3g}")

    scores: dict[int, float] = {}
    while missing := [place for place in walk(scores) if place not in scores]:
        for place in missing:
            found = [score(lr(place), seed) for seed in seeds]
            scores[place] = sum(found) / len(found) if all(map(math.isfinite, found)) else math.inf
    best = min(sorted(scores), key=lambda place: scores[place])
    return Tried(lr(best), float(min(scores) < best < max(scores)))


def rates_inside(runs: Runs, *variants: str, value: Quantity = INSIDE) -> ValidityCheck:
    """Each variant's best learning rate lies inside the grid that was walked: of all, or of these."""
    outside = [v for v in variants or runs.variants if not all(inside == 1 for inside in runs.values(v, value))]
    return ValidityCheck("every variant's best learning rate lies inside its grid", not outside, ", ".join(outside))
