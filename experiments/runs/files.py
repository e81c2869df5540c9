"""What run folders say, for whoever only reads them.

Nothing here imports torch or Lightning, so that a page of the dashboard is there at once; and nothing is read that does not
lie inside the folder of all runs: a symbolic link or a ``..`` that leads out of it reads as if there were no such file.
"""

from __future__ import annotations

import csv
import math
import reprlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bounded import LARGEST, read_json, read_yaml
from .lock import LOCK, is_locked

METRICS = "metrics.csv"
SUMMARY = "summary.json"
CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"
PICTURES = "pictures"
CURVES = "curves.json"
"""Where a measurement's curves lie."""
EVALUATIONS = "evaluations"
"""Where each test, validation and prediction has a folder of its own."""
EVALUATION = "evaluation.json"
STUDIES_FOLDER = "lectures"
"""Below the folder of all runs, where those of the studies lie: ``lectures/<lecture>/<study>/<variant>-…-<hash>``."""

AXES = ("step", "epoch", "seconds")
"""The columns of ``metrics.csv`` that are no metrics."""
MOST_COLUMNS = 2_000
"""Of ``metrics.csv``; a detector of eighty classes has some two hundred."""
LONGEST = 2**18
"""Characters of a line of it."""

Column = NDArray[np.float64]


def read_summary(folder: Path) -> dict[str, Any]:
    """The run's ``summary.json``, or an empty dict where it has none or a damaged one.

    What Lectern itself writes there is of the kind that it writes; an entry of another kind is left out.
    """
    value = _json(own_file(folder, SUMMARY))
    return {key: entry for key, entry in value.items() if _is_sound(key, entry)} if isinstance(value, dict) else {}


_TEXTS = ("state", "name", "device", "commit", "reason", "wandb_id", "hash", "started", "resumed", "finished", "tested", "date")
_NUMBERS = ("seconds", "wall_seconds", "cpu_seconds", "images_per_second", "peak_memory_mib", "parameters", "steps", "epochs")
_NUMBERS_BY_NAME = ("metrics", "test", "measured")


def _is_sound(key: str, entry: Any) -> bool:
    if key in _TEXTS:
        return isinstance(entry, str)
    if key in _NUMBERS:
        return entry is None or (isinstance(entry, int | float) and _is_number(entry))
    if key in _NUMBERS_BY_NAME:
        return isinstance(entry, dict) and all(map(_is_number, entry.values()))
    if key == "code":
        return isinstance(entry, dict) and all(isinstance(value, str) for value in entry.values())
    return key != "study" or isinstance(entry, dict)


def _is_number(value: Any) -> bool:
    """Whether it is null, which stands for one that is not finite, or a float can be made of it."""
    try:
        return value is None or float(value) is not None
    except (TypeError, ValueError, OverflowError):  # JSON has whole numbers of any length
        return False


def state_of(folder: Path, summary: Mapping[str, Any] | None = None) -> str:
    """running (a process holds it), unfinished, finished, diverged or failed; what no file says is unfinished.

    Args:
        folder: the run's.
        summary: its ``summary.json``, where it was read already.
    """
    if is_locked(folder / LOCK):
        return "running"
    said = (read_summary(folder) if summary is None else summary).get("state")
    return said if said in ("finished", "diverged", "failed") else "unfinished"


def read_evaluations(folder: Path) -> dict[str, dict[str, Any]]:
    """What each evaluation of the run says, by its folder's name, in the order of their times."""
    try:
        names = sorted(path.name for path in (folder / EVALUATIONS).iterdir())
    except OSError:
        return {}
    found = {name: _json(own_file(folder, f"{EVALUATIONS}/{name}/{EVALUATION}")) for name in names}
    sound = {name: content for name, content in found.items() if isinstance(content, dict)}
    return {name: {k: v for k, v in content.items() if _is_sound(k, v)} for name, content in sound.items()}


def last_own_test(folder: Path, summary: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]] | None:
    """The last ``lectern test`` of the run on its own data: its folder's name, and what it says.

    None where the run has been trained on since, or was tested at its end since: it said so of other weights.

    Args:
        folder: the run's.
        summary: its ``summary.json``, where it was read already.
    """
    summary = read_summary(folder) if summary is None else summary
    since = max((_seconds(summary.get(key)) for key in ("resumed", "finished", "tested")), default=-math.inf)
    found = None
    for name, evaluation in read_evaluations(folder).items():
        if evaluation.get("command") == "test" and evaluation.get("own_data") is True:
            found = name, evaluation
    return None if found and _seconds(found[1].get("date"), math.inf) < since else found


