"""A finished run, from its folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from experiments.runs.files import read_curves, read_metrics, read_summary

from .results import Run


def read_run(folder: Path, variant: str, seed: int, lr: float | None) -> Run:
    """A finished run: the last value of each metric, its curves, and what its test and its measurement gave."""
    summary = read_summary(folder)
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in read_metrics(folder):
        for name, value in row.items():
            if name not in ("step", "epoch", "seconds"):
                curves.setdefault(name, []).append((row["step"], value))
    values: dict[str, Any] = {name: points[-1][1] for name, points in curves.items()}
    for part in ("metrics", "test", "measured"):
        values |= {k: math.nan if v is None else float(v) for k, v in summary.get(part, {}).items()}
    stored = {name: list(zip(xs.tolist(), ys.tolist(), strict=True)) for name, (xs, ys) in read_curves(folder).items()}
    return Run(variant, seed, lr, values, curves | stored, folder, float(summary.get("seconds") or 0.0))
