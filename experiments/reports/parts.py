"""The parts of a verdict as sections: each sentence of a claim with its level, its numbers and its conditions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from experiments.studies.levels import Level
from experiments.studies.record import EffectRecord, PartRecord, Record

from .intervals import ROWS, intervals
from .section import Cell, Facts, FigureChoice, Heading, Prose, Section, Table, facts, table
from .wording import change, estimate, interval, number, seeds, with_unit

BEYOND = "Beyond the lecture"
KINDS = {
    "effects": "",
    "conditions": "needed besides; without it the direction is the most there is",
    "shown": "shown beside, decides nothing",
}
"""What a number is to a part, said below its name."""


def part_sections(record: Record) -> list[Section]:
    """All parts, what the lecture says first, and then what it does not."""
    own, beyond = ({k: p for k, p in record.parts.items() if p.beyond is kind} for kind in (False, True))
    several = len(own) > 1
    found = [section for letter, part in own.items() for section in _part(record, letter, part, several)]
    if beyond:
        text = "The lecture does not say what follows, and it counts in no table."
        found.append(Prose(text, heading=BEYOND))
        found += [section for letter, part in beyond.items() for section in _part(record, letter, part, True)]
    return found


def _part(record: Record, letter: str, part: PartRecord, has_title: bool) -> Iterator[Section]:
    if has_title or part.says != record.says:
        yield Heading(f"{letter}: {part.says}", part.level)
    yield Prose(part.because)
    if part.erratum and part.erratum != record.erratum:
        yield Prose(f"The lecture errs: {part.erratum}", is_warning=True)
    yield from _effects(record, letter, part)
    yield from _checks(part)
    yield from _validity_checks(part)
    yield from _also(part)


def seeds_of(record: Record, effect: EffectRecord) -> list[int]:
    """Which seed each number of an effect is of; empty where the record does not say."""
    names = [name for name in effect.variants if name in record.variants] or list(record.variants)
    own = [{run.seed for run in record.variants[name].runs} for name in names]
    common = sorted(set.intersection(*own)) if own else []
    return common if len(common) == len(effect.by_seed) else []


def _effects(record: Record, letter: str, part: PartRecord) -> Iterator[Section]:
    named = [(effect, note) for kind, note in KINDS.items() for effect in getattr(part, kind)]
    drawn = [*part.effects, *part.conditions, *([part.shared_lr] if part.shared_lr else [])]
    if part.shared_lr:
        named.append((part.shared_lr, "shared-lr baseline: one learning rate for all"))
    if drawn:
        draw = partial(intervals, drawn, [seeds_of(record, effect) for effect in drawn[:ROWS]])
        yield FigureChoice(f"effects-{letter}", {"": draw})
    rows = []
    for effect, note in named:
        rows.append(
            (
                Cell(effect.name, note=note),
                estimate(effect),
                interval(effect),
                number(len(effect.by_seed)),
                effect.needs.words if effect.needs else "",
                effect.level or "",
                with_unit(effect.paper, effect.unit) if effect.paper is not None else "",
                seeds(effect, seeds_of(record, effect)),
                change(effect, is_open=effect.level is Level.INCONCLUSIVE),
            )
        )
    columns = ("measured", "mean", "95 % interval", "seeds", "needed", "stands", "paper", "each seed", "what would change it")
    yield from table(columns, rows)


def _checks(part: PartRecord) -> list[Table]:
    rows = [
        (c.what, number(c.computed), number(c.expected), c.lecture, Cell("✓ yes") if c.holds else Cell("✗ NO", is_strong=True))
        for c in part.checks
    ]
    return table(("identity", "computed", "must be", "the lecture has", "holds"), rows)


def _validity_checks(part: PartRecord) -> list[Table]:
    rows = [
        (Cell("✓ met") if check.passed else Cell("✗ FAILED", is_strong=True), check.name, check.detail)
        for check in part.validity_checks
    ]
    return table(("", "validity check", "detail"), rows, "Conditions of the experiment")


def _also(part: PartRecord) -> list[Facts]:
    return facts({"also found": part.also})
