"""What processes that were killed left half-written in a run's folder."""

from __future__ import annotations

from pathlib import Path

from datamodules.temporary import remove_left

from .files import CHECKPOINTS, PICTURES
from .findings import FINDINGS

TRIAL = "trial.ckpt"
"""The checkpoint that is written on trial before the first step; the owner of a run alone writes one."""
FOLDERS = (".", CHECKPOINTS, PICTURES, FINDINGS, "features")
"""Of a run's folder, where its owner writes."""


def remove_leftovers(run: Path) -> None:
    """Removes them; the owner of the run calls it when it begins."""
    for folder in FOLDERS:
        remove_left(run / folder)
    (run / CHECKPOINTS / TRIAL).unlink(missing_ok=True)
