"""The table of verdicts in a Markdown file, between two markers: generated, never typed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from datamodules.scene import InputError
from experiments.lectures import LECTURES, rows
from experiments.reports.overview import commits, counts, days, devices
from experiments.reports.wording import headline
from experiments.runs.folder import write_atomically
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


def table(records: Sequence[Record]) -> str:
    """The verdicts as Markdown, and in a comment what each study was when it was judged."""
    if not records:
        raise InputError("there are no verdicts to write; `lectern reproduce all` makes them")
    waiting = [claim for claim in claims().values() if claim.id not in {record.claim for record in records}]
    lines = [
        f"{len(rows())} claims: " + ", ".join(f"{n} {level}" for level, n in counts(records).items() if n) + ".",
        f"Scale `{_few({record.scale for record in records})}`, {days(records)}; "
        f"commit: {_few(commits(records))}; device: {_few(devices(records))}.",
        "Intervals are 95 % bootstrap intervals over seeds.",
    ]
    for lecture, title in LECTURES.items():
        own = [record for record in records if record.name.startswith(f"{lecture}/")]
        if own:
            lines += ["", f"**{title}**", "", "| | the lecture says | verdict | measured |", "|---|---|---|---|"]
            found = {record.claim: (record.title, record.level, measured(record)) for record in own}
            found |= {c.id: (c.title, Level.NOT_RUN, "has a study") for c in waiting if c.lecture == lecture}
            lines += [
                f"| {i} | {_cell(title)} | **{level}** | {_cell(text)} |" for i, (title, level, text) in sorted(found.items())
            ]
    judged = {record.name: record.study_digest for record in records} | {claim.name: Level.NOT_RUN for claim in waiting}
    digests = json.dumps(judged, sort_keys=True)
    return "\n".join([*lines, "", f"<!-- studies: {digests} -->"])


def measured(record: Record) -> str:
    """What decided, in one line; of a verdict that is inconclusive, why."""
    decided = "" if record.level == Level.INCONCLUSIVE else headline(record, effects=2)
    return decided or record.because


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _few(values: Sequence[str] | set[str]) -> str:
    if len(values) > 3:
        return f"{len(values)} of them (each run's summary has its own)"
    return ", ".join(sorted(values)) or "unknown"


def write_table(path: Path, records: Sequence[Record]) -> None:
    """Replaces what stands between the markers of a file, by rows of these records alone.

    Raises:
        InputError: there is no such file, or it has no markers.
    """
    before, _, after = _parts(path)
    write_atomically(path, f"{before}{BEGIN}\n{table(records)}\n{END}{after}")


def check_table(path: Path) -> int:
    """1, and what is wrong, where the table was made from studies that are not those of today; otherwise 0.

    A row may be older than that where it says so; how many are is printed.
    """
    _, inside, _ = _parts(path)
    found = DIGESTS.search(inside)
    was: dict[str, str] = json.loads(found[1]) if found else {}
    problems = [f"{claim.name}: {problem}" for claim in claims().values() if (problem := _problem(claim, was, inside))]
    problems += [f"{name}: has a row, but no study any more" for name in was if name not in claims()]
    if older := sum(digest == OLDER for digest in was.values()):
        print(f"{path}: {older} of {len(was)} rows are older, {MEASURED_BEFORE[1:-1]}")
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    if problems:
        print(f"{path}: lectern reproduce all --table {path} brings it up to date", file=sys.stderr)
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
