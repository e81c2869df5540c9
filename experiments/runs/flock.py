"""Taking a lock on an open file, as the system has it: ``flock``, or on Windows ``msvcrt.locking``.

On Windows a lock is of one byte, far behind what the file says, since nobody else could read what is locked there. There are
no shared locks: two processes that only ask at the same moment may each see the other, which is why one refusal is never an
answer. Everything else is the same: it dies with its process.
"""

from __future__ import annotations

import errno
import os
import sys
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Of a file that is to be locked: a program that is started does not get it (on Windows none does)."""
AT_ONCE = getattr(os, "O_NONBLOCK", 0)
"""Of a file that may be anything: a pipe is not waited for (on Windows no file is one)."""

_BYTE = 2**30
"""The place of the byte that is locked on Windows."""


def taken(file: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Takes the lock of an open file; False where another holds it.

    A file system that knows no locks refuses nobody, and says so.

    Args:
        file: its descriptor.
        shared: as many may hold it as like, as long as nobody holds it alone.
        wait: as long as another holds it.

    Raises:
        OSError: the system cannot say.
    """
    if fcntl is None:
        return _taken_on_windows(file, wait)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise
        if not shared:
            print("lectern: this file system knows no locks: let no other process write here", file=sys.stderr)
    return True


def _taken_on_windows(file: int, wait: bool) -> bool:
    import msvcrt

    while True:
        os.lseek(file, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
            return True
        except OSError as error:  # EACCES or EDEADLOCK: another has it
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise
        if not wait:
            return False
        time.sleep(0.05)


def write_at_start(file: int, text: bytes) -> None:
    """Makes ``text`` all that the open file holds."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, text)
