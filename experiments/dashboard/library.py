"""The run folders below a root, and what they say; read again only where a file has changed.

Links are not followed, and nothing outside the root is read (see :mod:`experiments.runs.files`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from experiments.dashboard.launch import RUNS
from experiments.lectures import LECTURES
from experiments.reports.evidence import curves_of, small_picture
from experiments.reports.series import Series
from experiments.runs.files import (
    CHECKPOINTS,
    CONFIG,
    CURVES,
    EVALUATION,
    EVALUATIONS,
    METRICS,
    PICTURES,
    STUDIES_FOLDER,
    SUMMARY,
    flat,
    is_text,
    read_columns,
    read_config,
    read_summary,
    state_of,
    test_metrics,
)
from experiments.runs.notes import NOTES, Notes, read_notes
from experiments.studies.code import stale
from experiments.studies.record import Record, broken_records, older_records, read_records

FILES = (SUMMARY, METRICS, CONFIG, CURVES)
PARTS = {*FILES, "log.txt", "experiment.yaml", CHECKPOINTS, PICTURES}
"""What makes a folder a run."""
HIDDEN = ("wandb", "submitit", "__pycache__", EVALUATIONS)
DEEPEST = 6
MOST = 5000
"""Folders that are looked at; a root with more is not a folder of runs."""

Stamp = tuple[int, ...]
F = TypeVar("F", bound=Callable[..., Any])


def kept(most: int) -> Callable[[F], F]:
    """Remembers what a function returned for its last ``most`` arguments, a file's stamp among them, for all who look.

    What it returns is looked at and not changed: Streamlit's own cache would copy it at each call, which took longer than
    all the rest of a page of two hundred runs.
    """
    return cast(Callable[[F], F], lru_cache(maxsize=most))


@dataclass(frozen=True)
class RunInfo:
    """A run as a table shows it."""

    name: str
    """Its path below the root."""
    folder: Path
    state: str
    summary: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """By dotted name."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Last values, the test's included."""
    notes: Notes = field(default_factory=Notes)

    @property
    def tags(self) -> tuple[str, ...]:
        return self.notes.tags

    @property
    def is_dead(self) -> bool:
        """Whether it ended without a word: its summary says that it runs, and nobody holds its lock."""
        return self.state == "unfinished" and self.summary.get("state") == "running"

    @property
    def sweep(self) -> str | None:
        """The sweep that it is a trial of."""
        found = self.summary.get("sweep")
        name = found.get("name") if isinstance(found, dict) else found
        return str(name) if name else None

    @property
    def study(self) -> dict[str, Any]:
        """Which variant and seed of which study it is; empty for a run of its own."""
        found = self.summary.get("study")
        return found if isinstance(found, dict) else {}

    @property
    def seconds(self) -> float | None:
        value = self.summary.get("seconds")
        return float(value) if isinstance(value, int | float) else None


def root() -> Path:
    """The folder of all runs."""
    return Path(os.environ.get(RUNS, "runs"))


def find(place: Path) -> list[Path]:
    """Every run folder below ``place``, the empty ones too, in the order of their names."""
    return _looked_for(place)[0]


def left_out(place: Path) -> str:
    """That some runs are not among those of :func:`runs`, and what helps, in words; empty where all are."""
    is_whole = _looked_for(place)[1]
    return "" if is_whole else f"{place} has more than {MOST:,} folders: runs are left out; --runs FOLDER takes one in it"


def _looked_for(place: Path) -> tuple[list[Path], bool]:
    """The run folders, and whether they are all: what was not looked at is left out."""
    found: list[Path] = []
    waiting = [(place, 0)]
    looked = 0
    while waiting and looked < MOST:
        folder, depth = waiting.pop()
        looked += 1
        try:
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".") and is_text(entry.name)]
        except OSError:
            continue
        names = {entry.name for entry in inside}
        folders = [Path(e.path) for e in inside if e.is_dir(follow_symlinks=False) and e.name not in HIDDEN]
        verdicts = any(name.startswith("verdict-") for name in names)  # a study's folder holds runs and is none
        if depth and (names & PARTS or not (folders or verdicts)):
            found.append(folder)
        elif depth < DEEPEST:
            waiting += [(path, depth + 1) for path in folders]
    own = (place / STUDIES_FOLDER, *(place / STUDIES_FOLDER / lecture for lecture in LECTURES))
    return sorted(path for path in found if path not in own), not waiting


