"""The report of all studies of a scale, before it is Markdown or HTML: every claim, and each verdict with its sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from experiments.lectures import LECTURES
from experiments.studies import committed
from experiments.studies.record import Record, broken_records, older_records
from experiments.studies.study import ScaleName

from .overview import Entry, entries, records_at
from .section import FigureChoice, Section, SlidePicture
from .sections import sections

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
    broken: Sequence[str] = ()
    """What is left out, and why, a line each: verdicts' files that are damaged, and verdicts that cannot be shown."""


def read_report(runs: Path, scale: ScaleName) -> Report:
    """The report of what lies in a folder of runs."""
    records = records_at(runs, scale)
    broken = [f"{path}: damaged, or no verdict at all" for path in broken_records(runs, scale)]
    chapters = []
    for lecture, own in entries(records, older_records(runs, scale)).items():
        pages = []
        for record in (record for entry in own for record in entry.records):
            try:
                beside = committed.committed_record(record.name, record.scale)
                pages.append(Page(record, [_drawn(section) for section in sections(record, runs, beside=beside)]))
            except Exception as error:  # whatever a stranger's record holds, the others are shown
                broken.append(f"{record.name}, scale {record.scale}: cannot be shown ({type(error).__name__})")
        chapters.append(Chapter(LECTURES.get(lecture, lecture), pages, [entry for entry in own if not entry.records]))
    shown = [page.record for chapter in chapters for page in chapter.pages]
    return Report(runs, scale, sorted(shown, key=lambda record: record.claim), chapters, broken)


def _drawn(section: Section) -> Section:
    """The section, its shown figures drawn already, so that one that cannot be drawn is found out here."""
    if isinstance(section, SlidePicture):
        svg = section.svg()
        return replace(section, svg=lambda: svg)
    if not isinstance(section, FigureChoice):
        return section
    drawn = {title: cache(draw) for title, draw in section.drawn.items()}
    for title in section.shown:
        drawn[title]()
    return replace(section, drawn=drawn)
