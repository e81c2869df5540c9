"""Kills a training at a chosen place of it: what is prepared in a process of its own before ``lectern`` starts there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

Prepare = Callable[[], None]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_file(name: str, *, count: int = 1, renamed: bool = False, half: bool = False) -> Prepare:
    """Dies where a file is given its name.

    Args:
        name: the file's.
        count: the how manieth time in the process.
        renamed: behind the renaming, and not before it.
        half: with half of the file written.
    """

    def prepare() -> None:
        replace, seen = Path.replace, [0]

        def counted(self: Path, target: Any) -> Path:
            seen[0] += Path(target).name == name
            now = Path(target).name == name and seen[0] == count
            if now and half:
                os.truncate(self, self.stat().st_size // 2)
            if now and not renamed:
                _die()
            result = replace(self, target)
            if now:
                _die()
            return result

        Path.replace = counted  # type: ignore[method-assign, assignment]

    return prepare


def at_call(owner: type, method: str, *, behind: bool = True) -> Prepare:
    """Dies behind the first call of a method, or before it."""

    def prepare() -> None:
        original = getattr(owner, method)

        def called(*args: Any, **kwargs: Any) -> None:
            if behind:
                original(*args, **kwargs)
            _die()

        setattr(owner, method, called)

    return prepare
