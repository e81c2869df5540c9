"""Verdicts: effects with their intervals, validity checks, and the ladder that a claim is placed on.

Everything here is pure: the same numbers give the same verdict. The rules that a study writes are in these words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import product
from typing import Any, Literal

import numpy as np
from scipy import stats


class Level(StrEnum):
    """The ladder, from a claim that holds exactly to one that nobody has run."""

    EXACT = "exact"
    """An identity holds: integers equal, or numbers within the tolerance that the study states."""
    REPRODUCED = "reproduced"
    """All validity checks pass, the sign is as claimed in every seed, the interval excludes zero, the size is the paper's."""
    DIRECTION_ONLY = "direction only"
    """Validity checks and sign as above, but not the size, or not all of the claim."""
    NOT_REPRODUCED = "not reproduced"
    """The interval excludes what is claimed, or shows that there is no difference within the margin."""
    INCONCLUSIVE = "inconclusive"
    """A validity check failed, or the measurement decides neither way."""
    NOT_RUN = "not run"


Bound = Literal["", ">", "<", "?"]
"""What a number is where a run did not reach its threshold: exact, a lower bound, an upper bound, or nothing at all."""

RESAMPLES = 20_000


def bootstrap_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap of the mean: (low, high).

    Every resample is counted where there are at most 5 values (5^5 of them), so that the interval of three seeds is no
    matter of chance; of more values 20,000 resamples are drawn with a fixed seed.
    """
    numbers = np.asarray(values, float)
    if len(numbers) <= 5:
        means = np.array([np.mean(sample) for sample in product(numbers, repeat=len(numbers))])
    else:
        means = np.random.default_rng(0).choice(numbers, (RESAMPLES, len(numbers))).mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


@dataclass(frozen=True)
class Effect:
    """A quantity, or a comparison of two variants, with one number for each seed."""

    name: str
    by_seed: tuple[float, ...]
    unit: str = ""
    """Of the numbers: ``points`` are percentage points, ``x`` marks a ratio."""
    needs: str = ""
    """What the claim needs of it, in words: ``> 0``, ``within ±1 point``, ``3 to 12 x``."""
    paper: float | None = None
    """What the paper has, in the same unit."""
    bounds: tuple[Bound, ...] = ()
    """For each seed, what kind of number it is; empty where all are exact."""

    @property
    def is_ratio(self) -> bool:
        return self.unit == "x"

    @property
    def estimate(self) -> float:
        """The mean over seeds; of ratios the geometric one."""
        if self.is_ratio:
            return math.exp(float(np.mean(np.log(self.by_seed)))) if min(self.by_seed) > 0 else math.nan
        return float(np.mean(self.by_seed))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of :attr:`estimate` over seeds."""
        if self.is_ratio:
            if min(self.by_seed) <= 0:
                return math.nan, math.nan
            low, high = bootstrap_interval([math.log(v) for v in self.by_seed])
            return math.exp(low), math.exp(high)
        return bootstrap_interval(self.by_seed)

    @property
    def spread(self) -> float:
        """Standard deviation over seeds (n - 1); 0 of a single one."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else 0.0

    @property
    def is_finite(self) -> bool:
        return bool(self.by_seed) and all(math.isfinite(v) for v in self.by_seed)

    def _kinds(self) -> tuple[Bound, ...]:
        exact: Bound = ""
        return self.bounds or (exact,) * len(self.by_seed)

    def above(self, bound: float) -> bool:
        """Whether every seed lies above ``bound`` and so does the whole interval. An upper bound (``<``) shows nothing."""
        known = all(v > bound and kind in ("", ">") for v, kind in zip(self.by_seed, self._kinds(), strict=True))
        return self.is_finite and known and self.interval[0] > bound

    def below(self, bound: float) -> bool:
        """Whether every seed lies below ``bound`` and so does the whole interval. A lower bound (``>``) shows nothing."""
        known = all(v < bound and kind in ("", "<") for v, kind in zip(self.by_seed, self._kinds(), strict=True))
        return self.is_finite and known and self.interval[1] < bound

    def excludes_above(self, bound: float) -> bool:
        """Whether the interval lies at or below ``bound``: the claim «above it» is refuted."""
        return self.is_finite and not any(self.bounds) and self.interval[1] <= bound

    def excludes_below(self, bound: float) -> bool:
        """Whether the interval lies at or above ``bound``: the claim «below it» is refuted."""
        return self.is_finite and not any(self.bounds) and self.interval[0] >= bound

    def shows_no_rise(self, margin: float) -> bool:
        """Whether «above 0» is refuted: the interval lies at or below 0, or the mean within ±``margin``."""
        return self.excludes_above(0) or self.equivalent(margin)

    def shows_no_fall(self, margin: float) -> bool:
        """Whether «below 0» is refuted: the interval lies at or above 0, or the mean within ±``margin``."""
        return self.excludes_below(0) or self.equivalent(margin)

    def equivalent(self, margin: float) -> bool:
        """Two one-sided t-tests at 5 % (Schuirmann 1987): whether the mean lies within ±``margin``."""
        n = len(self.by_seed)
        if n < 2 or not self.is_finite or any(self.bounds):
            return False
        half = float(stats.t.ppf(0.95, n - 1)) * self.spread / math.sqrt(n)
        return -margin < self.estimate - half and self.estimate + half < margin

    def __str__(self) -> str:
        low, high = self.interval if self.is_finite else (math.nan, math.nan)
        unit = f" {self.unit}" if self.unit else ""
        mark = "≥ " if ">" in self.bounds else "≤ " if "<" in self.bounds else ""
        return f"{self.name}: {mark}{self.estimate:.3g}{unit} [{low:.3g}, {high:.3g}]"


@dataclass(frozen=True)
class ValidityCheck:
    """A condition without which the measurement says nothing about the claim."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One identity: what was computed beside what must come out.

    ``tolerance`` is relative for numbers (0: equal); ``lecture`` is what the slide says, where that differs.
    """

    what: str
    computed: float | str
    expected: float | str
    tolerance: float = 0.0
    lecture: str = ""

    @classmethod
    def yes_or_no(cls, what: str, computed: bool, expected: Literal["yes", "no"], lecture: str = "") -> Check:
        """Whether something is so, as it is shown to the reader: ``yes`` or ``no``."""
        return cls(what, "yes" if computed else "no", expected, lecture=lecture)

    @property
    def holds(self) -> bool:
        if isinstance(self.computed, str) or isinstance(self.expected, str):
            return self.computed == self.expected
        if self.tolerance == 0:
            return self.computed == self.expected
        return abs(self.computed - self.expected) <= self.tolerance * max(1.0, abs(self.expected))


@dataclass(frozen=True)
class Verdict:
    """Where a claim stands, and what put it there."""

    level: Level
    because: str
    """The reason in one or two sentences, as one would say it to a student."""
    effects: tuple[Effect, ...] = ()
    """What decided, the most important first."""
    validity_checks: tuple[ValidityCheck, ...] = ()
    checks: tuple[Check, ...] = ()
    shared_lr: Effect | None = None
    """The first effect as it would be with one learning rate for all variants."""
    also: tuple[str, ...] = ()
    """Further findings that the reader should know."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, with estimates and intervals beside the numbers of each seed."""
        values = asdict(self)
        values["level"] = str(self.level)
        for effect, plain in zip(self.effects, values["effects"], strict=True):
            plain.update(_summary(effect))
        if self.shared_lr is not None:
            values["shared_lr"].update(_summary(self.shared_lr))
        for check, plain in zip(self.checks, values["checks"], strict=True):
            plain["holds"] = check.holds
        return values


