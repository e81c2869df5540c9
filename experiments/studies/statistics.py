"""Intervals over seeds: Student's t, of logarithms for ratios, and of the median where some numbers are only bounds.

Everything here is a function of numbers alone. Sources: Student 1908; Schuirmann 1987 (two one-sided tests); the interval of a
median by order statistics is that of Conover 1999, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

CONFIDENCE = 0.95
POWER = 0.8
"""With which the smallest detectable effect would have been found."""

Interval = tuple[float, float]
"""Low and high."""

# scipy.stats is imported where it computes: that takes half a second, and whoever shows records computes nothing.

MOST_SEEDS = 10_000
"""Beyond which a number of seeds is no advice."""


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval of the mean: (low, high).

    Of numbers that are all equal, such as counts of operations, it is that number; of a single one it is not known, and open.
    """
    numbers = np.asarray(values, float)
    if len(numbers) < 2:
        return -math.inf, math.inf
    half = _quantile((1 + confidence) / 2, len(numbers) - 1) * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))
    if np.ptp(numbers) == 0:
        half = 0.0  # the standard deviation of equal numbers is a rounding error
    return float(numbers.mean()) - half, float(numbers.mean()) + half


def median_interval(lows: Sequence[float], highs: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """An interval of the median of numbers of which each is only known to lie from ``lows[i]`` to ``highs[i]``.

    By order statistics, and so without any law of the numbers. Fewer than six numbers have none at 95 %: it is open then.
    """
    from scipy import stats

    count = len(lows)
    rank = int(stats.binom.ppf((1 - confidence) / 2, count, 0.5))
    if rank < 1:
        return -math.inf, math.inf
    return sorted(lows)[rank - 1], sorted(highs)[count - rank]


def detectable(values: Sequence[float]) -> float:
    """The distance from a bound at which a true mean would leave the interval clear of it in 80 of 100 repetitions."""
    return _reach(len(values)) * float(np.std(values, ddof=1)) if len(values) > 1 else math.inf


def seeds_needed(values: Sequence[float], distance: float) -> int | None:
    """The seeds that would tell a mean at ``distance`` from a bound, in 80 of 100 repetitions; None where too many would."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else math.inf
    if not 0 < distance < math.inf or not math.isfinite(spread):
        return None
    count = 2
    while _reach(count) * spread > distance:
        count = max(count + 1, int(count * 1.1))
        if count > MOST_SEEDS:
            return None
    return count


def _reach(count: int) -> float:
    """In standard deviations of one number."""
    return (_quantile((1 + CONFIDENCE) / 2, count - 1) + _quantile(POWER, count - 1)) / math.sqrt(count)


@cache
def _quantile(share: float, freedom: int) -> float:
    from scipy import stats  # takes a third of a second

    return float(stats.t.ppf(share, freedom))
