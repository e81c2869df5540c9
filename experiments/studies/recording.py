"""Effects and parts as a record has them: with means, intervals and levels beside the numbers of each seed."""

from __future__ import annotations

import math
from dataclasses import asdict

from .effects import Effect
from .levels import Level
from .needs import Needs
from .record import CheckRecord, EffectRecord, NearestRecord, NeedsRecord, PartRecord, ValidityCheckRecord
from .verdict import Part

DIGITS = 6
"""Significant ones of a number that follows from the judged values, which keep all of theirs."""


def rounded(value: float) -> float:
    """To the digits that a record has."""
    return float(f"{value:.{DIGITS}g}")


def effect_record(effect: Effect) -> EffectRecord:
    """An effect as a record has it: with its mean, interval and level beside the numbers of each seed, all rounded."""
    known, several = effect.is_finite and math.isfinite(effect.estimate), len(effect.by_seed) > 1
    judged = effect.needs is not None
    nearest = effect.nearest()
    return EffectRecord(
        name=effect.name,
        by_seed=tuple(map(rounded, effect.by_seed)),
        estimate=rounded(effect.estimate) if known else None,
        interval=(rounded(effect.interval[0]), rounded(effect.interval[1])) if known and several else None,
        unit=effect.unit,
        needs=needs_record(effect.needs, effect.unit) if effect.needs else None,
        level=effect.level if judged else None,
        paper=effect.paper,
        bounds=effect.bounds,
        variants=effect.variants,
        nearest=NearestRecord(level=nearest[0], shift=rounded(nearest[1])) if nearest else None,
        detectable=rounded(effect.detectable()) if judged and known and several else None,
        seeds_needed=effect.seeds_needed() if judged else None,
    )


def needs_record(needs: Needs, unit: str) -> NeedsRecord:
    return NeedsRecord(**asdict(needs), words=needs.words(unit))


def part_record(part: Part) -> PartRecord:
    """A part as a record has it: with its level and the reason for it."""
    level = part.level
    return PartRecord(
        says=part.says,
        level=level,
        because=part.reason,
        effects=tuple(map(effect_record, part.effects)),
        conditions=tuple(map(effect_record, part.conditions)),
        shown=tuple(map(effect_record, part.shown)),
        shared_lr=effect_record(part.shared_lr) if part.shared_lr else None,
        validity_checks=tuple(
            # A rule may hand in NumPy's bool.
            ValidityCheckRecord(name=c.name, passed=bool(c.passed), detail=c.detail)
            for c in part.validity_checks
        ),
        checks=tuple(CheckRecord(**asdict(check), holds=bool(check.holds)) for check in part.checks),
        also=part.also,
        beyond=part.beyond,
        erratum=part.erratum if level is Level.ERRATUM else "",
    )
