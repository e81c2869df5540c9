"""Loops that numba compiles: whether they can be, and where what was compiled is kept.

numba is imported when a loop is first needed, since that takes half a second. Without it the same is computed more slowly.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

from torch.utils.data import get_worker_info

from .errors import quoted

_Function = TypeVar("_Function", bound=Callable[..., Any])

LONG = 1.5
"""CPU seconds of compiling from which on they are spoken of."""


@cache
def numba_is_there() -> bool:
    """Whether loops can be compiled. That they cannot is said once, and by one of several workers."""
    try:
        import numba  # noqa: F401
    except Exception as error:  # a release that does not know this NumPy, or whose library does not load, says so in many ways
        worker = get_worker_info()
        if worker is None or worker.id == 0:
            warnings.warn(
                f"numba cannot be used ({quoted(str(error), 200)}): selective search and average precision give the same and"
                " take several times longer; `pip install numba` makes them fast",
                stacklevel=2,
            )
        return False
    return True


@contextmanager
def compiling(what: str) -> Iterator[None]:
    """Around the import of compiled loops: says how long that took where it was long, which is the first time alone."""
    began = time.thread_time()
    yield
    if (taken := time.thread_time() - began) > LONG:
        print(f"compiled the loops of {what} in {taken:.0f} CPU-seconds", file=sys.stderr)


def compiled(*signatures: str) -> Callable[[_Function], _Function]:
    """A decorator for loops over arrays: numba compiles them for arguments of these types, and keeps the result on disk.

    Args:
        signatures: in numba's words, such as ``"f8[::1](f8[:, :, ::1])"``.
    """

    def compile_it(function: _Function) -> _Function:
        from numba import njit

        try:
            made = njit(list(signatures), cache=True, nogil=True)(function)
        except (RuntimeError, OSError):  # it can be kept neither beside the file nor in the user's folder
            made = njit(list(signatures), nogil=True)(function)
        return cast("_Function", made)

    return compile_it
