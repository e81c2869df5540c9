"""The report of all studies: as Markdown, and as one HTML file that opens with no network."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.lectures import LECTURES
from experiments.runs.files import LECTURES as FOLDER
from experiments.runs.folder import write_atomically
from experiments.studies.study import ScaleName

from .evidence import folders, study_pictures
from .html import page
from .overview import (
    MEANING,
    SCALES,
    Entry,
    Record,
    changes,
    command,
    counts,
    entries,
    interval,
    level,
    number,
    records_at,
    seeds,
    with_unit,
)


def write_reports(runs: Path, scale: ScaleName) -> dict[str, Path]:
    """Writes them, and returns their paths by kind."""
    records = records_at(runs, scale)
    paths = {"report": runs / FOLDER / f"report-{scale}.md", "page": runs / FOLDER / f"report-{scale}.html"}
    write_atomically(paths["report"], markdown(runs, scale, records))
    write_atomically(paths["page"], page(runs, scale, records))
    return paths


def markdown(runs: Path, scale: str, records: Sequence[dict[str, Any]]) -> str:
    """The report as Markdown; pictures are linked where they lie."""
    found = {place: count for place, count in counts(records).items() if count}
    lines = ["# What the lectures claim, and what was measured", ""]
    lines += [f"Scale `{scale}`: {SCALES.get(scale, scale)}. Brackets are 95 % bootstrap intervals over seeds.", ""]
    lines += ["| verdict | claims | meaning |", "|---|---|---|"]
    lines += [f"| {place} | {count} | {MEANING[place]} |" for place, count in found.items()]
    for lecture, own in entries(records).items():
        lines += ["", f"## {LECTURES.get(lecture, lecture)}"]
        for entry in own:
            for record in entry.records:
                lines += ["", *_claim(runs, record)]
        lines += ["", "### Not run", "", *(_not_run(entry, scale) for entry in own if not entry.records)]
    return "\n".join(lines) + "\n"


def _not_run(entry: Entry, scale: str) -> str:
    how = f"`{command(entry.study, scale)}`" if entry.study else "no study yet"
    return f"- {entry.row.id} {_plain(entry.row.says)}: {how}"


def _claim(runs: Path, record: Record) -> list[str]:
    lines = [f"### {record.get('claim')} {_plain(record.get('title'))}", ""]
    lines += [f"**{level(record)}.** {_plain(record.get('because'))}", ""]
    lines += [f"- the lecture says: “{_plain(record.get('says'))}” (slide “{_plain(record.get('slide'))}”)"]
    lines += [f"- the paper: {_plain(record.get('paper'))}"]
    if record.get("erratum"):
        lines.append(f"- erratum: {_plain(record['erratum'])}")
    lines += [f"- departs from the lecture: {_plain(text)}" for text in record.get("departures") or []]
    lines += [f"- also: {_plain(text)}" for text in record.get("also") or [] if text != record.get("erratum")]
    about = [f"{record.get('seeds')} seeds"] if record.get("seeds") else []
    about += [str(record.get(key)) for key in ("device", "date", "commit") if record.get(key) and record.get(key) != "any"]
    lines += [f"- again: `{command(str(record.get('name')), str(record.get('scale')))}` ({_plain(', '.join(about))})"]
    if record.get("changed_code"):
        lines.append(f"- made before changes in {_plain(', '.join(map(str, record['changed_code'])))}")
    return lines + _effects(record) + _gates(record) + _checks(record) + _arms(record) + _pictures(runs, record)


def _effects(record: Record) -> list[str]:
    rows = [(effect, "") for effect in record.get("effects") or []]
    if record.get("naive"):
        rows.append((record["naive"], " (naive: one learning rate for all)"))
    if not rows:
        return []
    lines = ["", "| measured | mean | 95 % interval | needed | each seed |", "|---|---|---|---|---|"]
    for effect, note in rows:
        mean = with_unit(effect.get("estimate"), str(effect.get("unit") or ""))
        cells = [f"{effect.get('name')}{note}", mean, interval(effect), effect.get("needs") or "", seeds(effect)]
        lines.append(_row(cells))
    return lines


def _gates(record: Record) -> list[str]:
    gates = record.get("gates") or []
    lines = [_row(["met" if g.get("passed") else "**failed**", g.get("name"), g.get("detail") or ""]) for g in gates]
    return ["", "| | condition | |", "|---|---|---|", *lines] if lines else []


def _checks(record: Record) -> list[str]:
    checks = record.get("checks") or []
    lines = [
        _row([c.get("what"), number(c.get("computed")), number(c.get("expected")), "yes" if c.get("holds") else "**no**"])
        for c in checks
    ]
    return ["", "| identity | computed | must be | holds |", "|---|---|---|---|", *lines] if lines else []


def _arms(record: Record) -> list[str]:
    lines = []
    for name, arm in (record.get("arms") or {}).items():
        tried = ", ".join(f"{rate}: {number(score)}" for rate, score in (arm.get("tried") or {}).items())
        rate = number(arm["rate"]) if arm.get("rate") is not None else ""
        lines.append(_row([name, changes(arm), rate, tried]))
    head = ["", "| arm | differs in | learning rate | tried (score) |", "|---|---|---|---|"]
    return [*head, *lines] if lines else []


def _pictures(runs: Path, record: Record) -> list[str]:
    lines: list[str] = []
    for name, by_arm in study_pictures(runs, record).items():
        lines += ["", f"{_plain(name)}:"]
        for arm, path in by_arm.items():
            place = os.path.relpath(path, runs / FOLDER)
            lines.append(f"{_plain(arm)} ![{_plain(arm)}](<{place.replace('>', '%3E').replace('<', '%3C')}>)")
    missing = [arm for arm, places in folders(runs, record).items() if not places]
    return [*lines, "", f"The runs of {_plain(', '.join(missing))} are gone."] if missing else lines


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(_plain(cell) if not str(cell).startswith("**") else str(cell) for cell in cells) + " |"


def _plain(text: Any) -> str:
    """Text in which nothing is taken for markup."""
    escaped = re.sub(r"[ \t\r\n]+", " ", str(text)).strip()
    for mark in "\\`*_<>[]|#":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped
