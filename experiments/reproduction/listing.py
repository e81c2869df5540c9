"""Where the claims stand, what a study takes, and the choice among them: ``lectern reproduce --list`` and its filters."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from textwrap import wrap

from datamodules.scene import InputError
from experiments.lectures import LECTURES, rows
from experiments.reports.wording import headline
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level
from experiments.studies.record import Record, read_records
from experiments.studies.study import Exact, ScaleName

from .claims import Claim, claims

WIDTH, NAMES = 100, 53
"""Columns of the list, and of the names of its studies."""
INDENT = " " * 7


@dataclass(frozen=True)
class Standing:
    """Where a study stands."""

    claim: Claim
    committed: Record | None = None
    own: Record | None = None
    speed: float | None = None
    """Seconds that this machine takes for one second of the committed records; None where no run of the user's tells."""

    @property
    def record(self) -> Record | None:
        """The user's own where there is one, otherwise the committed one."""
        return self.own or self.committed

    @property
    def level(self) -> Level:
        return self.record.level if self.record else Level.NOT_RUN

    @property
    def minutes(self) -> float | None:
        """CPU-minutes that the study takes: here where it was run here, or as far as other studies tell; None: not known."""
        if isinstance(self.claim.study, Exact):
            return self.record.seconds / 60 if self.record else 0.0
        if self.own and self.own.cpu_seconds:
            return self.own.cpu_seconds / 60
        if self.committed and self.committed.cpu_seconds:
            return self.committed.cpu_seconds * (self.speed or 1.0) / 60
        return None

    @property
    def elsewhere(self) -> str:
        """The processor that the minutes are of, where it is not this one."""
        here = isinstance(self.claim.study, Exact) or (self.own and self.own.cpu_seconds) or self.speed
        return "" if here or self.minutes is None or not self.committed else self.committed.processor or "another processor"

    def lines(self, today: date) -> list[str]:
        """Of the list: its verdicts and what it takes; below, what was measured or what it claims."""
        committed = f"{self.committed.level}, {_when(self.committed, today)}" if self.committed else "–"
        own = f"yours: {self.own.level}, {_when(self.own, today)}" if self.own else ""
        cost = (
            "" if self.minutes is None else f"{self.minutes:.1f} CPU-min" + (f" on {self.elsewhere}" if self.elsewhere else "")
        )
        shown = headline(self.record) if self.record else ""
        facts = _packed(f"  {self.claim.id}  {self.claim.name}", committed, own, cost)
        return [*facts, *_wrapped(shown or self.claim.title, INDENT)]


def _packed(*facts: str) -> list[str]:
    """Facts side by side, and below each other where a line would be wider than :data:`WIDTH`."""
    lines = [""]
    for fact in filter(None, facts):
        joined = f"{lines[-1]:{NAMES}}  {fact}" if lines[-1] else fact
        if len(joined) > WIDTH and lines[-1].strip():
            lines.append(INDENT + fact)
        else:
            lines[-1] = joined
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    """At most two lines."""
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=INDENT, max_lines=2, placeholder=" …")


def _when(record: Record, today: date) -> str:
    """``2026-11-24, 3 days old``."""
    days = (today - record.date.date()).days
    return f"{record.day} ({'today' if days <= 0 else 'a day old' if days == 1 else f'{days} days old'})"


def standings(runs: Path, scale: ScaleName) -> dict[str, Standing]:
    """Every study at a scale, by name: its committed verdict, and the user's own."""
    committed, own = (
        {record.name: record for record in found if record.scale == scale or record.is_at_any_scale}
        for found in (committed_records(), read_records(runs))
    )
    speed = _speed(committed, own)
    return {name: Standing(claim, committed.get(name), own.get(name), speed) for name, claim in claims().items()}


def _speed(committed: dict[str, Record], own: dict[str, Record]) -> float | None:
    """What this machine takes of the time of the committed records, by the studies that were run on both."""
    both = [(committed[name], record) for name, record in own.items() if name in committed]
    ratios = [r.cpu_seconds / c.cpu_seconds for c, r in both if c.cpu_seconds and r.cpu_seconds and c.seeds == r.seeds]
    return median(ratios) if ratios else None


def level_of(word: str) -> Level:
    """A level by its name, ``direction only`` or ``direction-only``.

    Raises:
        ArgumentTypeError: there is none of this name; it says which there are.
    """
    try:
        return Level(word.lower().replace("-", " ").replace("_", " "))
    except ValueError:
        raise ArgumentTypeError(f"{word!r} is no level; {', '.join(Level)} expected") from None


def filtered(
    chosen: Sequence[Claim], levels: Sequence[Level], most: float | None, runs: Path, scale: ScaleName
) -> tuple[list[Claim], str]:
    """The studies among ``chosen`` that stand at one of these levels and take no longer than ``most`` CPU-minutes.

    Returns:
        These; and a line on those left out since nobody knows what they take, empty where there are none.

    Raises:
        InputError: ``most`` is not positive.
    """
    if most is not None and not most > 0:
        raise InputError(f"--max-minutes {most:g}: more than 0 expected")
    if not levels and most is None:
        return list(chosen), ""
    known = standings(runs, scale)
    at_level = [claim for claim in chosen if not levels or known[claim.name].level in levels]
    if most is None:
        return at_level, ""
    unknown = [claim.id for claim in at_level if known[claim.name].minutes is None]
    short = [claim for claim in at_level if (minutes := known[claim.name].minutes) is not None and minutes <= most]
    left_out = f"{len(unknown)} studies are left out, since nobody has measured what they take: {', '.join(unknown)}"
    return short, left_out if unknown else ""


def list_claims(chosen: Sequence[Claim], everything: bool, runs: Path, scale: ScaleName) -> list[str]:
    """The lines of ``--list``: the studies chosen, by lecture and, with ``everything``, the claims that have none."""
    known, wanted, today = standings(runs, scale), {claim.id: claim for claim in chosen}, date.today()
    studied = {claim.id for claim in claims().values()}
    lines = []
    for lecture, title in LECTURES.items():
        own = []
        for row in rows().values():
            if lecture not in row.lecture.split()[:1]:
                continue
            if claim := wanted.get(row.id):
                own += known[claim.name].lines(today)
            elif everything and row.id not in studied:
                own += _wrapped(f"  {row.id}  (no study yet) {row.says}")
        lines += [title, *own] if own else []
    committed = [standing.committed for standing in known.values() if standing.committed]
    if committed:
        processors = ", ".join(sorted({r.processor for r in committed if r.processor})) or "processor not known"
        days = sorted({record.day for record in committed})
        lines += [
            "",
            *wrap(f"Behind each study: the committed verdict ({processors}; {days[0]} to {days[-1]}), and yours.", WIDTH),
        ]
    lines += [
        "",
        f"{len(claims())} of {len(rows())} claims have a study" + ("." if everything else f"; {len(wanted)} are shown."),
    ]
    return lines
