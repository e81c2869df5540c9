"""What a claim needs of a number, written once: the rule, the words and the band in the figure all come from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .levels import Level
from .statistics import Interval


@dataclass(frozen=True)
class Needs:
    """From ``low`` to ``high``, as the lecture or the paper has it, never from a pilot.

    Raises:
        ValueError: it is no range, it holds every number, or its margin is not positive.
    """

    low: float = -math.inf
    high: float = math.inf
    null: float | None = None
    """Where there would be no effect: 0 of a difference, 1 of a ratio. Of a threshold what a trivial baseline has, if it has
    anything."""
    margin: float | None = None
    """Around ``null``, in the effect's unit (of a ratio as a difference from 1): an effect within it counts as none."""
    absolute: bool = False
    """A threshold of one variant's own figure. To miss it refutes nothing."""

    def __post_init__(self) -> None:
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise ValueError(f"needs from {self.low:g} to {self.high:g}: a range with one end at least expected")
        if self.margin is not None and not self.margin > 0:
            raise ValueError(f"a margin of {self.margin:g}: more than 0 expected")

    def neutral(self, ratio: bool) -> float | None:
        """The effect that would be none; None for a threshold without a baseline."""
        if self.null is not None or self.absolute:
            return self.null
        return 1.0 if ratio else 0.0

    def direction(self, ratio: bool) -> int:
        """The claimed side of :meth:`neutral`: 1 above, -1 below, 0 where «no effect» is what is claimed, or allowed."""
        null = self.neutral(ratio)
        if null is None:
            return 0
        return 1 if null <= self.low else -1 if null >= self.high else 0

    def holds(self, interval: Interval, ratio: bool) -> bool:
        """Whether all of the interval lies inside; an end at no effect is outside."""
        null = self.neutral(ratio)
        above = interval[0] > self.low or (interval[0] == self.low != null)
        below = interval[1] < self.high or (interval[1] == self.high != null)
        return above and below

    def level(self, interval: Interval, narrow: Interval, ratio: bool) -> Level:
        """Where an effect stands.

        Args:
            interval: its 95 % interval.
            narrow: its 90 % interval, which lies within the margin where two one-sided tests at 5 % say so.
            ratio: whether it is a ratio.
        """
        if self.holds(interval, ratio):
            return Level.REPRODUCED
        side, null = self.direction(ratio), self.neutral(ratio)
        if side == 0 or null is None:
            outside = interval[1] <= self.low or interval[0] >= self.high
            return Level.NOT_REPRODUCED if outside and not self.absolute else Level.INCONCLUSIVE
        near, far = (interval[0] - null, interval[1] - null) if side > 0 else (null - interval[1], null - interval[0])
        if near > 0:
            return Level.DIRECTION_ONLY
        if self.absolute:
            return Level.INCONCLUSIVE
        none = self.margin is not None and null - self.margin < narrow[0] and narrow[1] < null + self.margin
        return Level.NOT_REPRODUCED if far <= 0 or none else Level.INCONCLUSIVE

    def bounds(self, ratio: bool) -> list[float]:
        """Every number at which a level may change."""
        null = self.neutral(ratio)
        found = {self.low, self.high, *(() if null is None else (null,))}
        if null is not None and self.margin is not None:
            found |= {null - self.margin, null + self.margin}
        return sorted(value for value in found if math.isfinite(value))

    def words(self, unit: str = "") -> str:
        """``≥ 2 points``, ``> 0``, ``within ±1 point``, ``3 to 12 ×``."""

        sign = "×" if unit == "x" else unit
        null = self.neutral(unit == "x")

        def text(value: float) -> str:
            own = "point" if sign == "points" and abs(value) == 1 else sign if value else ""
            return f"{value:g} {own}".replace("-", "−").strip()

        if math.isinf(self.high):
            return f"{'>' if self.low == null else '≥'} {text(self.low)}"
        if math.isinf(self.low):
            return f"{'<' if self.high == null else '≤'} {text(self.high)}"
        if self.low == -self.high:
            return f"within ±{text(self.high)}"
        return f"{self.low:g} to {text(self.high)}".replace("-", "−")
