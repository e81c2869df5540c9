"""``lectern reproduce --list``: where every claim stands, from the committed records alone, in lines of at most 100 columns.

Nothing here imports torch, or a study. ``lectern reproduce --list all`` has more of each: age, cost and what was measured.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

from experiments import ROOT, lectures
from experiments.lectures import LECTURES, rows
from experiments.studies.levels import Level

WIDTH = 100
CLAIM = re.compile(r'^\s+claim="([A-Z]\d+)"', re.MULTILINE)


def run() -> int:
    """Prints the overview; returns the exit code."""
    for line in overview(Path("runs")):
        print(line)
    return 0


def overview(runs: Path) -> list[str]:
    """Each claim with the level that comes with Lectern, the study's name, and the level of the user's own run beside it."""
    committed, own = committed_levels(), own_levels(runs)
    lines = list[str]()
    for lecture, title in LECTURES.items():
        lines.append(title)
        for row in rows().values():
            if lecture not in row.lecture.split()[:1]:
                continue
            name, says = studies().get(row.id, ("", row.says))
            level = committed.get(name, Level.NOT_RUN)
            yours = f"yours: {own[name]}" if name in own else ""
            shown = f"  {row.id}  {level:15} {name.rpartition('/')[2] or '(no study yet)':46} {yours}"
            lines += [shown.rstrip(), _cut(f"       {says}")]
    return [
        *lines,
        "",
        f"{len(studies())} of {len(rows())} claims have a study; lectern reproduce NAME runs one.",
        "lectern reproduce --list all shows what each measured, when, and what it takes.",
    ]


def committed_levels() -> dict[str, str]:
    """The level of each study that comes with Lectern, by name: what its record says first, without checking all of it."""
    found = {}
    for path in sorted((ROOT / "experiments" / "results" / "cpu").glob("*/*.json")):
        content = json.loads(path.read_bytes())
        found[f"{path.parent.name}/{path.stem}"] = str(next(iter(content["parts"].values()))["level"])
    return found


def own_levels(runs: Path) -> dict[str, str]:
    """The level of each study that the user has run; records of theirs are checked as they are read, which takes longer."""
    if not runs.is_dir():
        return {}
    from experiments.studies.record import read_records

    return {record.name: str(record.level) for record in read_records(runs, "cpu")}


@cache
def studies() -> dict[str, tuple[str, str]]:
    """Of each claim that has a study its name and its first sentence, by the claim's id; read from the files' text."""
    found = {}
    for lecture in LECTURES:
        for path in sorted((Path(lectures.__file__).parent / lecture).glob("[!_]*.py")):
            text = path.read_text(encoding="utf-8")
            if claim := CLAIM.search(text):
                says = ast.get_docstring(ast.parse(text)) or path.stem
                found[claim[1]] = (f"{lecture}/{path.stem}", says.partition("\n")[0])
    return found


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1].rstrip()}…"
