"""Records of real studies and made-up ones, over runs that nobody made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from experiments.reproduction.claims import Claim, select
from experiments.reproduction.records import make_record
from experiments.studies.plan import collect
from experiments.studies.record import Record
from experiments.studies.results import Run
from experiments.studies.study import Exact, Job
from experiments.studies.verdict import Verdict, judge_checks

Invented = Callable[[Job], Mapping[str, float]]
"""The figures of a job that nobody runs."""


def invented_record(claim: Claim, invented: Invented) -> Record:
    """The verdict at scale ``cpu`` over runs with these figures; an identity is computed."""
    study = claim.study
    if isinstance(study, Exact):
        return make_record(claim, "cpu", judge_checks(study.says, study.checks(), study.erratum), None, 0.0)

    def find(job: Job) -> Run:
        return Run(job.variant, job.seed, job.lr, invented(job))

    runs = collect(study, "cpu", find)
    return make_record(claim, "cpu", Verdict.of(study.parts(runs)), runs, 0.0)


def decay_helps(job: Job) -> dict[str, float]:
    """Of claim B17: a decaying rate is better by some points, and the best rate lies in the middle of the first three."""
    best = 0.02 * abs(job.seed % 7 - 3) / 3 + (0.31 if job.variant == "constant" else 0.25 + 0.001 * (job.seed % 3))
    error = best + (0.1 if job.lr is not None and not 0.02 < job.lr < 0.06 else 0.0)
    return {"trainset/loss": 3 * error, "trainset/error": error, "test/error": error + 0.05123456789}


def small_record(**changes: Any) -> Record:
    """That of claim B17, judged on made-up runs."""
    (claim,) = select(["B17"])
    return invented_record(claim, decay_helps).model_copy(update=changes)
