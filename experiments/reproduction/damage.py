"""Runs that are damaged: what is wrong with a finished run's files, and where such a run is put."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.runs.bounded import read_json
from experiments.runs.files import AXES, CURVES, METRICS, SUMMARY, read_metrics
from experiments.runs.folder import is_run

from .evidence import seal


def damage(folder: Path) -> str:
    """What is wrong with a study's run, in one line that begins with the file; empty where nothing is.

    A run that has not come to its end is not damaged: it is gone on with. NaN is no damage where the run has logged it:
    one that diverged does, and a metric of which there is nothing in the data.
    """
    return next(_damages(folder), "")


def set_aside(folder: Path) -> Path:
    """Moves a damaged run to ``<folder>.damaged-1`` (2, 3, … where that is taken); returns where it lies now."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.damaged-{number}")).exists():
        number += 1
    return folder.rename(aside)


def _damages(folder: Path) -> Iterator[str]:
    if not (folder / SUMMARY).is_file():
        if is_run(folder):
            yield f"{SUMMARY} is missing"
        return
    try:
        summary = read_json(folder / SUMMARY)
    except (OSError, ValueError):
        summary = None
    if not isinstance(summary, dict):
        yield f"{SUMMARY} is truncated, or no JSON"
        return
    if not summary.get("complete"):
        return
    if "measured" in summary:
        yield from _of_measurement(summary)
    else:
        yield from _of_training(folder, summary)
    yield from _by_seal(folder, summary)


def _of_measurement(summary: Mapping[str, Any]) -> Iterator[str]:
    measured = summary["measured"]
    if not isinstance(measured, dict):
        yield f"{SUMMARY} has lost what was measured"
        return
    for name, value in measured.items():
        if value is None and not summary.get("sealed"):
            yield f"{SUMMARY}: {name} is NaN, and nothing says why"


def _of_training(folder: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    logged, metrics = summary.get("metrics"), folder / METRICS
    if not metrics.is_file():
        yield f"{METRICS} is missing"
        return
    if not isinstance(logged, dict):
        yield f"{SUMMARY} has lost the metrics"
        return
    text = metrics.read_bytes()
    if not text.endswith(b"\n"):
        yield f"{METRICS} is truncated"
    columns = {*logged, *text.partition(b"\n")[0].decode(errors="replace").strip().split(",")}
    test = summary.get("test")
    said = {**logged, **(test if isinstance(test, dict) else {})}
    last = {name: value for row in read_metrics(folder) for name, value in row.items() if name not in AXES}
    for name in [*said, *(name for name in last if name not in said)]:
        if name not in last and name in columns:
            yield f"{METRICS} has lost {name}"
        elif name in last and name not in said:
            yield f"{SUMMARY} has lost {name}"
        elif name in last and not _same(said[name], last[name]):
            yield f"{METRICS} ends with {name} at {last[name]:g}, {SUMMARY} has {_shown(said[name])}"
        elif name not in last and said[name] is None and summary.get("state") != "diverged" and not summary.get("sealed"):
            yield f"{SUMMARY}: {name} is NaN, and the run did not diverge"


def _by_seal(folder: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    was = summary.get("sealed")
    if not isinstance(was, dict):  # made before there was one
        return
    now = seal(folder, summary)
    for name, digest in was.items():
        if now.get(name) != digest:
            what = f"the figures of {SUMMARY} are" if name == "figures" else f"{name} is"
            yield f"{what} {'missing' if name not in now else 'not what the run wrote'}"
    if CURVES in now and CURVES not in was:
        yield f"{CURVES} is not of this run"


def _same(said: Any, logged: float) -> bool:
    """Whether the summary has what was logged; what is not finite is null there."""
    if said is None:
        return not math.isfinite(logged)
    return isinstance(said, int | float) and float(said) == logged


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "NaN" if value is None else repr(value)[:40]
