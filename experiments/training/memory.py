"""Keeps the memory of a step for the next one."""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Names of glibc's ``mallopt``, from ``malloc.h``."""


def keep_freed_memory() -> bool:
    """Tells glibc not to give freed memory back to the system; returns whether it did.

    A training step on a CPU allocates the same tensors as the one before. By default glibc gives the great ones back when they
    are freed, and the system has to find and clear their pages anew, in some processes a quarter of a step's time and in others
    3 %: it depends on what else lies on the heap. The process keeps its peak of memory in turn. Nothing happens on other
    systems, and where the environment configures the allocator (``MALLOC_…``, ``GLIBC_TUNABLES``).
    """
    if sys.platform != "linux" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and bool(mallopt(TRIM_THRESHOLD, 2**31 - 1)) and bool(mallopt(MMAP_MAX, 0))
