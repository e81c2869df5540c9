"""Two verdicts on the same study: the one that was made here, and the one that comes with Lectern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.studies.levels import Level
from experiments.studies.record import EffectRecord, Record

from .wording import headline


@dataclass(frozen=True)
class Pair:
    """One of the two at least is there."""

    own: Record | None
    committed: Record | None

    @property
    def first(self) -> Record:
        """What is shown first: what was made here, where it was."""
        found = self.own or self.committed
        assert found is not None
        return found

    @property
    def levels(self) -> set[Level]:
        return {record.level for record in (self.own, self.committed) if record}

    @property
    def agree(self) -> bool | None:
        """Whether both stand on the same level; None where there is one alone."""
        return self.own.level is self.committed.level if self.own and self.committed else None

    @property
    def yours(self) -> str:
        """``reproduced; training error, a − b: 34 points (…); 1 x cpu, 2026-11-24``."""
        return _in_a_line(self.own) if self.own else ""

    @property
    def theirs(self) -> str:
        return _in_a_line(self.committed) if self.committed else ""

    @property
    def agreement(self) -> str:
        """Whether they agree, in words; empty where there is one alone."""
        if not self.own or not self.committed:
            return ""
        numbers = _numbers(self.own, self.committed)
        if self.agree:
            return f"they agree: both are {self.own.level}{numbers}"
        return f"THEY DIFFER: {self.own.level} here, {self.committed.level} there{numbers}"


def pairs(own: Iterable[Record], committed: Iterable[Record]) -> list[Pair]:
    """Every study and scale that one of them has, in the order of the claims."""
    here = {(record.claim, record.scale, record.name): record for record in own}
    there = {(record.claim, record.scale, record.name): record for record in committed}
    return [Pair(here.get(key), there.get(key)) for key in sorted(here.keys() | there.keys())]


def made(record: Record) -> str:
    """On what and when: ``AMD EPYC 7B13, 2026-11-24``."""
    machine = record.processor or ("" if record.is_at_any_scale else record.device)
    return ", ".join(filter(None, (machine, record.day)))


def _in_a_line(record: Record) -> str:
    return "; ".join(filter(None, (record.level, headline(record), made(record))))


def _numbers(own: Record, other: Record) -> str:
    """Whether the intervals of the deciding numbers overlap."""
    first, second = (_deciding(record) for record in (own, other))
    if not first or not second or not first.interval or not second.interval or first.name != second.name:
        return ""
    apart = first.interval[1] < second.interval[0] or second.interval[1] < first.interval[0]
    return f", and the intervals of “{first.name}” {'do not overlap' if apart else 'overlap'}"


def _deciding(record: Record) -> EffectRecord | None:
    return next((effect for effect in record.headline.effects if effect.estimate is not None), None)
