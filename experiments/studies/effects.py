"""Effects: quantities and comparisons with one number a seed, their intervals, and where each stands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .levels import Level
from .needs import Needs
from .statistics import CONFIDENCE, Interval, detectable, median_interval, seeds_needed, t_interval

Bound = Literal["", ">", "<", "?"]
"""What a number is where a run did not reach its threshold: exact, a lower bound, an upper bound, or nothing at all."""

NEXT = 1e-9
"""How far beyond a bound, relatively, an interval is moved to see which level lies there."""


@dataclass(frozen=True)
class Effect:
    """A quantity, or a comparison of two variants, with one number for each seed."""

    name: str
    by_seed: tuple[float, ...]
    unit: str = ""
    """Of the numbers: ``points`` are percentage points, ``x`` marks a ratio."""
    needs: Needs | None = None
    """What the claim needs of it; None where it is shown and not judged."""
    paper: float | None = None
    """What the paper has, in the same unit."""
    bounds: tuple[Bound, ...] = ()
    """For each seed, what kind of number it is; empty where all are exact."""
    variants: tuple[str, ...] = ()
    """What is compared: the variant and the other; or the one that is measured."""

    @property
    def is_ratio(self) -> bool:
        return self.unit == "x"

    @property
    def is_finite(self) -> bool:
        """Whether it was measured in every seed."""
        known = bool(self.by_seed) and all(math.isfinite(v) for v in self.by_seed)
        return known and (not self.is_ratio or min(self.by_seed) > 0)

    @property
    def estimate(self) -> float:
        """The mean over seeds, of ratios the geometric one; the median where some are bounds."""
        if not self.is_finite:
            return math.nan
        numbers = self._numbers()
        return self._back(float(np.median(numbers)) if any(self.bounds) else float(np.mean(numbers)))

    @property
    def interval(self) -> Interval:
        """Low and high of the 95 % interval over seeds; open where it is not known."""
        return self.interval_at(CONFIDENCE)

    def interval_at(self, confidence: float) -> Interval:
        """Student's t, of ratios that of their logarithms; where some numbers are bounds, the median's by order statistics."""
        if not self.is_finite:
            return (0.0 if self.is_ratio else -math.inf), math.inf
        numbers = self._numbers()
        if any(self.bounds):
            kinds = list(zip(numbers, self.bounds, strict=True))
            lows = [v if kind in ("", ">") else -math.inf for v, kind in kinds]
            low, high = median_interval(lows, [v if kind in ("", "<") else math.inf for v, kind in kinds], confidence)
        else:
            low, high = t_interval(numbers, confidence)
        return self._back(low), self._back(high)

    @property
    def spread(self) -> float:
        """Standard deviation over seeds (n - 1); 0 of a single one."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else 0.0

    @property
    def level(self) -> Level:
        """Where it stands by its need; an effect without one is not judged.

        Raises:
            ValueError: it has no need.
        """
        if self.needs is None:
            raise ValueError(f"{self.name}: no need to judge it by")
        if not self.is_finite or "?" in self.bounds:
            return Level.INCONCLUSIVE
        return self._level(0.0)

    def _level(self, shift: float) -> Level:
        """As :attr:`level`, were all numbers greater by ``shift``; of a ratio, their logarithms."""
        assert self.needs is not None
        wide, narrow = (self._moved(self.interval_at(c), shift) for c in (CONFIDENCE, 0.9))
        return self.needs.level(wide, narrow, self.is_ratio)

    def nearest(self) -> tuple[Level, float] | None:
        """What would change its level with least: the level, and how far the interval would have to move.

        In the effect's unit; of a ratio the factor. None where it is not judged, or nothing would.
        """
        if self.needs is None or not self.is_finite or len(self.by_seed) < 2:
            return None
        now, best = self.level, None
        edges = [*self.interval_at(CONFIDENCE), *self.interval_at(0.9)]
        for bound in self.needs.bounds(self.is_ratio):
            for edge in edges:
                if not math.isfinite(edge) or (self.is_ratio and min(edge, bound) <= 0):
                    continue
                exact = self._forward(bound) - self._forward(edge)
                for shift in (exact - NEXT * max(1.0, abs(exact)), exact + NEXT * max(1.0, abs(exact))):
                    if (level := self._level(shift)) is not now and (best is None or abs(shift) < abs(best[1])):
                        best = (level, shift)
        return best and (best[0], math.exp(best[1]) if self.is_ratio else best[1])

    def detectable(self) -> float:
        """The smallest effect that this design finds in 80 of 100 repetitions; of a ratio, as a factor from no effect."""
        if not self.is_finite:
            return math.inf
        return self._back(detectable(self._numbers()))

    def seeds_needed(self) -> int | None:
        """The seeds that would tell the estimate from the nearest bound of its need, in 80 of 100 repetitions."""
        if self.needs is None or not self.is_finite:
            return None
        middle = self._forward(self.estimate)
        places = [self._forward(b) for b in self.needs.bounds(self.is_ratio) if not self.is_ratio or b > 0]
        return seeds_needed(self._numbers(), min((abs(middle - place) for place in places), default=math.inf))

    def _numbers(self) -> list[float]:
        return [self._forward(value) for value in self.by_seed]

    def _forward(self, value: float) -> float:
        """To where effects add up: the logarithm of a ratio."""
        return math.log(value) if self.is_ratio else value

    def _back(self, value: float) -> float:
        if not self.is_ratio:
            return value
        return math.exp(value) if value < 700 else math.inf

    def _moved(self, interval: Interval, shift: float) -> Interval:
        move: Callable[[float], float] = (lambda v: v * math.exp(shift)) if self.is_ratio else (lambda v: v + shift)
        return (interval[0], interval[1]) if shift == 0 else (move(interval[0]), move(interval[1]))

    def __str__(self) -> str:
        low, high = self.interval
        unit = f" {'×' if self.is_ratio else self.unit}" if self.unit else ""
        mark = "≥ " if ">" in self.bounds else "≤ " if "<" in self.bounds else ""
        return f"{self.name}: {mark}{self.estimate:.3g}{unit} [{low:.3g}, {high:.3g}]"
