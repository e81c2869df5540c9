"""The tables of verdicts, in the README between two markers and in docs/verdicts.md: made from the records, never typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from datamodules.scene import InputError
from experiments.lectures import LECTURES, rows
from experiments.reports.overview import days
from experiments.reports.wording import corrected, estimate, number
from experiments.runs.markup import plain
from experiments.runs.writing import write_atomically
from experiments.studies.code import stale
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level
from experiments.studies.record import EffectRecord, PartRecord, Record

from .claims import Claim, claims
from .page import STALE, page

BEGIN, END = "<!-- verdicts:begin -->", "<!-- verdicts:end -->"
PAGE = "docs/verdicts.md"
"""Seen from the README's folder, the page that has all parts of all verdicts."""

PARTING = (Level.NOT_REPRODUCED, Level.ERRATUM, Level.DIRECTION_ONLY)
"""Where a verdict differs from the lecture, most of all first: what the README shows."""


class TableRow(NamedTuple):
    """A line of the table: a study's verdict."""

    claim: str
    title: str
    verdict: str
    measured: str

    def __str__(self) -> str:
        return f"| {' | '.join(self)} |"


def stale_names(records: Iterable[Record]) -> set[str]:
    """The studies whose code was changed since they were judged."""
    return {record.name for record in records if stale(record.code)}


def front(records: Sequence[Record], old: Collection[str] = (), most: int = 5) -> str:
    """What the README has: how many claims stand where, and the first verdicts that differ from the lecture.

    Args:
        records: the verdicts of one scale.
        old: the names of the studies that are stale.
        most: rows.
    """
    own = {claim.name: claim for claim in claims().values()}
    chosen = [record for level in PARTING for record in sorted(records, key=lambda r: r.claim) if record.level == level]
    shown = [record for record in chosen if record.name in own][:most]
    lines = [_counts(records), ""]
    if shown:
        lines += ["| differs from the lecture | the lecture says | verdict | measured |", "|---|---|---|---|"]
        lines += [_row(own[record.name], record, old) for record in shown]
        lines += [""]
    return "\n".join([*lines, f"[{PAGE}]({PAGE}) has all of them, each with its rule, seeds, intervals and amendments."])


def table(records: Sequence[Record], old: Collection[str] = ()) -> str:
    """The verdicts as Markdown: one row for each study.

    Args:
        records: the verdicts of one scale; a study without one was not run.
        old: the names of the studies that are stale.
    """
    by_name = {record.name: record for record in records}
    own = {claim.name: claim for claim in claims().values()}
    several = sum(len(record.parts) > 1 for name, record in by_name.items() if name in own)
    lines = [
        _counts(records),
        f"{several} have several parts; here stands what the lecture's sentence states, and below all of it.",
    ]
    for lecture, title in LECTURES.items():
        lines += ["", f"**{title}**", "", "| | the lecture says | verdict | measured |", "|---|---|---|---|"]
        for claim in sorted(own.values(), key=lambda claim: claim.id):
            if claim.lecture == lecture:
                lines.append(_row(claim, by_name.get(claim.name), old))
    return "\n".join(lines)


def _counts(records: Sequence[Record]) -> str:
    own = {claim.name for claim in claims().values()}
    levels = Counter(record.level for record in records if record.name in own)
    levels[Level.NOT_RUN] = len(rows()) - levels.total()
    counted = ", ".join(f"{levels[level]} {level}" for level in Level if levels[level])
    return (
        f"{len(rows())} claims: {counted}.\n"
        f"Committed results of {days(records)}{_made_on(records)}, with 95 % t intervals over seeds."
    )


def _row(claim: Claim, record: Record | None, old: Collection[str]) -> str:
    level = f"**{record.level if record else Level.NOT_RUN}**{STALE if claim.name in old else ''}"
    return str(TableRow(claim.id, plain(claim.title), level, plain(measured(record.headline) if record else "")))


def _made_on(records: Iterable[Record]) -> str:
    processors = sorted({record.processor for record in records if record.processor})
    return f" on {plain(', '.join(processors))}" if processors else ""


def measured(part: PartRecord, most: int = 2) -> str:
    """What decided, in one line: the first effects with their intervals, what the lecture has wrong, or how many identities
    hold; if nothing did, why."""
    if part.level == Level.INCONCLUSIVE:
        return part.because
    decided = "; ".join(map(in_short, part.effects[:most]))
    held = sum(check.holds for check in part.checks)
    return decided or corrected(part) or f"{held} of {len(part.checks)} identities hold"


def in_short(effect: EffectRecord) -> str:
    """``training error, a − b −4.1 points [−5, −3]``."""
    low, high = effect.interval or (None, None)
    return f"{effect.name} {estimate(effect)}" + ("" if low is None else f" [{number(low)}, {number(high)}]")


def write_tables(readme: Path, records: Sequence[Record] | None = None) -> list[Path]:
    """Writes the table between the markers of a file, and the page of all verdicts beside it; returns both paths.

    Args:
        readme: the file.
        records: those that come with Lectern, unless others are given.

    Raises:
        InputError: there is no such file, or it has no markers.
    """
    records = committed_records() if records is None else records
    old = stale_names(records)
    before, _, after = parts(readme)
    texts = {readme: f"{before}{BEGIN}\n{front(cpu(records), old)}\n{END}{after}", readme.parent / PAGE: document(records, old)}
    for path, text in texts.items():
        write_atomically(path, text)
    return list(texts)


def document(records: Sequence[Record], old: Collection[str] = ()) -> str:
    """The page of all verdicts, with the table of those of scale cpu before them."""
    return page(records, old, table(cpu(records), old))


def cpu(records: Iterable[Record]) -> list[Record]:
    """Those that the README shows."""
    return [record for record in records if record.scale == "cpu"]


def parts(path: Path) -> tuple[str, str, str]:
    """A file's text before the table, the table, and the text behind it."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{path}: has no markers {BEGIN} and {END} for the table to stand between")
    return before, inside.strip("\n"), after
