"""``lectern reproduce --check``: judges the committed verdicts again from their records, and compares."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.studies.code import stale
from experiments.studies.committed import broken_committed, committed_records
from experiments.studies.plan import collect, next_jobs
from experiments.studies.record import Record
from experiments.studies.recording import part_record
from experiments.studies.results import Run
from experiments.studies.study import Exact, Job
from experiments.studies.verdict import Verdict, judge_checks

from .claims import Claim, claims
from .page import STALE
from .records import runs_of, said, tried
from .table import PAGE, cpu, document, front, parts

CLOSE = 1e-5
"""Relative difference of two numbers that are one: records are rounded, and processors sum in another order."""

_Differences = Iterator[tuple[str, Any, Any]]


@dataclass(frozen=True)
class Problem:
    """What is not as it should be."""

    where: str
    what: str
    is_stale: bool = False
    """Whether a verdict is only older than what it rests on, and can be made again."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check(readme: Path, staleness: bool = True) -> int:
    """1, and each problem in a line, where a committed verdict, its table or its page is not what judging again gives; else 0.

    Args:
        readme: the file with the table; the page lies beside it.
        staleness: whether a verdict that is older than its code counts; if not, it is said all the same.
    """
    problems = list(found_in(readme))
    for problem in problems:
        print(problem, file=sys.stderr)
    wrong = [problem for problem in problems if staleness or not problem.is_stale]
    if wrong:
        print(
            "`lectern reproduce NAME --record` judges a study again, `lectern reproduce --table` writes both tables",
            file=sys.stderr,
        )
    else:
        print(f"{len(committed_records())} verdicts judged again, and {readme}: nothing differs")
    return int(bool(wrong))


def found_in(readme: Path) -> Iterator[Problem]:
    """All that is wrong with the committed verdicts, and with both tables that are made of them."""
    records, own = committed_records(), claims()
    for path in broken_committed():
        yield Problem(f"experiments/results/{path}", "damaged, or no record of this study")
    for record in records:
        if claim := own.get(record.name):
            yield from _verdict(claim, record)
        else:
            yield Problem(record.name, "has a record, but no study any more")
    yield from _tables(readme, records)


def _verdict(claim: Claim, record: Record) -> Iterator[Problem]:
    where = f"{claim.id} {claim.name}" + ("" if record.scale == "cpu" else f" ({record.scale})")
    files = stale(record.code)
    if files:
        yield Problem(where, f"stale: {', '.join(files)}", is_stale=True)
    elif not record.code:
        yield Problem(where, "does not say which code it rests on")
    texts = [name for name, text in said(claim, record.scale).items() if getattr(record, name) != text]
    if texts:
        yield Problem(where, f"its study's file has another {', '.join(texts)}", is_stale=True)
    try:
        found = differences(claim, record)
    except Exception as error:  # a study's own code, of which nothing is known
        yield Problem(where, f"cannot be judged ({type(error).__name__}: {error})".replace("\n", " "))
        return
    for name, was, now in found:
        is_text = isinstance(was, str) and isinstance(now, str) and not name.endswith("level")
        yield Problem(
            where, f"{name}: the record has {_short(was)}, and judged again it is {_short(now)}", is_text and bool(files)
        )


def differences(claim: Claim, record: Record) -> list[tuple[str, Any, Any]]:
    """What differs where a record is judged again: what, as it is recorded, and as it is now."""
    return list(_again(claim, record))


def _again(claim: Claim, record: Record) -> _Differences:
    """What differs where a record is judged again: an identity computed, a study from the values that were judged."""
    study = claim.study
    if isinstance(study, Exact):
        verdict = judge_checks(study.says, study.checks(), study.erratum)
    else:
        kept = {(run.variant, run.lr, run.seed): run for run in runs_of(record).all}

        def find(job: Job) -> Run | None:
            return kept.get((job.variant, job.lr, job.seed))

        lacking = next_jobs(study, record.scale, find, record.seeds, record.first_seed)
        if lacking:
            yield "runs", "none of " + ", ".join(job.version.rpartition("-")[0] for job in lacking[:3]), "needed"
            return
        runs = collect(study, record.scale, find, record.seeds, record.first_seed)
        for name, variant in record.variants.items():
            yield from _differ(f"{name}, lr", variant.lr, runs.lrs.get(name))
            yield from _differ(f"{name}, inside", variant.inside, runs.inside.get(name))
            yield from _differ(f"{name}, tried", variant.tried, tried(study, [r for r in runs.all if r.variant == name]))
        verdict = Verdict.of(study.parts(runs))
    now = {letter: part_record(part).model_dump() for letter, part in verdict.parts.items()}
    yield from _differ("", {letter: part.model_dump() for letter, part in record.parts.items()}, now)


def _differ(name: str, was: Any, now: Any) -> _Differences:
    """Where two pieces of plain data differ, each by where it stands."""
    if isinstance(was, Mapping) and isinstance(now, Mapping) and was.keys() == now.keys():
        if "computed" in was and "tolerance" in was and _same(was["computed"], now["computed"], 2 * was["tolerance"]):
            now = {**now, "computed": was["computed"]}  # what a tolerance allows, another processor may have
        for key in was:
            yield from _differ(f"{name}, {key}" if name else f"part {key}", was[key], now[key])
    elif isinstance(was, list | tuple) and isinstance(now, list | tuple) and len(was) == len(now):
        for place, (before, after) in enumerate(zip(was, now, strict=True), 1):
            title = before.get("name", before.get("what")) if isinstance(before, Mapping) else place
            yield from _differ(f"{name}, {title}", before, after)
    elif not _same(was, now):
        yield name, was, now


def _same(was: Any, now: Any, tolerance: float = 0.0) -> bool:
    """Equal; of numbers, near enough."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (was, now))
    if not numbers or was == now:
        return bool(was == now)
    if math.isnan(was) and math.isnan(now):
        return True
    return math.isclose(was, now, rel_tol=CLOSE, abs_tol=max(1e-12, tolerance * max(1.0, abs(was))))


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _tables(readme: Path, records: list[Record]) -> Iterator[Problem]:
    """Where the README's table and the page are not what the records say."""
    old = {record.name for record in records if stale(record.code)}
    place = readme.parent / PAGE
    written = {readme: parts(readme)[1], place: place.read_text(encoding="utf-8") if place.is_file() else ""}
    for path, wanted in ((readme, front(cpu(records), old)), (place, document(records, old))):
        text, lines = written[path], wanted.splitlines()
        if text == wanted:
            continue
        there = text.splitlines()
        other = [line for line in [*there, *lines] if (line in there) != (line in lines) and line.strip()]
        ids = sorted({words[1] for line in other if line.startswith(("| ", "### ")) and len(words := line.split()) > 1})
        which = ", ".join(ids[:8]) or "what stands around them" if path == readme else other[0][:80] if other else "its order"
        only_marks = text.replace(STALE, "") == wanted.replace(STALE, "")
        yield Problem(str(path), f"is not what the records say ({which}); `lectern reproduce --table` writes it", only_marks)
