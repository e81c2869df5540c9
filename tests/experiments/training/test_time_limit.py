"""A run that its time stopped is unfinished, and goes on as if it had not been stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.runs.files import read_summary
from experiments.training.checkpoint_io import load
from tests.conftest import Lectern
from tests.support.interrupted import curves, start, wait, weights
from tests.support.small_runs import SMALL, one_run

TRAIN = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0", "--checkpoint.steps=1000"]
SLOW = ["--trainer.callbacks+=tests.support.slow.Slow", "--trainer.callbacks.seconds=0.4"]


@pytest.mark.parametrize(
    "options", [[], ["--trainer.val_check_interval=0.5"], ["--trainer.max_steps=8", "--trainer.max_epochs=-1"]]
)
def test_a_chain_of_time_limits_trains_what_one_run_does(options: list[str], workdir: Path) -> None:
    """Eight steps, of which each command has the time for some: the time is each command's own."""
    log, command = workdir / "log", [*TRAIN, *options]
    assert wait(start([*command, "--name", "whole"], log)) == 0, log.read_text()
    chain = [*command, *SLOW, "--trainer.max_time=00:00:00:01", "--name", "chain", "--ckpt_path", "last"]
    steps = []
    for _ in range(8):
        assert wait(start(chain, log)) == 0, log.read_text()
        run = one_run(workdir / "runs" / "chain")
        steps.append(load(run / "checkpoints" / "last.ckpt")["global_step"])
        if (state := read_summary(run)["state"]) == "finished":
            break
        assert state == "unfinished"
        assert "stopped; --ckpt_path last goes on from here" in log.read_text()
    assert len(steps) > 1 and steps == sorted(set(steps)) and steps[-1] == 8
    assert state == "finished"
    assert weights(run).equal(weights(one_run(workdir / "runs" / "whole")))
    assert curves(run) == curves(one_run(workdir / "runs" / "whole"))


def test_a_run_with_no_other_limit_trains_without_a_schedule(lectern: Lectern, workdir: Path) -> None:
    endless = [*TRAIN, "--trainer.max_epochs=-1", "--trainer.max_time=00:00:00:02"]
    result = lectern(*endless, "--model.scheduler=null")
    assert result.code == 0, result.err
    run = one_run(workdir / "runs")
    summary = read_summary(run)
    assert summary["state"] == "unfinished"
    assert load(run / "checkpoints" / "last.ckpt")["global_step"] > 0


def test_a_schedule_without_a_length_is_one_line(lectern: Lectern) -> None:
    result = lectern(*TRAIN, "--trainer.max_epochs=-1", "--trainer.max_time=00:00:00:02")
    assert result.code == 2
    said = result.err.strip().splitlines()[-1]
    assert said.startswith("lectern: WarmupCosine follows the run's length, and trainer.max_epochs: -1 has none; set ")
