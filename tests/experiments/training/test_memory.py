"""Freed memory stays with the process, so that the next step need not fetch it again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from experiments.training.memory import keep_freed_memory

FAULTS = """
import resource
from ctypes import CDLL, c_size_t, c_void_p, memset
from experiments.training.memory import keep_freed_memory
kept = {keep} and keep_freed_memory()
libc = CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = c_void_p, [c_size_t], [c_void_p]
for turn in range(11):
    if turn == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(64 << 20)
    memset(block, 1, 64 << 20)
    libc.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
"""Prints how many pages were fetched for the second to eleventh use of 64 MiB."""


def faults(keep: bool) -> int:
    return int(
        subprocess.run([sys.executable, "-c", FAULTS.format(keep=keep)], check=True, capture_output=True, text=True).stdout
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_memory_is_fetched_once_and_not_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    assert 10 * faults(keep=True) < faults(keep=False)


def test_an_allocator_that_the_user_configured_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "100000")
    assert not keep_freed_memory()
