"""The table of verdicts in a Markdown file, between two markers: generated, never typed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.scene import InputError
from experiments.lectures import LECTURES, rows
from experiments.runs.folder import write_atomically
from experiments.studies.verdict import Level

from .claims import claims
from .records import study_digest

BEGIN, END = "<!-- verdicts:begin -->", "<!-- verdicts:end -->"
DIGESTS = re.compile(r"<!-- studies: (\{.*?\}) -->")


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """The verdicts as Markdown, and in a comment what each study was when it was judged."""
    if not records:
        raise InputError("there are no verdicts to write; `lectern reproduce all` makes them")
    counts = {level: sum(r["level"] == level for r in records) for level in Level}
    counts[Level.NOT_RUN] = len(rows()) - len({r["claim"] for r in records})
    waiting = [claim for claim in claims().values() if claim.id not in {r["claim"] for r in records}]
    lines = [
        f"{len(rows())} claims: " + ", ".join(f"{n} {level}" for level, n in counts.items() if n) + ".",
        f"Scale `{_all(records, 'scale')}`, {_dates(records)}; "
        f"commit: {_all(records, 'commit')}; device: {_all(records, 'device')}.",
        "Brackets are 95 % bootstrap intervals over seeds.",
    ]
    for lecture, title in LECTURES.items():
        own = [r for r in records if str(r["name"]).startswith(f"{lecture}/")]
        if own:
            lines += ["", f"**{title}**", "", "| | the lecture says | verdict | measured |", "|---|---|---|---|"]
            found = {r["claim"]: (r["title"], r["level"], measured(r)) for r in own}
            found |= {c.id: (c.title, Level.NOT_RUN, "has a study") for c in waiting if c.lecture == lecture}
            lines += [
                f"| {i} | {_cell(title)} | **{level}** | {_cell(text)} |" for i, (title, level, text) in sorted(found.items())
            ]
    judged = {r["name"]: r["study_digest"] for r in records} | {claim.name: Level.NOT_RUN for claim in waiting}
    digests = json.dumps(judged, sort_keys=True)
    return "\n".join([*lines, "", f"<!-- studies: {digests} -->"])


def measured(record: Mapping[str, Any]) -> str:
    """What decided, in one line."""
    effects = [e for e in record.get("effects", []) if e.get("estimate") is not None][:2]
    if effects and record["level"] != Level.INCONCLUSIVE:
        return "; ".join(_effect(e) for e in effects)
    checks = record.get("checks", [])
    if checks and record["level"] != Level.INCONCLUSIVE:
        return f"{sum(c['holds'] for c in checks)} of {len(checks)} identities hold"
    return str(record.get("because", ""))


def _effect(effect: Mapping[str, Any]) -> str:
    low, high = effect["interval"]
    unit = f" {effect['unit']}" if effect["unit"] else ""
    return f"{effect['name']} {effect['estimate']:.3g}{unit} [{low:.3g}, {high:.3g}]"


def _cell(text: str) -> str:
    return " ".join(str(text).replace("|", "\\|").split())


def _all(records: Sequence[Mapping[str, Any]], key: str) -> str:
    values = {v for r in records for v in str(r.get(key) or "").split(", ") if v and v != "any"}
    if len(values) > 3:
        return f"{len(values)} of them (each run's summary has its own)"
    return ", ".join(sorted(values)) or "unknown"


def _dates(records: Sequence[Mapping[str, Any]]) -> str:
    days = sorted({str(r["date"])[:10] for r in records})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def write_table(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Replaces what stands between the markers of a file.

    Raises:
        InputError: there is no such file, or it has no markers.
    """
    before, _, after = _parts(path)
    write_atomically(path, f"{before}{BEGIN}\n{table(records)}\n{END}{after}")


def check_table(path: Path) -> int:
    """1, and what is wrong, where the table was made from studies that are not those of today; otherwise 0."""
    _, inside, _ = _parts(path)
    found = DIGESTS.search(inside)
    was: dict[str, str] = json.loads(found[1]) if found else {}
    now = {claim.name: study_digest(claim) for claim in claims().values()}
    problems = [
        f"{name}: judged before its study changed"
        for name in now
        if name in was and was[name] not in (now[name], Level.NOT_RUN)
    ]
    problems += [f"{name}: has no row" for name in now if name not in was]
    problems += [f"{name}: has a row, but no study any more" for name in was if name not in now]
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    if problems:
        print(f"{path}: lectern reproduce all --table {path} brings it up to date", file=sys.stderr)
    return int(bool(problems))


def _parts(path: Path) -> tuple[str, str, str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{path}: has no markers {BEGIN} and {END} for the table to stand between")
    return before, inside, after
