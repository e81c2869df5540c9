"""The names of files that are being written, and the removal of those whose process was killed while it wrote."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from .files import CHECKPOINTS, PICTURES

TRIAL = "trial.ckpt"
"""The checkpoint that is written on trial before the first step; the owner of a run alone writes one."""
FOLDERS = (".", CHECKPOINTS, PICTURES, "features")
"""Of a run's folder, where its owner writes."""

_NAME = re.compile(r"\..+\.(\d+)")
_DAY = 24 * 3600


def beside(path: Path) -> Path:
    """Where this process writes ``path`` before it renames it: in the same folder, hidden, its own pid behind the name.

    ``datamodules`` and ``lightning_modules`` import nothing from here; ``ProposalCache`` and ``FeatureStore`` name their
    files alike.
    """
    return path.with_name(f".{path.name}.{os.getpid()}")


def remove_leftovers(run: Path) -> None:
    """Removes what processes that were killed left half-written in a run's folder: its owner calls it when it begins.

    A file stays where its process lives (an export beside the checkpoints) and it is less than a day old: a pid is given
    again sooner or later, and another machine's says nothing here.
    """
    for folder in FOLDERS:
        for path in (run / folder).glob(".*"):
            if (found := _NAME.fullmatch(path.name)) and _is_left(path, int(found[1])):
                path.unlink(missing_ok=True)
    (run / CHECKPOINTS / TRIAL).unlink(missing_ok=True)


def _is_left(path: Path, pid: int) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    return pid == os.getpid() or not _lives(pid) or time.time() - path.stat().st_mtime > _DAY


def _lives(pid: int) -> bool:
    with suppress(PermissionError, OverflowError):  # somebody else's; or no pid at all
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
