"""What a command says at its end: the best score and when, what was measured, and where all lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from datamodules.scene import printable
from experiments.runs.files import CHECKPOINTS, PICTURES, read_metrics
from experiments.runs.findings import FINDINGS, BaselineFinding, read_findings

UNITS = {"psnr": "dB", "psnr_noisy": "dB"}
"""Of metrics that have one, by their name without the split; all others are shares from 0 to 1, or losses."""


def outcome(folder: Path, monitor: str, mode: Literal["min", "max"], report: Path, tested: Sequence[str] = ()) -> list[str]:
    """A run's end in at most eight lines: score and epoch, test, folder, pictures, report, findings, and what comes next.

    Args:
        folder: the run's.
        monitor: the metric that its best checkpoint was chosen by.
        mode: which of its values is the best.
        report: the run's report, which is written.
        tested: what the test at its end says, in two lines at most; the first begins with its metric, whose baseline is added.
    """
    lines = [f"run       {folder}"]
    if (folder / PICTURES).is_dir():
        lines.append(f"pictures  {folder / PICTURES}")
    lines += [f"report    {report}", *(where(folder) if tested else ())]
    beside = baselines(folder)
    for k, text in enumerate(tested):
        baseline = beside.get(text.split(":")[0].split()[0])
        lines.insert(k, f"{'' if k else 'test':10}{text}" + (f"; baseline {baseline:.4f}" if baseline is not None else ""))
    if score := best_score(folder, monitor, mode):
        lines.insert(0, f"score     {score}")
    if (best := folder / CHECKPOINTS / "best.ckpt").is_file():
        lines.append(f"next      lectern test --ckpt_path {best}")
    return lines


def where(folder: Path) -> list[str]:
    """A line that says where the findings of an evaluation lie, and what they are; none where there are none."""
    if (found := read_findings(folder)) is None:
        return []
    kinds = {"matrix": "confusion", "curves": "curves", "table": "tables", "gallery": "the worst scenes"}
    there = {section.kind for section in found.sections}
    return [f"findings  {folder / FINDINGS} ({', '.join(text for kind, text in kinds.items() if kind in there)})"]


def best_score(folder: Path, monitor: str, mode: Literal["min", "max"]) -> str:
    """``val/miou 0.8123 (best, epoch 7 of 8; last 0.8011)``; empty where it was never measured.

    The epochs are those that were trained, of which not each may have been validated.
    """
    rows = read_metrics(folder)
    measured = [(row[monitor], int(row.get("epoch", 0))) for row in rows if monitor in row]
    finite = [(value, epoch) for value, epoch in measured if math.isfinite(value)]
    if not finite:
        return ""
    value, epoch = (max if mode == "max" else min)(finite, key=lambda pair: pair[0])
    last, final = measured[-1]
    trained = next((int(row["epoch"]) for row in reversed(rows) if "epoch" in row), final) + 1
    unit = UNITS.get(monitor.rpartition("/")[2], "")
    behind = "" if epoch == final else f"; last {last:.4g}" if math.isfinite(last) else "; last not finite"
    return f"{monitor} {value:.4g}{f' {unit}' if unit else ''} (best, epoch {epoch + 1} of {trained}{behind})"


def baselines(folder: Path) -> dict[str, float]:
    """What an answer that never looks at the image reaches, by metric, as an evaluation's findings say."""
    found = read_findings(folder)
    rows = [section for section in found.sections if isinstance(section, BaselineFinding)] if found else []
    return {row.metric: row.baseline for row in rows if row.baseline is not None}


def measured_lines(metrics: Mapping[str, float], beside: Mapping[str, float] | None = None) -> list[str]:
    """What was measured: a line for each metric, rounded, with its unit; of each class a line with all that is said of it.

    Args:
        metrics: by name, ``test/miou`` or, of a class, ``test/iou/road``.
        beside: baselines, by the same names.
    """
    beside = beside or {}
    whole = {name: value for name, value in metrics.items() if name.count("/") < 2}
    each: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        if name.count("/") >= 2:
            _, metric, of_class = name.split("/", 2)
            each.setdefault(printable(of_class), {})[metric] = value
    width = max(map(len, (*whole, *(f"  {name}" for name in each), "measured")), default=0) + 2
    lines = []
    if whole:
        lines.append(f"{'measured':{width}}shares are from 0 to 1")
        for name, value in whole.items():
            baseline = f"   baseline {_number(name, beside[name])}" if name in beside else ""
            lines.append(f"{printable(name):{width}}{_number(name, value)}{baseline}")
    if each:
        columns = list(dict.fromkeys(metric for found in each.values() for metric in found))
        lines.append(f"{'by class':{width}}" + "".join(f"{metric:>10}" for metric in columns))
        for of_class, found in each.items():
            row = "".join(f"{found[m]:>10.4f}" if m in found else " " * 10 for m in columns)
            lines.append(f"  {of_class:{width - 2}}{row}".rstrip())
    return lines


def _number(name: str, value: float) -> str:
    unit = UNITS.get(name.rpartition("/")[2], "")
    return f"{value:.2f} {unit}" if unit else f"{value:.4f}"
