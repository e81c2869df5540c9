"""The lock of a run: one holder of all processes, and none when that is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.runs.lock import RunLock, holder, is_locked, releasing


def test_one_holds_it_and_says_who_it_is(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path / "l", {"job": "7"}), RunLock(tmp_path / "l")
    assert not is_locked(tmp_path / "l")
    assert not (tmp_path / "l").exists()  # who asks writes nothing
    assert first.acquire()
    assert is_locked(tmp_path / "l")
    assert not second.acquire()
    assert holder(tmp_path / "l") == {"process": os.getpid(), "host": os.uname().nodename, "job": "7"}
    first.release()
    first.release()
    assert second.acquire()
    second.release()


def test_what_is_taken_inside_is_released_whatever_happens(tmp_path: Path) -> None:
    outer = RunLock(tmp_path / "outer")
    outer.acquire()
    with pytest.raises(RuntimeError), releasing():
        RunLock(tmp_path / "inner").acquire()
        raise RuntimeError
    assert not is_locked(tmp_path / "inner")
    assert is_locked(tmp_path / "outer")
    outer.release()


def test_it_dies_with_its_process_whose_children_live_on(tmp_path: Path) -> None:
    """A loader's workers outlive a killed training by seconds; the run is free at once."""
    pid = os.fork()
    if not pid:
        RunLock(tmp_path / "l").acquire()
        if not os.fork():
            time.sleep(30)
            os._exit(0)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], close_fds=False)
        (tmp_path / "ready").touch()
        time.sleep(30)
        os._exit(0)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    assert is_locked(tmp_path / "l")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not is_locked(tmp_path / "l")
    assert RunLock(tmp_path / "l").acquire()


def test_who_waits_gets_it_next(tmp_path: Path) -> None:
    first = RunLock(tmp_path / "l")
    first.acquire()
    pid = os.fork()
    if not pid:
        with RunLock(tmp_path / "l"):
            (tmp_path / "had").touch()
        os._exit(0)
    time.sleep(0.2)
    assert not (tmp_path / "had").exists()
    first.release()
    os.waitpid(pid, 0)
    assert (tmp_path / "had").exists()


def test_a_file_that_is_no_lock_is_read_in_no_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert not is_locked(tmp_path / "fifo")
    (tmp_path / "l").write_text("[" * 100_000)
    assert holder(tmp_path / "l") == {}
    assert holder(tmp_path / "gone") == {}
