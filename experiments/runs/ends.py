"""A run's two checkpoints beside each other on the test split: ``best.ckpt``, which validation chose, and ``last.ckpt``.

They lie in the run's summary under ``checkpoints``. Nothing here imports torch or Lightning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from .markup import plain

ENDS = "checkpoints"
"""The entry of a run's summary."""
NOT_TESTED = "not_tested"
"""In it, why there is no test."""
FEW = 500
"""Validation scenes below which it is said how uncertain a choice by them is."""
NAMES = ("best", "last")


def without_ends(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a summary says anew when its run goes on: the tests of before are of other weights. A study's test stays."""
    return {ENDS: None, "test": {}, "tested": ""} if isinstance(summary.get(ENDS), Mapping) else {}


def compared(
    tested: Mapping[str, Mapping[str, float]], monitor: str, mode: Literal["min", "max"], validated: int, same: bool = False
) -> dict[str, Any]:
    """What a summary says of both.

    Args:
        tested: the test's metrics of ``best`` and ``last``, or of the one that there is.
        monitor: the metric that decides: ``test/miou``.
        mode: which of its values is the better one.
        validated: validation scenes that ``best`` was chosen by; 0 where it is not known.
        same: whether both have the same weights; then one was tested for both.
    """
    values = {name: dict(metrics) for name, metrics in tested.items()}
    said: dict[str, Any] = {**values, "metric": monitor, "validation_scenes": validated, "same_weights": same}
    best, last = (values.get(name, {}).get(monitor) for name in NAMES)
    if best is None or last is None or not math.isfinite(best - last):
        return said
    ahead = "" if best == last else "best" if (best > last) == (mode == "max") else "last"
    return said | {"ahead": ahead, "by": abs(best - last)}


def ends_lines(ends: Any) -> list[str]:
    """What is said of both in a line or two, as plain text; nothing where nothing is known."""
    if not isinstance(ends, Mapping):
        return []
    if isinstance(why := ends.get(NOT_TESTED), str):
        return [f"not tested: {why}"]
    if not isinstance(metric := ends.get("metric"), str):
        return []
    values = [_value(ends.get(name), metric) for name in NAMES]
    if ends.get("same_weights") is True:
        value = next((v for v in values if v is not None), None)
        return [] if value is None else [f"{metric} {value:.4f}; best.ckpt and last.ckpt are the same weights"]
    shown = [f"{name}.ckpt {value:.4f}" for name, value in zip(NAMES, values, strict=True) if value is not None]
    if not shown:
        return []
    ahead, by = ends.get("ahead"), _number(ends.get("by"))
    if len(shown) < 2 or by is None:
        return [f"{metric}: {', '.join(shown)}"]
    who = f"{ahead} is ahead by {by:.4f}" if ahead in NAMES else "none is ahead"
    return [f"{metric}: {', '.join(shown)}; {who}", *_doubts(ends.get("validation_scenes"), metric)]


def _doubts(scenes: Any, metric: str) -> list[str]:
    """How much a choice by so few validation scenes is worth; nothing where there are many."""
    if not isinstance(scenes, int) or not 0 < scenes < FEW:
        return []
    chosen = f"best was chosen on {scenes} validation scene{'s' * (scenes != 1)}"
    if metric.rpartition("/")[2] in ("psnr", "keypoint_error"):
        return [f"{chosen}: few, and other scenes may say otherwise"]
    # A mean of n numbers from 0 to 1 has a standard error of at most 1 / (2 root n).
    return [f"{chosen}: of so few, a share has a standard error of up to {0.5 / math.sqrt(scenes):.2f}"]


def ends_report(ends: Any) -> list[str]:
    """The same as a part of a ``report.md``: all metrics of both, side by side; of one alone its test has them already."""
    said = ends_lines(ends)
    if not said:
        return []
    both = {name: ends[name] for name in NAMES if isinstance(ends.get(name), Mapping)}
    text = [
        "## Test" if isinstance(ends.get(NOT_TESTED), str) else "## Best against last",
        "",
        *(line for one in said for line in (plain(one), "")),
    ]
    if len(both) < 2:
        return text
    names = list(dict.fromkeys(str(metric) for metrics in both.values() for metric in metrics))
    rows = [f"| {plain(n)} | " + " | ".join(_cell(metrics.get(n)) for metrics in both.values()) + " |" for n in names[:60]]
    head = ["| metric | " + " | ".join(f"{name}.ckpt" for name in both) + " |", "|---" * (len(both) + 1) + "|"]
    return [*text, *head, *rows, ""]


def _value(metrics: Any, name: str) -> float | None:
    return _number(metrics.get(name)) if isinstance(metrics, Mapping) else None


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:  # JSON has whole numbers of any length
        return None


def _cell(value: Any) -> str:
    number = _number(value)
    return "" if number is None else f"{number:.4f}"
