"""What stands beside a picture: the lecture's sentence, the committed verdict, and the command that judges the claim."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from experiments import lectures
from experiments.lectures import LECTURES, rows
from experiments.reports.meanings import SIGNS
from experiments.reports.overview import study_names
from experiments.reports.wording import command, headline
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level
from experiments.studies.record import Record


@dataclass(frozen=True)
class Statement:
    """A claim as it is put before people."""

    id: str
    lecture: str
    """The title of the lecture that it stands in first."""
    title: str
    """What it states, in one line."""
    says: str
    """The lecture's own words."""
    translation: str
    slide: str
    level: Level
    decided: str
    """What decided the committed verdict, in one line; empty where there is none."""
    day: str
    judge: str
    """The command that judges it; empty where it has no study."""

    @property
    def sign(self) -> str:
        return SIGNS[self.level]

    @property
    def language(self) -> str:
        return "ko" if any("\uac00" <= c <= "\ud7a3" for c in self.says) else "en"


@cache
def records() -> dict[str, Record]:
    """The committed verdicts of the scale ``cpu``, by claim."""
    return {record.claim: record for record in committed_records("cpu")}


def claim(id_: str) -> Statement:
    """What is said of a claim; of one without a verdict, what its study's file says."""
    row, record, study = rows()[id_], records().get(id_), study_names().get(id_, "")
    lecture = LECTURES[row.lecture.split()[0]]
    judge = command(study, "cpu") if study else ""
    if record:
        return Statement(
            id_, lecture, record.title, record.says, record.translation, record.slide, record.level, headline(record),
            record.day, judge,
        )  # fmt: skip
    words = written(Path(lectures.__file__).parent / f"{study}.py") if study else {}
    return Statement(
        id_, lecture, words.get("title", row.says), words.get("says", row.says), words.get("translation", ""),
        words.get("slide", ""), Level.NOT_RUN, "", "", judge,
    )  # fmt: skip


def written(path: Path) -> dict[str, str]:
    """The texts that a study's file gives its study, and the first line of its docstring as ``title``; nothing is imported.

    What the studies of a slide have in common stands in a file beside theirs, from which they import it.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {"title": (ast.get_docstring(tree) or "").split("\n")[0]}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("says", "translation", "slide") and node.arg not in found:
            if isinstance(node.value, ast.Constant):
                found[node.arg] = str(node.value.value)
            elif isinstance(node.value, ast.Name) and node.value.id in names:
                found[node.arg] = names[node.value.id]
            elif isinstance(node.value, ast.JoinedStr):
                found[node.arg] = _joined(node.value, names)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module and "slide" not in found:
            beside = path.with_name(f"{node.module}.py")
            common = written(beside) if beside.is_file() else {}
            found |= {"slide": common["slide"]} if "slide" in common else {}
    return found


def _joined(text: ast.JoinedStr, names: dict[str, str]) -> str:
    """An f-string of constants of the file."""
    parts = []
    for value in text.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        elif isinstance(value, ast.FormattedValue) and isinstance(value.value, ast.Name):
            parts.append(names.get(value.value.id, ""))
    return "".join(parts)
