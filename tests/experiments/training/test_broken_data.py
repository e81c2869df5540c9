"""A batch that cannot be had: the steps before it are kept, and the run goes on with it bit for bit when it can."""

from __future__ import annotations

import os
import signal
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from datamodules.scene import SceneError
from experiments.runs.files import read_summary
from experiments.training.checkpoint_io import load
from tests.support.broken_data import children
from tests.support.interrupted import curves, start, wait, wait_for, weights
from tests.support.small_runs import one_run

TRAIN = [
    "fit", "--config", "classification/small_shapes", "--data=tests.support.broken_data.BrokenShapes",
    "--data.image_size=32", "--data.train=64", "--data.val=8", "--data.test=8", "--data.batch_size=8",
    "--trainer.max_epochs=3", "--trainer.log_every_n_steps=3", "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false", "--pictures.count=0", "--trainer.num_sanity_val_steps=0",
]  # fmt: skip
"""Three epochs of eight steps; scene 5 is in one batch of each."""


INSIDE = ["--trainer.accumulate_grad_batches=2", "--trainer.val_check_interval=0.25"]


@pytest.mark.parametrize(("workers", "what", "options"), [(0, "error", []), (2, "bug", []), (2, "error", INSIDE)])
def test_the_steps_before_a_broken_scene_are_kept(workers: int, what: str, options: list[str], workdir: Path) -> None:
    command, log = [*TRAIN, *options, f"--data.workers={workers}", "--checkpoint.steps=1000"], workdir / "log"
    assert wait(start([*command, "--name", "whole"], log)) == 0, log.read_text()
    broken = [*command, "--name", "broken", "--ckpt_path", "last"]
    (workdir / "fault").write_text(what)
    code = wait(start(broken, log))
    assert code == (2 if what == "error" else 70), log.read_text()
    run = one_run(workdir / "runs" / "broken")
    if what == "error":
        assert log.read_text().strip().splitlines()[-1] == "lectern: scene 5: truncated file"
    last = run / "checkpoints" / "last.ckpt"
    if not options:
        assert load(last)["global_step"] >= 1, "each step before it is kept"
    assert last.is_file() or options
    if last.is_file():
        assert wait(start(broken, log)) != 0, "it is still broken"
    (workdir / "fault").unlink()
    assert wait(start(broken, log)) == 0, log.read_text()
    resumed = max((workdir / "runs" / "broken").iterdir())
    assert weights(resumed).equal(weights(one_run(workdir / "runs" / "whole")))
    assert curves(resumed) == curves(one_run(workdir / "runs" / "whole"))


@pytest.mark.parametrize("fault", [True, False])
def test_a_run_gives_the_signals_back(fault: bool, workdir: Path) -> None:
    """What runs in this process afterwards, such as a study's next run, ends at SIGTERM as it would have before."""
    from experiments.training.cli import LecternCLI

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    if fault:
        (workdir / "fault").write_text("error")
    with pytest.raises(SceneError, match="scene 5") if fault else nullcontext():
        LecternCLI([*TRAIN, "--data.workers=0", "--name=run"])
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for workers in /proc")


@needs_proc
@pytest.mark.parametrize("step", [0, 3, 12])
def test_a_killed_worker_is_one_line_and_the_last_step_is_kept(step: int, workdir: Path) -> None:
    command, log = [*TRAIN, "--data.workers=2", "--checkpoint.steps=1000"], workdir / "log"
    assert wait(start([*command, "--name", "whole"], log)) == 0, log.read_text()
    kills = ["--trainer.callbacks+=tests.support.broken_data.KillsAWorker", f"--trainer.callbacks.step={step}"]
    command = [*command, "--name", "killed", "--ckpt_path", "last", *kills]
    assert wait(start(command, log)) == 2, log.read_text()
    said = log.read_text().strip().splitlines()[-1]
    assert said.startswith("lectern: a process that prepares batches was killed")
    assert "Traceback" not in log.read_text()
    run = one_run(workdir / "runs" / "killed")
    assert read_summary(run)["state"] == "unfinished"
    assert load(run / "checkpoints" / "last.ckpt")["global_step"] == step + 1
    assert wait(start(command, log)) == 0, log.read_text()
    assert weights(run).equal(weights(one_run(workdir / "runs" / "whole")))
    assert curves(run) == curves(one_run(workdir / "runs" / "whole"))


@needs_proc
def test_a_worker_that_dies_of_a_scene_is_one_line_too(workdir: Path) -> None:
    command, log = [*TRAIN, "--data.workers=2", "--name", "killed"], workdir / "log"
    (workdir / "fault").write_text("kill")
    assert wait(start(command, log)) == 2, log.read_text()
    assert "a process that prepares batches was killed" in log.read_text().strip().splitlines()[-1]
    assert "Traceback" not in log.read_text()


@needs_proc
def test_workers_end_with_the_process_that_was_killed(workdir: Path) -> None:
    pid = start([*TRAIN, "--data.workers=2", "--trainer.max_epochs=400", "--name", "r"], workdir / "log")
    wait_for("runs/r/*/checkpoints/best.ckpt", workdir, pid)
    workers = children(pid)
    assert len(workers) >= 2
    os.kill(pid, signal.SIGKILL)  # alone, and not its group
    assert wait(pid) == -signal.SIGKILL
    deadline = time.monotonic() + 60  # a worker looks for its parent every 5 s
    while any(_is_running(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_is_running(worker) for worker in workers)


def _is_running(pid: int) -> bool:
    path = Path(f"/proc/{pid}/stat")
    try:
        return path.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
