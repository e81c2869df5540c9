"""Sections as Markdown, and the report of all studies made of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from experiments.runs.files import STUDIES_FOLDER
from experiments.runs.markup import code, picture, plain

from .meanings import INTERVALS, MEANING, SCALES, SIGNS
from .overview import Entry, counts
from .report import TITLE, Page, Report
from .section import Cell, Command, Facts, FigureChoice, Gallery, Heading, Prose, Quote, Section, SlidePicture, Table


def markdown(report: Report) -> str:
    """The report as Markdown; pictures are linked where they lie, and figures are left to the page beside it."""
    scale = report.scale
    lines = [f"# {TITLE}", ""]
    lines += [f"Scale `{scale}`: {SCALES[scale]}. {INTERVALS}", ""]
    lines += ["| verdict | claims | meaning |", "|---|---|---|"]
    lines += [f"| {SIGNS[place]} {place} | {n} | {MEANING[place]} |" for place, n in counts(report.records).items() if n]
    if report.broken:
        lines += ["", "**Left out:**", "", *(f"- {plain(line)}" for line in report.broken)]
    for chapter in report.chapters:
        lines += ["", f"## {chapter.title}"]
        for page in chapter.pages:
            lines += ["", *_page(page, report)]
        lines += ["", "### Not run", "", *(_not_run(entry, scale) for entry in chapter.not_run)]
    return "\n".join(lines) + "\n"


def _page(page: Page, report: Report) -> list[str]:
    record = page.record
    lines = [f"### {plain(f'{record.claim} {record.title}')}", "", f"**{SIGNS[record.level]} {record.level}**"]
    for section in page.sections:
        if own := section_lines(section, report.runs / STUDIES_FOLDER, f"report-{report.scale}.html"):
            lines += ["", *own]
    return lines


def _not_run(entry: Entry, scale: str) -> str:
    how = [code(entry.how_to_run(scale))] if entry.study else []
    return f"- {entry.row.id} {plain(entry.row.says)}: {' '.join([*filter(None, [entry.why_not]), *how])}"


def section_lines(section: Section, place: Path, page: str) -> list[str]:
    """A section as lines of Markdown.

    Args:
        section: what to show.
        place: the folder of the report, which links start from.
        page: the file beside it that has the figures.
    """
    match section:
        case Prose():
            text = plain(section.text)
            return [*_heading(section.heading), *([f"**{text}**" if section.is_warning else text] if text else [])]
        case Quote():
            lines = [f"“{plain(section.text)}”", *filter(None, [plain(section.translation)]), f"({plain(section.place)})"]
            return ["The lecture says:", "", *(part for line in lines for part in (f"> {line}", ">"))][:-1]
        case Heading():
            return [f"#### {SIGNS[section.level]} {section.level} · {plain(section.text)}"]
        case Facts():
            names = {name: f"**{name}**" if name in section.strong else name for name in section.facts}
            found = [f"- {names[name]}: {plain(line)}" for name, lines in section.facts.items() for line in lines]
            return [*_heading(section.heading), *found]
        case Table():
            head = [_row([plain(name) for name in section.columns]), "|" + "---|" * len(section.columns)]
            return [*_heading(section.heading), *head, *(_row(list(map(_cell, row))) for row in section.rows)]
        case FigureChoice():
            what = ", ".join(plain(text) for text in (section.heading, *section.shown) if text)
            return [f"{what}: drawn in [{page}]({page})"] if section.heading and section.shown else []
        case SlidePicture():
            return [f"The picture, with the numbers on it, is drawn in [{page}]({page}): {plain(section.says)}"]
        case Gallery():
            lines = _heading(section.heading)[:1]
            for name, pictures in section.rows.items():
                lines += ["", f"{plain(name)}:", *(_picture(variant, path, place) for variant, path in pictures.items())]
            return lines
        case Command():
            return [f"{section.heading}: {code(section.line)}"]


def _heading(text: str) -> list[str]:
    return [f"#### {plain(text)}", ""] if text else []


def _cell(cell: Cell) -> str:
    text = plain(f"{cell.text} ({cell.note})" if cell.note else cell.text)
    return f"**{text}**" if cell.is_strong else text


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _picture(variant: str, path: Path, place: Path) -> str:
    return f"{plain(variant)} {picture(variant, os.path.relpath(path, place))}"
