"""Committed verdicts, judged again with the variants of their real runs exchanged: none may stay as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from experiments.reproduction.claims import claims
from experiments.reproduction.records import runs_of
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level
from experiments.studies.needs import Needs
from experiments.studies.record import Record
from experiments.studies.results import Run, Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Part, Verdict

HELD = (Level.REPRODUCED, Level.DIRECTION_ONLY)


def comparisons() -> Iterator[tuple[Record, str, tuple[str, str]]]:
    """Each record's parts that hold, with each two variants that one of their effects says to differ in a direction."""
    for record in committed_records():
        for letter, part in record.parts.items():
            if part.level in HELD:
                pairs = {
                    effect.variants
                    for effect in part.effects
                    if len(effect.variants) == 2 and effect.needs is not None
                    if Needs(**effect.needs.model_dump(exclude={"words"})).direction(effect.unit == "x")
                }
                yield from ((record, letter, (pair[0], pair[1])) for pair in sorted(pairs))


def exchanged(runs: Runs, variant: str, other: str) -> Runs:
    """The judged runs of two variants, exchanged seed by seed. What was tuned, and so what was chosen by it, stays."""
    judged = {(name, run.seed): run for name in (variant, other) for run in runs.of(name)}
    kept = [run for run in runs.all if run not in judged.values()]
    turned = [
        Run(name, seed, runs.lrs[name], judged[{variant: other, other: variant}[name], seed].values)
        for name, seed in judged
        if {(variant, seed), (other, seed)} <= judged.keys()
    ]
    return Runs([*kept, *turned], runs.lrs, runs.inside, runs.tuning)


def parts_of(record: Record, *pair: str) -> dict[str, Part]:
    study = claims()[record.name].study
    assert isinstance(study, Study)
    runs = runs_of(record)
    return dict(Verdict.of(study.parts(exchanged(runs, *pair) if pair else runs)).parts)


@pytest.mark.parametrize(
    ("record", "letter", "pair"), list(comparisons()), ids=lambda value: value.claim if isinstance(value, Record) else None
)
def test_no_comparison_keeps_its_level_when_its_variants_are_exchanged(
    record: Record, letter: str, pair: tuple[str, str]
) -> None:
    assert parts_of(record)[letter].level is record.parts[letter].level
    assert parts_of(record, *pair)[letter].level not in HELD