def _summary(effect: Effect) -> dict[str, Any]:
    finite = effect.is_finite
    return {"estimate": effect.estimate if finite else None, "interval": effect.interval if finite else None}


@dataclass(frozen=True)
class Rule:
    """A verdict in the making: the validity checks and the effects that it is judged on.

    The tests are given in the order of the ladder; the first that holds decides, and where none does the measurement is
    inconclusive.
    """

    effects: tuple[Effect, ...]
    validity_checks: tuple[ValidityCheck, ...] = ()
    shared_lr: Effect | None = None
    also: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    """Identities that belong to the claim; the rule itself says what follows where one does not hold."""

    def judge(
        self, *, reproduced: bool, direction: bool = False, refuted: bool = False, because: str | Callable[[Level], str]
    ) -> Verdict:
        """The verdict. ``because`` may depend on the level that came out."""
        failed = [check for check in self.validity_checks if not check.passed]
        blind = [effect for effect in self.effects if not effect.is_finite or "?" in effect.bounds]
        if failed or blind:
            names = [f"{check.name} ({check.detail})" if check.detail else check.name for check in failed]
            names += [f"{effect.name} was not measured in every seed" for effect in blind]
            return self._verdict(Level.INCONCLUSIVE, "A condition of the experiment was not met: " + "; ".join(names) + ".")
        if reproduced:
            level = Level.REPRODUCED
        elif direction:
            level = Level.DIRECTION_ONLY
        elif refuted:
            level = Level.NOT_REPRODUCED
        else:
            level = Level.INCONCLUSIVE
        return self._verdict(level, because(level) if callable(because) else because)

    def _verdict(self, level: Level, because: str) -> Verdict:
        return Verdict(level, because, self.effects, self.validity_checks, self.checks, self.shared_lr, self.also)


def judge_checks(checks: Iterable[Check], also: Sequence[str] = ()) -> Verdict:
    """The verdict on identities: exact where all hold, otherwise not reproduced, naming those that do not."""
    rows = tuple(checks)
    broken = [check.what for check in rows if not check.holds]
    if not rows:
        return Verdict(Level.INCONCLUSIVE, "Nothing was computed.")
    if broken:
        return Verdict(Level.NOT_REPRODUCED, "Does not hold: " + "; ".join(broken) + ".", checks=rows, also=tuple(also))
    return Verdict(Level.EXACT, f"{len(rows)} of {len(rows)} computed identities hold.", checks=rows, also=tuple(also))
