"""Checkpoints that a kill, a full disk or a foreign object cannot spoil."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from experiments.runs.folder import is_finished
from experiments.training.checkpoint_io import AtomicCheckpoints, load
from tests.conftest import Lectern
from tests.experiments.training.test_cli import SMALL, one_run
from tests.support.interrupted import curves, kill, repeats, start, wait, wait_for, weights

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


def test_a_checkpoint_needs_no_pretrained_weights_to_be_built_again(
    lectern: Lectern, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """They would be downloaded, only for the checkpoint's own to replace them."""
    trunk = {"class_path": "TorchvisionTrunk", "init_args": {"name": "squeezenet1_1", "weights": "IMAGENET1K_V1"}}
    network = {"class_path": "ClassAndBox", "init_args": {"trunk": trunk}}
    model = {"class_path": "Localization", "init_args": {"network": network}}
    torch.save({"state_dict": {}, "experiment": {"model": model, "data": {"class_path": "Shapes"}}}, "pretrained.ckpt")
    with pytest.raises(SystemExit, match="0"):
        lectern("test", "--ckpt_path", "pretrained.ckpt", "--print_config")
    filled = capfd.readouterr().out
    assert "squeezenet1_1" in filled
    assert "IMAGENET1K_V1" not in filled
