"""Exchange within a run: of two things that are measured on the same run, the names change places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict

from .exchange import CLAIMED


def swapped(runs: Runs, pairs: Sequence[tuple[str, str]]) -> Runs:
    """The same runs with each pair of values exchanged."""
    names = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    made = [
        replace(run, values={names.get(name, name): value for name, value in run.values.items()}, read={}) for run in runs.all
    ]
    return Runs(made, runs.lrs, runs.inside, runs.tuning)


def assert_swap_turns(study: Study, runs: Runs, part: str, *pairs: tuple[str, str]) -> None:
    """A part's claim holds in ``runs``, and does not once the values are exchanged."""
    before = Verdict.of(study.parts(runs)).parts[part].level
    after = Verdict.of(study.parts(swapped(runs, pairs))).parts[part].level
    assert before in CLAIMED, f"{before} before the exchange"
    assert after not in CLAIMED, f"{after} with {pairs} exchanged"
