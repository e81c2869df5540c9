"""A verdict as columns of its runs at W&B."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from experiments.runs.files import read_summary, run_at
from experiments.studies.record import Record
from experiments.training.wandb_logging import PROJECT, WandbMode, wandb_mode


def publish_verdict(record: Record, runs: Path, asked: WandbMode) -> int:
    """Writes a verdict into the summaries of its runs at W&B, as columns of the workspace; returns how many there were.

    Where W&B is not online nothing happens, and a server that refuses is said in one line: the verdict itself lies on disk.
    """
    folders = [run_at(runs, run.folder) for variant in record.variants.values() for run in variant.runs if run.folder]
    paths = [path for folder in folders if folder and (path := _path_of(read_summary(folder)))]
    if not paths or wandb_mode(asked) != "online":
        return 0
    import wandb

    columns = verdict_columns(record)
    published = 0
    try:
        api = wandb.Api()
        for path in paths:
            api.run(path).summary.update(columns)
            published += 1
    except (wandb.errors.Error, OSError, ValueError) as error:
        print(f"W&B has no verdict of {record.claim}: {error}", file=sys.stderr)
    return published


def _path_of(summary: dict[str, Any]) -> str:
    """Where a run is at W&B, ``[entity/]project/id``; empty where it is not there."""
    if not summary.get("wandb_id"):
        return ""
    parts = (summary.get("wandb_entity"), summary.get("wandb_project") or PROJECT, summary["wandb_id"])
    return "/".join(str(part) for part in parts if part)


def verdict_columns(record: Record) -> dict[str, Any]:
    """A verdict as columns: where it and each of its parts stand, and the first effect that was measured, with its interval."""
    columns: dict[str, Any] = {
        "verdict": str(record.level),
        "verdict/claim": record.claim,
        "verdict/scale": record.scale,
        "verdict/because": record.because,
    }
    if len(record.parts) > 1:
        columns |= {f"verdict/part {letter}": str(part.level) for letter, part in record.parts.items()}
    if effect := next((effect for effect in record.effects if effect.estimate is not None), None):
        low, high = effect.interval or (effect.estimate, effect.estimate)
        columns |= {"verdict/effect_name": effect.name, "verdict/effect": effect.estimate}
        columns |= {"verdict/low": low, "verdict/high": high, "verdict/needed": effect.needs.words if effect.needs else ""}
    return columns
