"""Verdicts: a claim in parts, each placed on the ladder by its effects' needs, its identities and its validity checks alone.

Everything here is pure: the same numbers give the same verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .effects import Bound, Effect
from .levels import Level
from .needs import Needs

__all__ = ["Bound", "Check", "Effect", "Level", "Needs", "Part", "ValidityCheck", "Verdict", "judge_checks"]


@dataclass(frozen=True)
class ValidityCheck:
    """A condition without which the measurement says nothing about a part of the claim."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One identity: what was computed beside what must come out.

    ``tolerance`` is relative for numbers (0: equal); ``lecture`` is what the slide says, where that differs. Where the slide is
    ``wrong``, the check computes what is so instead, and makes an erratum. What is ``beyond`` the lecture is shown apart.
    """

    what: str
    computed: float | str
    expected: float | str
    tolerance: float = 0.0
    lecture: str = ""
    wrong: bool = False
    beyond: bool = False

    @classmethod
    def yes_or_no(
        cls,
        what: str,
        computed: bool,
        expected: Literal["yes", "no"],
        lecture: str = "",
        wrong: bool = False,
        beyond: bool = False,
    ) -> Check:
        """Whether something is so, as it is shown to the reader: ``yes`` or ``no``."""
        return cls(what, "yes" if computed else "no", expected, lecture=lecture, wrong=wrong, beyond=beyond)

    @property
    def holds(self) -> bool:
        if isinstance(self.computed, str) or isinstance(self.expected, str):
            return self.computed == self.expected
        if self.tolerance == 0:
            return self.computed == self.expected
        return abs(self.computed - self.expected) <= self.tolerance * max(1.0, abs(self.expected))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One sentence of a claim, and all that decides it.

    Its level follows from the needs of its effects, from its checks and its validity checks, and from nothing else:

    - a validity check failed, or an effect was not measured in every seed: inconclusive;
    - an effect or a check is refuted: not reproduced, or an erratum where one is written;
    - an effect is undecided: inconclusive;
    - all effects and all conditions are inside their needs: reproduced (exact, where there are checks alone);
    - otherwise: direction only.

    Raises:
        ValueError: nothing decides it, or an effect that should has no need.
    """

    says: str
    """The lecture's own sentence, or what it is about; of a part beyond the lecture, what was asked."""
    effects: tuple[Effect, ...] = ()
    """What decides, the most important first. All of them have to hold."""
    conditions: tuple[Effect, ...] = ()
    """What all of the sentence needs besides: where one of them is not inside its need, the direction is the most there is."""
    checks: tuple[Check, ...] = ()
    """Identities that belong to it."""
    validity_checks: tuple[ValidityCheck, ...] = ()
    because: str | Callable[[Level], str] = ""
    """The reason in one or two sentences, as one would say it to a student; it may depend on the level that came out."""
    shown: tuple[Effect, ...] = ()
    """Further effects, which decide nothing."""
    shared_lr: Effect | None = None
    """The first effect as it would be with one learning rate for all variants."""
    also: tuple[str, ...] = ()
    """Further findings that the reader should know."""
    beyond: bool = False
    """Whether the lecture does not say it. Such a part is shown apart."""
    erratum: str = ""
    """What the lecture has wrong, if the part is refuted."""

    def __post_init__(self) -> None:
        if not self.effects and not self.checks:
            raise ValueError(f"part {self.says!r}: an effect or a check expected")
        if loose := [effect.name for effect in (*self.effects, *self.conditions) if effect.needs is None]:
            raise ValueError(f"part {self.says!r}: {', '.join(loose)} has no need")

    @property
    def failed(self) -> list[str]:
        """The conditions of the experiment that were not met, in words."""
        failed = [f"{c.name} ({c.detail})" if c.detail else c.name for c in self.validity_checks if not c.passed]
        blind = [e for e in (*self.effects, *self.conditions) if not e.is_finite or "?" in e.bounds]
        return failed + [f"{effect.name} was not measured in every seed" for effect in blind]

    @property
    def level(self) -> Level:
        if self.failed:
            return Level.INCONCLUSIVE
        level = level_together([effect.level for effect in self.effects], [effect.level for effect in self.conditions])
        if level is Level.NOT_REPRODUCED or not all(check.holds for check in self.checks):
            return Level.ERRATUM if self.erratum else Level.NOT_REPRODUCED
        if not self.effects:
            return Level.ERRATUM if any(check.wrong for check in self.checks) else Level.EXACT
        return level

    @property
    def reason(self) -> str:
        """Why it stands where it does."""
        if self.failed:
            return "A condition of the experiment was not met: " + "; ".join(self.failed) + "."
        level = self.level
        text = self.because(level) if callable(self.because) else self.because
        if not self.effects:
            broken = [check.what for check in self.checks if not check.holds]
            counted = f"{sum(c.holds for c in self.checks)} of {len(self.checks)} computed identities hold."
            return " ".join(filter(None, ["Does not hold: " + "; ".join(broken) + "." if broken else counted, text]))
        return " ".join(filter(None, [text, *(undecided(e) for e in self.effects if e.level is Level.INCONCLUSIVE)]))


