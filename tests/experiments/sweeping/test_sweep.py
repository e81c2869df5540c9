"""``lectern sweep`` through the real ``main()``: trials are ordinary runs, and a stop loses none that has ended."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments import ROOT
from experiments.runs.files import read_metrics, read_summary, state_of
from experiments.runs.lock import LOCK, is_locked
from experiments.sweeping.search import Searched
from experiments.sweeping.trials import checked, cores
from tests.conftest import Lectern
from tests.support.interrupted import start

pytest.importorskip("optuna")

SMALL = (
    *("--config", "classification/small_shapes", "--data.train", "64", "--data.val", "16", "--data.test", "8"),
    *("--data.image_size", "32", "--data.workers", "0", "--data.batch_size", "16", "--pictures", "false"),
    *("--trainer.enable_progress_bar", "false", "--trainer.num_sanity_val_steps", "0", "--wandb", "disabled"),
)


def test_a_diverging_trial_fails_and_the_best_can_be_made_again(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed command gives the run's own figures, to the last digit: with as many threads as the trial had."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as this process
    optimizer = ("--model.optimizer", "torch.optim.SGD", "--trainer.max_epochs", "1")
    search = ("--search", "model.optimizer.lr=choice(0.01,1e30)", "--trials", "3", "--name", "s")
    done = lectern("sweep", *search, *SMALL, *optimizer)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert any(line.startswith("trial ") and "lr 1e30: failed: " in line and "finite" in line for line in lines), done.out
    (again,) = (line.removeprefix("again     ") for line in lines if line.startswith("again "))
    threads, _, again = again.rpartition("lectern fit ")
    assert threads == ("" if cores() == 1 else "OMP_NUM_THREADS=1 "), again
    (best,) = (Path(line.removeprefix("run       ")) for line in lines if line.startswith("run  "))
    about = read_summary(best)["sweep"]
    assert about["name"] == "s" and about["state"] == "complete" and about["parameters"] == {"model.optimizer.lr": "0.01"}
    assert json.loads((workdir / "runs/s/sweep.json").read_text())["monitor"] == "val/accuracy"
    states = {state_of(workdir / "runs/s" / f"{i:04}") for i in range(3)}
    assert states == {"finished", "diverged"}
    assert lectern("fit", *shlex.split(again), "--name", "again", "--version", "x").code == 0
    assert _without_time(read_metrics(workdir / "runs/again/x")) == _without_time(read_metrics(best))
    done = lectern("sweep", *search, *SMALL, *optimizer)
    assert "3 of 3 trials are made already" in done.out and "trial " not in done.out.replace("best      trial", "")


def _without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_what_is_no_option_of_the_experiment_is_said_before_anything_is_trained(lectern: Lectern, workdir: Path) -> None:
    for search, said in (
        ("model.optimizer.lrr=log(1e-4,1e-1)", "lr"),
        ("model.network.width=choice(8,a)", "width"),
        ("trainer.accumulate_grad_batches=log(8,64)", "takes numbers such as 28.9221; int(8,64) has whole numbers"),
        ("trainer.max_epochs=uniform(1,9)", "takes numbers such as 5.94427; int(1,9) has whole numbers"),
    ):
        done = lectern("sweep", *SMALL, "--search", search)
        assert done.code == 2 and said in done.err and not (workdir / "runs").exists(), done.err


def test_the_page_s_sweep_of_wandb_names_real_options(workdir: Path) -> None:
    """``${args}`` becomes ``--NAME=VALUE`` for each of its parameters."""
    block = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    sweep = yaml.safe_load(block)
    assert sweep["command"][:3] == ["lectern", "fit", "--config"] and sweep["command"][-1] == "${args}"
    spaces = [
        Searched(name, "choice", tuple(map(str, space.get("values") or (space["min"], space["max"]))))
        for name, space in sweep["parameters"].items()
    ]
    config = checked(sweep["command"][2:-1], spaces)
    assert config.model.init_args.optimizer.init_args.lr == 1e-4 and config.wandb == "online"
    assert sweep["metric"]["name"] == "val/accuracy"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_stop_keeps_what_has_ended_and_the_same_command_goes_on(number: int, lectern: Lectern, workdir: Path) -> None:
    search = ("--search", "model.optimizer.lr=log(1e-4,1e-2)", "--trials", "2", "--name", "s", *SMALL, "--trainer.max_epochs")
    pid = start(["sweep", *search, "200"], workdir / "log.txt")
    run = workdir / "runs/s/0000"
    _wait(lambda: len(read_metrics(run)) > 1, workdir / "log.txt")
    os.killpg(pid, number)
    began = time.monotonic()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + number and time.monotonic() - began < 60  # on a machine that others use
    _wait(lambda: not is_locked(run / LOCK), workdir / "log.txt")
    said = (workdir / "log.txt").read_text()
    assert "2 of 2 trials are left; the same command goes on with them" in said and "Traceback" not in said
    (workdir / "runs/s/sweep.json").write_text((workdir / "runs/s/sweep.json").read_text().replace('"200"', '"1"'))
    done = lectern("sweep", *search, "1")
    assert done.code == 0 and "2 complete" in done.out, (done.out, done.err)
    assert [read_summary(workdir / "runs/s" / f"{i:04}")["epochs"] for i in range(2)] == [1, 1]


def test_a_trial_whose_time_is_up_counts_by_what_it_reached(lectern: Lectern, workdir: Path) -> None:
    search = ("--search", "model.optimizer.lr=log(1e-4,1e-2)", "--trials", "2", "--name", "s", *SMALL)
    done = lectern("sweep", *search, "--trainer.max_epochs", "1000", "--trainer.max_time", "00:00:00:02")
    assert done.code == 0 and "2 complete" in done.out, (done.out, done.err)
    for i in range(2):
        summary = read_summary(workdir / "runs/s" / f"{i:04}")
        assert summary["sweep"]["state"] == "complete" and summary["state"] == "unfinished"


def _wait(done: Any, log: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "nothing was printed"
        time.sleep(0.1)


def test_a_scheduler_s_jobs_make_the_trials(lectern: Lectern, workdir: Path) -> None:
    """Through submitit, as the jobs of SLURM are; the executor ``local`` needs no scheduler."""
    pytest.importorskip("submitit")
    search = ("--search", "model.optimizer.lr=log(1e-4,1e-2)", "--trials", "1", "--name", "s", "--trainer.max_epochs", "1")
    done = lectern("sweep", *search, *SMALL, "--launcher", "local", "--jobs", "1")
    assert done.code == 0 and "1 complete" in done.out, (done.out, done.err)
    assert read_summary(workdir / "runs/s/0000")["sweep"]["state"] == "complete"
