"""The report of all studies of a scale, before it is Markdown or HTML: every claim, and each verdict with its sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.lectures import LECTURES
from experiments.studies.record import Record, older_records
from experiments.studies.study import ScaleName

from .overview import Entry, entries, records_at
from .sections import Section, sections

TITLE = "What the lectures claim, and what was measured"


@dataclass(frozen=True)
class Page:
    """A verdict's page."""

    record: Record
    sections: Sequence[Section]


@dataclass(frozen=True)
class Chapter:
    """A lecture: the verdicts on its claims, and the claims that have none."""

    title: str
    pages: Sequence[Page]
    not_run: Sequence[Entry]


@dataclass(frozen=True)
class Report:
    """All claims, by lecture."""

    runs: Path
    """The folder of all runs."""
    scale: ScaleName
    records: Sequence[Record]
    chapters: Sequence[Chapter]


def read_report(runs: Path, scale: ScaleName) -> Report:
    """The report of what lies in a folder of runs."""
    records = records_at(runs, scale)
    chapters = []
    for lecture, own in entries(records, older_records(runs, scale)).items():
        pages = [Page(record, sections(record, runs)) for entry in own for record in entry.records]
        chapters.append(Chapter(LECTURES.get(lecture, lecture), pages, [entry for entry in own if not entry.records]))
    return Report(runs, scale, records, chapters)
