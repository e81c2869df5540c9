"""Checkpoints that neither a kill nor a limit spoils while they are written."""

from __future__ import annotations

import os
import random
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from experiments.training.checkpoint_io import AtomicCheckpoints, load
from tests.support.interrupted import repeats, wait, wait_for


@pytest.fixture
def other_disk(workdir: Path) -> Iterator[Path]:
    """A folder on another file system than the temporary one's."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


def test_killed_while_it_is_written_a_checkpoint_is_whole(other_disk: Path) -> None:
    path = other_disk / "last.ckpt"
    moments = random.Random(0)
    for _ in range(repeats(4)):
        pid = os.fork()
        if pid == 0:
            for value in range(1000):  # 40 MB each, one after the other, until it is killed
                AtomicCheckpoints().save_checkpoint({"state_dict": {"w": torch.full((10_000_000,), float(value))}}, path)
            os._exit(0)
        wait_for("last.ckpt", other_disk, pid)
        time.sleep(moments.uniform(0, 0.3))
        os.kill(pid, signal.SIGKILL)
        assert wait(pid) == -signal.SIGKILL, "the checkpoints were written before the kill came"
        w = load(path)["state_dict"]["w"]
        assert len(w) == 10_000_000 and bool((w == w[0]).all())


def test_a_file_too_large_is_one_error_and_the_checkpoint_before_it_is_intact(workdir: Path) -> None:
    path = workdir / "last.ckpt"
    AtomicCheckpoints().save_checkpoint({"state_dict": {"w": torch.zeros(10)}}, path)
    before = path.read_bytes()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            AtomicCheckpoints().save_checkpoint({"state_dict": {"w": torch.zeros(1_000_000)}}, path)
        except Exception as error:
            os._exit(0 if "last.ckpt: checkpoint not written, the previous one is intact (File too large)" in str(error) else 1)
        os._exit(2)
    assert wait(pid) == 0
    assert path.read_bytes() == before
    assert [p.name for p in workdir.iterdir()] == ["last.ckpt"]