def _seconds(moment: Any, otherwise: float = -math.inf) -> float:
    """Since 1970, of a time as summaries have it, whatever its time zone; ``otherwise`` of what is none."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise


def tested_folder(folder: Path, summary: Mapping[str, Any] | None = None) -> Path:
    """Where the test of :func:`test_metrics` has left its findings and pictures: an evaluation's folder, or the run's."""
    test = last_own_test(folder, summary)
    return folder / EVALUATIONS / test[0] if test else folder


def test_metrics(folder: Path, summary: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The test's metrics on the run's own data: the last test's, of a study or of ``lectern test``; empty before it."""
    summary = read_summary(folder) if summary is None else summary
    found = summary.get("test")
    if test := last_own_test(folder, summary):
        found = test[1].get("metrics")
    return found if isinstance(found, dict) else {}


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's ``metrics.csv``, cells that are empty left out; a row cut off by a crash is passed over."""
    names, lines = _table(folder)
    rows = []
    for line in lines:
        cells = {name: cell for name, cell in zip(names, line, strict=True) if name and cell}
        values = _numbers(list(cells.values()))
        if values is not None and "step" in cells:
            rows.append(dict(zip(cells, values, strict=True)))
    return rows


def read_columns(folder: Path) -> dict[str, Column]:
    """The columns of a run's ``metrics.csv``, NaN where a cell is empty: the same rows, five times as fast."""
    names, lines = _table(folder)
    if "step" not in names:
        return {}
    good = [values for line in lines if (values := _numbers(line)) is not None]
    table = np.array(good, float).reshape(len(good), len(names))
    table = table[np.isfinite(table[:, names.index("step")])]
    return {name: table[:, i] for i, name in enumerate(names) if name}


def _table(folder: Path) -> tuple[list[str], list[list[str]]]:
    """The head of a run's ``metrics.csv`` and its rows of as many cells; up to where it is damaged, if it is."""
    path = own_file(folder, METRICS)
    names: list[str] = []
    rows: list[list[str]] = []
    if path is None:
        return names, rows
    with suppress(OSError, csv.Error), path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(iter(lambda: file.readline(LONGEST), ""))  # a line without an end would be read to its end
        names = next(lines, [])
        if len(names) > MOST_COLUMNS:
            return [], []
        rows.extend(line for line in lines if len(line) == len(names))
    return names, rows


def _numbers(row: list[str]) -> list[float] | None:
    try:
        return [float(cell) if cell else math.nan for cell in row]
    except ValueError:
        return None


def read_curves(folder: Path) -> dict[str, tuple[Column, Column]]:
    """(x, y) of each curve of a measurement, where both are finite; a curve without such a point is none."""
    content = _json(own_file(folder, CURVES))
    curves = {}
    for name, points in content.items() if isinstance(content, dict) else ():
        try:
            table = np.array(points, float).reshape(-1, 2)
        except (TypeError, ValueError, OverflowError):
            continue
        if len(table := table[np.isfinite(table).all(1)]):
            curves[str(name)] = (table[:, 0], table[:, 1])
    return curves


def read_config(folder: Path) -> dict[str, Any]:
    """The run's ``config.yaml``, or an empty dict where it has none or a damaged one."""
    path = own_file(folder, CONFIG)
    if path is None:
        return {}
    try:
        content = read_yaml(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def is_text(name: str) -> bool:
    """Whether a file's name can be shown: one that is not UTF-8 has halves of characters in Python."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def inside(root: Path, path: Path) -> bool:
    """Whether ``path``, links and ``..`` followed, lies inside ``root``."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a zero byte
        return False


def run_at(root: Path, name: str) -> Path | None:
    """The folder of the run called ``name``, its path below ``root``; None where it is gone or lies elsewhere."""
    try:
        path = root / name
        return path if inside(root, path) and path.is_dir() else None
    except (OSError, ValueError):  # a name too long, a zero byte
        return None


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings by their dotted names, as on the command line; ``init_args`` is left out of the names.

    Lists, and what lies deeper than twelve levels, are written out as they are.
    """
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any, int]] = [("", config, 0)]
    while waiting and len(found) < 5000:  # YAML's aliases can make a small file endless
        name, value, depth = waiting.pop()
        if isinstance(value, Mapping) and value and depth < 12:
            parts = [(str(key), item) for key, item in value.items()]
            waiting += [(name if k == "init_args" else f"{name}.{k}".strip("."), v, depth + 1) for k, v in reversed(parts)]
        else:
            found[name] = value if isinstance(value, str) or value is None or _is_exact(value) else _SHORT.repr(value)
    return {name.removesuffix(".class_path"): value for name, value in found.items() if name}


def _is_exact(value: Any) -> bool:
    """Whether a value is a number that a page can compare and draw: finite, and exact as a float."""
    return isinstance(value, int | float) and abs(value) <= 2**53


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = 4, 20, 20, 80, 80

OWN = ("version", "name", "runs", "ckpt_path", "overwrite")
"""Settings that say where a run lies, and not what it is."""


def differences(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings in which runs differ: by dotted name, the value of each run (None where it has no such setting)."""
    plain = {run: flat(config) for run, config in configs.items()}
    names = dict.fromkeys(name for settings in plain.values() for name in settings if name not in OWN)
    table = {name: {run: settings.get(name) for run, settings in plain.items()} for name in names}
    return {name: values for name, values in table.items() if len({repr(v) for v in values.values()}) > 1}


def own_file(folder: Path, name: str) -> Path | None:
    """A file of a run's own; None where there is none, it is no plain file, too large, or a link out of the folder."""
    path = folder / name
    try:
        good = path.is_file() and path.stat().st_size <= LARGEST and inside(folder, path)
    except (OSError, ValueError):
        return None
    return path if good else None


def _json(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None
