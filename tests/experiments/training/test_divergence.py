"""A run whose loss is not finite says so, stops, and leaves checkpoints of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.reproduction.execution import execute, is_complete
from experiments.runs.files import read_metrics, read_summary
from experiments.studies.study import Job
from experiments.training.checkpoint_io import load
from tests.conftest import Lectern
from tests.support.interrupted import curves, start_ranks, wait, weights
from tests.support.ranks import COMMON, config
from tests.support.small_runs import SMALL, one_run

TRAIN = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0"]
"""Two epochs of four steps, with a validation behind each."""


def spoiled(step: int, kind: str = "Spoiled", **how: object) -> list[str]:
    start = f"--trainer.callbacks+=tests.support.spoiled.{kind}"
    return [start, f"--trainer.callbacks.step={step}", *(f"--trainer.callbacks.{k}={v}" for k, v in how.items())]


@pytest.mark.parametrize("every", [1, 3, 50])
@pytest.mark.parametrize("saved", [1, 1000])
def test_a_loss_that_is_not_finite_stops_the_run_and_no_checkpoint_is_of_after(
    every: int, saved: int, lectern: Lectern, workdir: Path
) -> None:
    result = lectern(*TRAIN, *spoiled(5), f"--trainer.log_every_n_steps={every}", f"--checkpoint.steps={saved}")
    assert result.code == 1
    said = result.err.strip().splitlines()[-1]
    assert said.startswith("lectern: the run has diverged: train/cross_entropy, train/loss not finite at step 5;")
    assert "Traceback" not in result.err
    run = one_run(workdir / "runs")
    summary = read_summary(run)
    assert summary["state"] == "diverged" and "step 5" in summary["reason"]
    assert "step 5" in (run / "report.md").read_text()
    checkpoints = {path.name: load(path) for path in (run / "checkpoints").iterdir()}
    assert "best.ckpt" in checkpoints
    for checkpoint in checkpoints.values():
        assert checkpoint["global_step"] <= 5
        assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())
    if saved == 1:
        assert checkpoints["last.ckpt"]["global_step"] == 5, "the last step whose loss was finite"


def test_the_loss_that_is_not_finite_is_named(lectern: Lectern, workdir: Path) -> None:
    arguments = ["fit", *config("faster", workdir), *COMMON, "--data.val=4", "--trainer.max_epochs=1", "--wandb=disabled"]
    result = lectern(*arguments, *spoiled(2, loss="rpn_box", factor=".inf"))
    assert result.code == 1
    assert "train/rpn_box, train/loss not finite at step 2" in result.err


def test_weights_that_a_finite_loss_left_infinite_are_in_no_checkpoint(lectern: Lectern, workdir: Path) -> None:
    result = lectern(*TRAIN, *spoiled(8, "Overflowing"), "--checkpoint.steps=1")
    assert result.code == 1
    assert "diverged: weights not finite at step 7" in result.err
    for path in (one_run(workdir / "runs") / "checkpoints").iterdir():
        assert all(value.isfinite().all() for value in load(path)["state_dict"].values())


def test_a_diverged_run_that_goes_on_is_whole_and_says_so(lectern: Lectern, workdir: Path) -> None:
    result = lectern(*TRAIN, *spoiled(5), "--on_nan=continue")
    assert result.code == 0
    run = one_run(workdir / "runs")
    summary = read_summary(run)
    assert summary["state"] == "diverged" and summary["diverged_at"] == 5
    assert summary["epochs"] == 2 and summary["metrics"]
    assert len(read_metrics(run)) == 8
    # Whoever goes on with it is told the same step.
    assert load(run / "checkpoints" / "last.ckpt")["diverged_at"] == 5


def test_a_run_that_does_not_diverge_is_the_same_with_and_without_a_look(lectern: Lectern, workdir: Path) -> None:
    for name, on_nan in (("a", "stop"), ("b", "continue")):
        assert lectern(*TRAIN, "--name", name, f"--on_nan={on_nan}").code == 0
    a, b = (one_run(workdir / "runs" / name) for name in "ab")
    assert weights(a).equal(weights(b)) and curves(a) == curves(b)
    assert read_summary(a)["state"] == read_summary(b)["state"] == "finished"


def test_all_ranks_stop_together_where_one_diverged(workdir: Path) -> None:
    command = ["fit", *config("Segmentation", workdir), *COMMON, "--data.val=3", "--trainer.max_epochs=6", "--name", "r"]
    command += [*spoiled(4, rank=1), "--trainer.log_every_n_steps=3"]
    pids = start_ranks(command, 2, workdir / "log")
    assert [wait(pid) for pid in pids] == [1, 1], (workdir / "log0").read_text()
    assert all(
        "train/cross_entropy, train/loss not finite at step 4" in (workdir / f"log{rank}").read_text() for rank in (0, 1)
    )


def test_a_study_judges_a_learning_rate_that_diverges(workdir: Path) -> None:
    settings = {
        "model": {
            "class_path": "Segmentation",
            "init_args": {
                "network": {"class_path": "lightning_modules.networks.FCN"},
                "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e30}},
            },
        },
        "data": {"class_path": "Shapes", "init_args": {"image_size": 32, "train": 32, "val": 8, "test": 8, "batch_size": 8}},
        "trainer": {"max_epochs": 2, "log_every_n_steps": 1},
    }
    folder = workdir / "runs" / "lectures" / "a" / "b" / "c"
    execute(Job("a", 1e30, 0, settings), folder, {})
    summary = read_summary(folder)
    assert is_complete(folder)
    assert summary["state"] == "diverged" and summary["diverged_at"] == 1
    assert summary["steps"] == 8 and summary["test"]
