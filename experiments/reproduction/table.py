"""The table of verdicts in a Markdown file, between two markers: generated, never typed."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from datamodules.scene import InputError
from experiments.lectures import LECTURES, rows
from experiments.reports.overview import commits, days, devices
from experiments.reports.wording import headline
from experiments.runs.markup import plain
from experiments.runs.writing import write_atomically
from experiments.studies.record import Record
from experiments.studies.verdict import Level

from .claims import Claim, claims
from .records import study_digest

BEGIN, END = "<!-- verdicts:begin -->", "<!-- verdicts:end -->"
DIGESTS = re.compile(r"<!-- studies: (\{.*?\}) -->")
OLDER = "older"
"""In place of a study's digest: its verdict was made before the names of today, and not again yet."""
MEASURED_BEFORE = "(measured before 2026-11-26)"
"""What the row of such a study says behind its level."""


class TableRow(NamedTuple):
    """A line of the table: a study's verdict."""

    claim: str
    title: str
    verdict: str
    """The level, and what is said behind it."""
    measured: str

    @property
    def level(self) -> str:
        return self.verdict.removeprefix("**").partition("**")[0]

    def __str__(self) -> str:
        return f"| {' | '.join(self)} |"


ROW = re.compile(r"^\| (\w+) \| (.*?) \| (\*\*.*?) \| (.*) \|$", re.MULTILINE)


def table(records: Sequence[Record], before: str = "") -> str:
    """The verdicts as Markdown, and in a comment what each study was when it was judged.

    Args:
        records: the verdicts that are there.
        before: the table of before: the rows of studies without a verdict among ``records`` are kept as they were.
    """
    if not records:
        raise InputError("there are no verdicts to write; `lectern reproduce all` makes them")
    kept_rows, kept_digests = {row[1]: TableRow(*row.groups()) for row in ROW.finditer(before)}, digests_of(before)
    found: dict[str, TableRow] = {}
    digests: dict[str, str] = {}
    by_claim = {record.claim: record for record in records}
    for claim in claims().values():
        if record := by_claim.get(claim.id):
            found[claim.id] = TableRow(claim.id, plain(record.title), f"**{record.level}**", plain(measured(record)))
            digests[claim.name] = record.study_digest
        elif claim.id in kept_rows and claim.name in kept_digests:
            found[claim.id], digests[claim.name] = kept_rows[claim.id], kept_digests[claim.name]
        else:
            found[claim.id] = TableRow(claim.id, plain(claim.title), f"**{Level.NOT_RUN}**", "has a study")
            digests[claim.name] = Level.NOT_RUN
    levels = Counter(row.level for row in found.values() if row.level != Level.NOT_RUN)
    levels[Level.NOT_RUN] = len(rows()) - levels.total()
    lines = [
        f"{len(rows())} claims: " + ", ".join(f"{levels[level]} {level}" for level in Level if levels[level]) + ".",
        f"Scale `{_few({record.scale for record in records})}`; last written from verdicts of {days(records)}, "
        f"commit: {_few(commits(records))}; device: {_few(devices(records))}.",
        "Intervals are 95 % bootstrap intervals over seeds.",
    ]
    for lecture, title in LECTURES.items():
        own = [found[claim.id] for claim in claims().values() if claim.lecture == lecture]
        if own:
            lines += ["", f"**{title}**", "", "| | the lecture says | verdict | measured |", "|---|---|---|---|"]
            lines += map(str, sorted(own))
    return "\n".join([*lines, "", f"<!-- studies: {json.dumps(digests, sort_keys=True)} -->"])


def digests_of(table: str) -> dict[str, str]:
    """By the name of a study, what it was when its row was written."""
    found = DIGESTS.search(table)
    return dict(json.loads(found[1])) if found else {}


def measured(record: Record) -> str:
    """What decided, in one line; of a verdict that is inconclusive, why."""
    decided = "" if record.level == Level.INCONCLUSIVE else headline(record, effects=2)
    return decided or record.because


def _few(values: Sequence[str] | set[str]) -> str:
    if len(values) > 3:
        return f"{len(values)} of them (each run's summary has its own)"
    return plain(", ".join(sorted(values))) or "unknown"


def write_table(path: Path, records: Sequence[Record]) -> None:
    """Writes the rows of these records between the markers of a file; other studies keep the rows that they have there.

    Raises:
        InputError: there is no such file, or it has no markers.
    """
    before, inside, after = _parts(path)
    write_atomically(path, f"{before}{BEGIN}\n{table(records, inside)}\n{END}{after}")


def check_table(path: Path) -> int:
    """1, and what is wrong, where the table was made from studies that are not those of today; otherwise 0.

    A row may be older than that where it says so; how many are is printed.
    """
    _, inside, _ = _parts(path)
    was = digests_of(inside)
    problems = [f"{claim.name}: {problem}" for claim in claims().values() if (problem := _problem(claim, was, inside))]
    problems += [f"{name}: has a row, but no study any more" for name in was if name not in claims()]
    if older := sum(digest == OLDER for digest in was.values()):
        print(f"{path}: {older} of {len(was)} rows are older, {MEASURED_BEFORE[1:-1]}")
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    if problems:
        print(f"{path}: lectern reproduce NAME… --table {path} writes the rows of these studies", file=sys.stderr)
    return int(bool(problems))


def _problem(claim: Claim, was: dict[str, str], inside: str) -> str:
    """What is wrong with the row of a study; empty where nothing is."""
    if claim.name not in was:
        return "has no row"
    if was[claim.name] == OLDER:
        row = next((line for line in inside.splitlines() if line.startswith(f"| {claim.id} |")), "")
        return "" if f"** {MEASURED_BEFORE}" in row else f"is {OLDER}, and its row does not say {MEASURED_BEFORE}"
    return "" if was[claim.name] in (study_digest(claim), Level.NOT_RUN) else "judged before its study changed"


def _parts(path: Path) -> tuple[str, str, str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{path}: has no markers {BEGIN} and {END} for the table to stand between")
    return before, inside, after
