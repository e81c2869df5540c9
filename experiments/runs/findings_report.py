"""What went wrong, and where, as a part of a ``report.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .findings import (
    FINDINGS,
    BaselineFinding,
    CurvesFinding,
    Finding,
    Findings,
    GalleryFinding,
    MatrixFinding,
    TableFinding,
    chart_name,
    finding_picture,
    read_findings,
)
from .markup import picture, plain

ROWS = 20
"""Of a table that stand in a report; the document has all."""


def findings_lines(folder: Path, base: Path | None = None) -> list[str]:
    """The lines of a report; none where the evaluation has left nothing.

    Args:
        folder: the run's or the evaluation's.
        base: the folder of the report, to which the pictures' paths are relative; the same where nothing is said.
    """
    found = read_findings(folder)
    if found is None:
        return []
    place = (folder / FINDINGS).relative_to(base or folder).as_posix()
    lines = ["## What went wrong, and where", "", *_baselines(found)]
    for number, section in enumerate(found.sections):
        if not isinstance(section, BaselineFinding):
            lines += [f"### {plain(section.title)}", "", *_section(section, number, folder, place)]
            lines += [plain(section.note), ""] if section.note else []
    return lines


def _baselines(found: Findings) -> list[str]:
    """All figures with a baseline in one table, and what the baselines are."""
    rows = [section for section in found.sections if isinstance(section, BaselineFinding)]
    if not rows:
        return []
    head = ["| metric | measured | baseline | which is |", "|---|---|---|---|"]
    cells = [f"| {plain(r.metric)} | {_cell(r.value)} | {_cell(r.baseline)} | {plain(r.name)} |" for r in rows]
    notes = dict.fromkeys(plain(row.note) for row in rows if row.note)
    return [*head, *cells, "", *(line for note in notes for line in (note, ""))]


def _section(section: Finding, number: int, folder: Path, place: str) -> list[str]:
    match section:
        case TableFinding():
            head = "| " + " | ".join(map(plain, section.columns)) + " |"
            rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in section.rows[:ROWS]]
            more = [f"and {len(section.rows) - ROWS} more in `findings.json`", ""] if len(section.rows) > ROWS else []
            return [head, "|---" * len(section.columns) + "|", *rows, "", *more]
        case GalleryFinding():
            there = [item for item in section.items if finding_picture(folder, item)]
            return [
                line
                for item in there
                for line in (f"{plain(item.caption)}", "", picture(item.file, f"{place}/{item.file}"), "")
            ]
        case MatrixFinding() | CurvesFinding() if (folder / FINDINGS / chart_name(number)).is_file():
            return [picture(section.title, f"{place}/{chart_name(number)}"), ""]
    return []


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else plain(value)