def level_together(effects: Sequence[Level], conditions: Sequence[Level] = ()) -> Level:
    """Where effects that all have to hold stand together, and what their conditions leave of it."""
    for decisive in (Level.NOT_REPRODUCED, Level.INCONCLUSIVE):
        if decisive in effects:
            return decisive
    return Level.REPRODUCED if {*effects, *conditions} == {Level.REPRODUCED} else Level.DIRECTION_ONLY


def undecided(effect: Effect) -> str:
    """What the design of an undecided effect could have shown, and what would decide it."""
    if any(effect.bounds):
        return f"Of {effect.name} some seeds are only bounds, and the median of {len(effect.by_seed)} leaves it open."
    size = f"{effect.detectable():.2g} {'×' if effect.is_ratio else effect.unit}".strip()
    seeds = effect.seeds_needed()
    wanted = f"{seeds} seeds would decide it" if seeds else "no number of seeds that one could run would decide it"
    return (
        f"{effect.name} lies at {effect.estimate:.3g}, and {len(effect.by_seed)} seeds tell {size} from a bound "
        f"in 80 of 100 repetitions; {wanted}."
    )


@dataclass(frozen=True)
class Verdict:
    """Where a claim stands: its parts by their letters, the first being what the lecture's sentence states.

    Raises:
        ValueError: there is no part, or the first lies beyond the lecture.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.parts or self.headline.beyond:
            raise ValueError("a verdict's first part is what the lecture says")

    @classmethod
    def of(cls, parts: Part | Mapping[str, Part]) -> Verdict:
        """Of one part alone, or of several."""
        return cls({"a": parts} if isinstance(parts, Part) else dict(parts))

    @property
    def headline(self) -> Part:
        return next(iter(self.parts.values()))

    @property
    def level(self) -> Level:
        return self.headline.level

    @property
    def because(self) -> str:
        return self.headline.reason


def judge_checks(says: str, checks: Iterable[Check], erratum: str = "", also: Sequence[str] = ()) -> Verdict:
    """The verdict on identities: what holds is exact; what the lecture has wrong, and what it does not say, are parts of their
    own."""
    rows = tuple(checks)
    wrong, beyond = tuple(c for c in rows if c.wrong), tuple(c for c in rows if c.beyond and not c.wrong)
    right = tuple(c for c in rows if not c.wrong and not c.beyond)
    parts = []
    if right:
        parts.append(Part(says=says, checks=right, also=tuple(also)))
    if wrong:
        said = "; ".join(dict.fromkeys(check.lecture or check.what for check in wrong))
        parts.append(Part(says=said if right else says, checks=wrong, because=erratum))
    if beyond:
        parts.append(Part(says="What the lecture does not say.", checks=beyond, beyond=True))
    return Verdict(dict(zip("abc", parts, strict=False)))
