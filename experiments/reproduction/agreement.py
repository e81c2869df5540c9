"""Whether a verdict holds on seeds that it was not made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.runs.files import STUDIES_FOLDER
from experiments.studies.committed import committed_record
from experiments.studies.levels import Level
from experiments.studies.record import Record, read_record


@dataclass(frozen=True)
class Agreement:
    """What fresh seeds say, beside the verdict that there is."""

    now: Record
    """Of the fresh seeds; written nowhere."""
    was: Record | None
    """The committed verdict or, where there is none, the user's own."""
    source: Literal["committed", "your"]
    preview: str = ""
    """How many seeds there are, where they are too few for a verdict."""

    @property
    def held(self) -> bool | None:
        """Whether the headline has the level that it had; None where nothing is there to compare, or the seeds are too few."""
        return None if self.was is None or self.preview else self.now.level is self.was.level

    @property
    def other_parts(self) -> dict[str, tuple[Level, Level]]:
        """The further parts whose level is another: by letter, the level then and now."""
        was = self.was.parts if self.was else {}
        both = {letter: (was[letter].level, part.level) for letter, part in list(self.now.parts.items())[1:] if letter in was}
        return {letter: levels for letter, levels in both.items() if levels[0] is not levels[1]}


def compared(now: Record, runs: Path, preview: str = "") -> Agreement:
    """Fresh seeds' verdict beside the one that there is."""
    if committed := committed_record(now.name, now.scale):
        return Agreement(now, committed, "committed", preview)
    return Agreement(now, read_record(runs / STUDIES_FOLDER / now.name / f"verdict-{now.scale}.json"), "your", preview)


def agreement_summary(agreements: Sequence[Agreement]) -> str:
    """``11 of 12 levels held``."""
    known = [a.held for a in agreements if a.held is not None]
    rest = len(agreements) - len(known)
    return f"{sum(known)} of {len(known)} levels held" + (f"; {rest} with nothing to compare, or too few seeds" if rest else "")
