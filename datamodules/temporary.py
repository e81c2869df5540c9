"""The names of files that are being written, and the removal of those whose process was killed while it wrote."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"\..+\.(\d+)")
_DAY = 24 * 3600


def beside(path: Path) -> Path:
    """Where this process writes ``path`` before it renames it: in the same folder, hidden, its own pid behind the name.

    ``lightning_modules`` imports nothing from here; its ``FeatureStore`` names files alike.
    """
    return path.with_name(f".{path.name}.{os.getpid()}")


def remove_left(folder: Path) -> None:
    """Removes from a folder the files that were being written by processes that are no more, and by this one before.

    A file stays where its process lives and it is less than a day old: a pid is given again sooner or later, and another
    machine's says nothing here.
    """
    for path in folder.glob(".*"):
        if (found := _NAME.fullmatch(path.name)) and path.is_file() and _is_left(path, int(found[1])):
            path.unlink(missing_ok=True)


def _is_left(path: Path, pid: int) -> bool:
    return pid == os.getpid() or not _lives(pid) or time.time() - path.stat().st_mtime > _DAY


def _lives(pid: int) -> bool:
    with suppress(PermissionError, OverflowError):  # somebody else's; or no pid at all
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
