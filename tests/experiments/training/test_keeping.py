"""A run whose checkpoints a full disk or a foreign object cannot spoil."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from experiments.runs.folder import is_finished
from experiments.training.checkpoint_io import load
from tests.conftest import Lectern
from tests.support.interrupted import curves, kill, start, wait, wait_for, weights
from tests.support.small_runs import SMALL, one_run

TRAIN = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0", "--checkpoint.steps=2"]


class KeepsAPath(pl.Callback):
    """Puts into the checkpoint what torch writes but does not read weights-only."""

    def state_dict(self) -> dict[str, Any]:
        return {"folder": Path("somewhere")}


def test_a_checkpoint_that_would_not_load_ends_the_run_before_its_first_step(lectern: Lectern, workdir: Path) -> None:
    result = lectern(*TRAIN, f"--trainer.callbacks+={__name__}.KeepsAPath")
    assert result.code == 2
    said = result.err.strip().splitlines()[-1]
    assert "would not load again" in said and "holds a pathlib." in said
    run = one_run(workdir / "runs")
    assert not list((run / "checkpoints").iterdir()), "neither the trial nor a checkpoint is left"
    assert not (run / "metrics.csv").exists()


@pytest.fixture
def small_disk(workdir: Path) -> Iterator[Path]:
    """A file system of 64 MB of its own at ``runs``, which can be filled and made read-only."""
    folder = workdir / "runs"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "lectern", folder], check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_or_read_only_disk_is_one_error_and_the_run_goes_on_later(small_disk: Path, workdir: Path) -> None:
    log = workdir / "log"
    assert wait(start([*TRAIN, "--name", "whole"], log)) == 0, log.read_text()
    # A whole epoch is 4 steps; 200 epochs last until the disk is full.
    long = [*TRAIN, "--name", "r", "--ckpt_path", "last", "--trainer.max_epochs=200"]
    pid = start(long, log)
    run = wait_for("r/*/checkpoints/last.ckpt", small_disk, pid).parent.parent
    filler = small_disk / "filler"
    with filler.open("wb") as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(2**16))
            file.flush()
    assert wait(pid) == 2, log.read_text()
    assert "No space left on device" in log.read_text().splitlines()[-1]
    assert load(run / "checkpoints" / "last.ckpt")["global_step"] > 0
    assert not is_finished(run)

    short = [*TRAIN, "--name", "short", "--ckpt_path", "last"]
    filler.unlink()
    pid = start(short, log)
    run = wait_for("short/*/checkpoints/last.ckpt", small_disk, pid).parent.parent
    if kill(pid) == 0:
        pytest.skip("the run was over before it was killed")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert wait(start(short, log)) == 2, log.read_text()
    assert "Read-only file system" in log.read_text().splitlines()[-1]
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert wait(start(short, log)) == 0, log.read_text()
    assert torch.equal(weights(run), weights(next((small_disk / "whole").iterdir())))
    assert curves(run) == curves(next((small_disk / "whole").iterdir()))
