"""Who writes a folder: a lock that a process holds as long as it lives, and that nobody needs to clean up."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .flock import AT_ONCE, FLAGS, taken, write_at_start

LOCK = ".lock"
"""The file of a run's folder that its writer holds."""

_held: list[RunLock] = []


class RunLock:
    """The lock of one file (flock): at most one holder, of all processes that see the file, and it dies with its process.

    The file says who holds it: process, host, and whatever else the holder says. It stays when the lock is released.

    Args:
        path: the file; it is made where there is none.
        about: plain data that :func:`holder` gives to others.
    """

    def __init__(self, path: Path, about: Mapping[str, Any] | None = None) -> None:
        self.path, self.about = path, dict(about or {})
        self._file: int | None = None

    def acquire(self, wait: bool = False) -> bool:
        """Takes the lock; False where another holds it.

        Args:
            wait: as long as another holds it.

        Raises:
            OSError: the file cannot be made.
        """
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644)
        # Who only asks whether a file is locked holds it for a moment: one refusal is not yet an answer.
        if not (taken(self._file, wait=True) if wait else any(_tries(self._file))):
            self._close()
            return False
        text = json.dumps({"process": os.getpid(), "host": socket.gethostname(), **self.about}).encode()
        with suppress(OSError):  # a full disk: what it says is for people, the lock holds all the same
            write_at_start(self._file, text)
        _held.append(self)
        return True

    def release(self) -> None:
        """Gives the lock back, where it is held."""
        if self._file is not None:
            self._close()
        if self in _held:
            _held.remove(self)

    def forget(self) -> None:
        """What a forked child does with its copy: the lock is its parent's, and must not live on with a loader's worker."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def __enter__(self) -> Self:
        self.acquire(wait=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Whether another process, or this one, holds the lock; nothing is written."""
    try:
        file = os.open(path, os.O_RDONLY | FLAGS | AT_ONCE)
    except OSError:
        return False
    try:
        return not taken(file, shared=True)
    finally:
        os.close(file)


def holder(path: Path) -> dict[str, Any]:
    """What the lock's holder said of itself, or its last one; empty where nobody did."""
    try:
        content = json.loads(path.read_bytes()[:4096]) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def releasing() -> Iterator[None]:
    """Releases at the end all locks that were taken inside, however it ends."""
    before = list(_held)
    try:
        yield
    finally:
        for lock in [lock for lock in _held if lock not in before]:
            lock.release()


def _tries(file: int, seconds: float = 0.25) -> Iterator[bool]:
    deadline = time.monotonic() + seconds
    while True:
        yield taken(file)
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def _forget_all() -> None:
    for lock in _held:
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):  # on Windows no process is forked
    os.register_at_fork(after_in_child=_forget_all)
