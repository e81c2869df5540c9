"""All claims of the lectures beside the verdicts that there are: what a reader is shown first."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from experiments import lectures
from experiments.lectures import LECTURES, Row, rows
from experiments.studies.record import Record, read_records
from experiments.studies.verdict import Level

from .comparison import Pair, pairs
from .wording import command


@dataclass(frozen=True)
class Entry:
    """A claim of a lecture, and the verdicts on it; none where it was not run."""

    row: Row
    lecture: str
    records: list[Record] = field(default_factory=list)
    study: str = ""
    """The name of its study, ``cnn/plain_nets_degrade``; empty where it has none yet."""
    committed: list[Record] = field(default_factory=list)
    """The verdicts on it that come with Lectern."""
    is_older: bool = False
    """Whether an older version judged it, whose verdict is not read any more."""

    @property
    def pairs(self) -> list[Pair]:
        """What was made here beside what comes with Lectern, by scale."""
        return pairs(self.records, self.committed)

    def how_to_run(self, scale: str) -> str:
        """What to type; empty where it has no study."""
        return command(self.study, scale) if self.study else ""

    @property
    def why_not(self) -> str:
        """Why there is no verdict to show."""
        if self.is_older:
            return "made by an older version, run again:"
        return "" if self.study else "no study yet"


def records_at(runs: Path, scale: str) -> list[Record]:
    """The verdicts of a scale, and the exact ones, which hold at any."""
    found = read_records(runs, scale)
    if scale != "cpu":
        found += [record for record in read_records(runs, "cpu") if record.is_at_any_scale]
    return sorted(found, key=lambda record: record.claim)


def entries(records: Iterable[Record], older: Collection[str] = (), committed: Iterable[Record] = ()) -> dict[str, list[Entry]]:
    """Every claim, by the lecture that it stands in first.

    Args:
        records: the verdicts.
        older: the names of the studies whose verdict an older version made.
        committed: the verdicts that come with Lectern.
    """
    own, theirs = _by_claim(records), _by_claim(committed)
    studies = study_names()
    found: dict[str, list[Entry]] = {lecture: [] for lecture in LECTURES}
    for row in rows().values():
        lecture = row.lecture.split()[0]
        study = studies.get(row.id, "")
        found.setdefault(lecture, []).append(
            Entry(row, lecture, own.get(row.id, []), study, theirs.get(row.id, []), study in older)
        )
    return found


def _by_claim(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.claim, []).append(record)
    return found


def counts(records: Sequence[Record]) -> dict[Level, int]:
    """How many verdicts stand where, and how many claims have none."""
    found = {place: sum(record.level == place for record in records) for place in Level}
    found[Level.NOT_RUN] = len(rows().keys() - {record.claim for record in records})
    return found


def days(records: Sequence[Record]) -> str:
    """When they were made: a day, or the first and the last."""
    found = sorted({record.day for record in records})
    return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}" if found else "never"


def devices(records: Sequence[Record]) -> list[str]:
    """What they were made on."""
    return _all(record.device for record in records if not record.is_at_any_scale)


def commits(records: Sequence[Record]) -> list[str]:
    """The commits of the code that made them."""
    return _all(record.commit for record in records)


def _all(lists: Iterable[str]) -> list[str]:
    return sorted({value for text in lists for value in text.split(", ") if value})


@cache
def study_names() -> dict[str, str]:
    """The studies' names by claim, as their files say: importing them would import torch, which takes seconds."""
    found = {}
    for path in sorted(Path(lectures.__file__).parent.glob("*/[!_]*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "claim" and isinstance(node.value, ast.Constant):
                found[str(node.value.value)] = f"{path.parent.name}/{path.stem}"
    return found