def runs(place: Path) -> list[RunInfo]:
    """All runs, the newest first."""
    return sorted(
        (info(path, place) for path in find(place)), key=lambda run: str(run.summary.get("started") or ""), reverse=True
    )


def info(folder: Path, place: Path) -> RunInfo:
    """A run, its state as it is now."""
    stamp = _stamp(folder)
    run = _info(folder, place, stamp)
    return replace(run, state=state(run.folder, run.summary, stamp), notes=_notes(folder, _time_of(folder / NOTES)))


def state(folder: Path, summary: dict[str, Any], stamp: Stamp) -> str:
    """running, unfinished, finished, diverged or failed: whoever writes a run holds its lock. Or empty: there is no file."""
    said = state_of(folder, summary)
    return said if said == "running" or any(stamp) else "empty"


def _stamp(folder: Path) -> Stamp:
    """(time of change in ns, size) of each of its files, zeros where there is none; the newest evaluation, and their count."""
    found = [part for name in FILES for part in _time_of(folder / name)]
    times = [path.lstat().st_mtime_ns for path in (folder / EVALUATIONS).glob(f"*/{EVALUATION}")]
    return (*found, max(times, default=0), len(times))


def _time_of(path: Path) -> Stamp:
    try:
        status = path.lstat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@kept(2 * MOST)
def _notes(folder: Path, stamp: Stamp) -> Notes:
    return read_notes(folder) if any(stamp) else Notes()


@kept(2 * MOST)
def _info(folder: Path, place: Path, stamp: Stamp) -> RunInfo:
    summary = read_summary(folder)
    parts = (summary.get("metrics"), test_metrics(folder, summary), summary.get("measured"))
    metrics = {k: v for part in parts for k, v in _numbers(part).items()}
    if not metrics:  # it is under way, or was stopped
        for name, values in read_columns(folder).items():
            known = values[~(values != values)]
            if len(known) and name not in ("step", "epoch", "seconds"):
                metrics[name] = float(known[-1])
    return RunInfo(folder.relative_to(place).as_posix(), folder, "", summary, flat(read_config(folder)), metrics)


def _numbers(values: Any) -> dict[str, float]:
    if not isinstance(values, dict):
        return {}
    return {str(k): float(v) for k, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}


def curves(run: RunInfo) -> dict[str, Series]:
    """A run's curves over its steps."""
    return _curves(run.folder, _stamp(run.folder))


@kept(400)
def _curves(folder: Path, stamp: Stamp) -> dict[str, Series]:
    return curves_of(folder)


def columns(run: RunInfo) -> dict[str, Any]:
    """A run's ``metrics.csv`` as columns."""
    return _columns(run.folder, _stamp(run.folder))


@kept(400)
def _columns(folder: Path, stamp: Stamp) -> dict[str, Any]:
    return read_columns(folder)


def picture(path: Path, side: int = 700) -> bytes | None:
    """A picture as WebP, no wider than ``side`` pixels."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _picture(path, side, changed)


@kept(400)
def _picture(path: Path, side: int, changed: int) -> bytes | None:
    return small_picture(path, side, 85)


def records(place: Path) -> list[Record]:
    """All verdicts, of every scale."""
    return _records(place, _verdicts(place))


def changed(record: Record) -> list[str]:
    """The files that a verdict rests on and that were changed since, or between its runs."""
    return sorted({*record.changed_code, *stale(record.code)})


def older(place: Path) -> list[str]:
    """The studies whose verdict an older version made."""
    return _older(place, _verdicts(place))


def broken(place: Path) -> list[str]:
    """The verdicts' files that are damaged, or no verdicts at all."""
    return _broken(place, _verdicts(place))


def _verdicts(place: Path) -> Stamp:
    """The times of change (ns) of all verdicts."""
    try:
        return tuple(path.lstat().st_mtime_ns for path in sorted((place / STUDIES_FOLDER).glob("*/*/verdict-*.json")))
    except OSError:
        return ()


@kept(10)
def _records(place: Path, stamp: Stamp) -> list[Record]:
    return read_records(place)


@kept(10)
def _broken(place: Path, stamp: Stamp) -> list[str]:
    return broken_records(place)


@kept(10)
def _older(place: Path, stamp: Stamp) -> list[str]:
    return older_records(place)


def duration(seconds: float | None) -> str:
    """``2 min 5 s``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def day(value: Any) -> str:
    """The date and time of an ISO 8601 text, without seconds."""
    try:
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return "–"
