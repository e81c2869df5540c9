"""The same run on one process and on several: the same weights, the same metrics, one folder."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
import torch
import yaml

from experiments.runs import read_metrics
from tests.experiments.interrupted import kill, start, start_ranks, wait, wait_for, weights

COMMON = (
    "--data.train=48 --data.test=4 --data.workers=0 --trainer.enable_progress_bar=false --trainer.log_every_n_steps=1 "
    "--trainer.enable_model_summary=false --pictures.count=0 --trainer.num_sanity_val_steps=0 --trainer.precision=64-true "
    "--data.batch_size=6 --data.image_size=48 --data.style.figures=[1,1]"
).split()

# Batch normalisation takes its statistics from a rank's own images; without it, one process and several are the same sum.
NORMLESS = {"class_path": "tests.experiments.plain_trunk.PlainTrunk"}
NETWORKS = {
    "Classification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
    "Segmentation": {"class_path": "tests.experiments.plain_trunk.PlainFCN"},
    "Localization": {"class_path": "ClassAndBox", "init_args": {"trunk": NORMLESS}},
    "Pose": {"class_path": "JointRegressor", "init_args": {"trunk": NORMLESS}},
    "Detection": {"class_path": "tests.experiments.plain_trunk.PlainYOLO"},
}


def config(task: str, folder: Path) -> list[str]:
    """A small experiment of the task, trained by plain SGD."""
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e-3}}
    model = {"class_path": task, "init_args": {"network": NETWORKS[task], "optimizer": optimizer}}
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump({"model": model, "data": {"class_path": "Shapes"}}))
    return ["--config", str(path)]


def finish(pids: list[int], folder: Path) -> None:
    codes = [wait(pid) for pid in pids]
    logs = "".join(p.read_text() for p in folder.glob("log*"))
    assert codes == [0] * len(pids), logs


def the_run(folder: Path, name: str) -> Path:
    (run,) = (folder / "runs" / name).iterdir()
    return run


@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", NETWORKS)
def test_two_processes_train_what_one_does(task: str, workdir: Path) -> None:
    command = ["fit", *config(task, workdir), *COMMON, "--data.val=5", "--trainer.max_steps=50", "--trainer.max_epochs=-1"]
    finish([start([*command, "--name", "one"], workdir / "log")], workdir)
    finish(start_ranks([*command, "--name", "two"], 2, workdir / "log"), workdir)
    one, two = the_run(workdir, "one"), the_run(workdir, "two")
    assert float((weights(one) - weights(two)).abs().max()) <= 1e-12
    rows = zip(read_metrics(one), read_metrics(two), strict=True)
    for a, b in rows:
        assert a.keys() == b.keys()
        assert all(a[k] == pytest.approx(b[k], rel=1e-6, abs=1e-6, nan_ok=True) for k in a if k != "seconds")
    assert json.loads((two / "summary.json").read_text())["device"].startswith("2 x")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("samples", [1, 3, 35])
@pytest.mark.parametrize("task", ["Classification", "Segmentation", "Detection"])
def test_an_evaluation_is_the_same_on_any_number_of_processes(task: str, samples: int, workdir: Path) -> None:
    command = [
        "fit",
        *config(task, workdir),
        *COMMON,
        f"--data.val={samples}",
        "--trainer.max_steps=1",
        "--trainer.max_epochs=-1",
    ]
    command += ["--trainer.limit_train_batches=1", "--model.init_args.optimizer.init_args.lr=0"]
    values = []
    for ranks in (1, 2, 3):
        pids = start_ranks([*command, "--name", f"r{ranks}"], ranks, workdir / "log")
        finish(pids, workdir)
        values.append({k: v for k, v in read_metrics(the_run(workdir, f"r{ranks}"))[-1].items() if k.startswith("val/")})
    for other in values[1:]:
        assert other.keys() == values[0].keys()
        assert all(other[k] == pytest.approx(v, rel=1e-6, abs=1e-6, nan_ok=True) for k, v in values[0].items())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_one_rank_ends_all_end(number: int, workdir: Path) -> None:
    command = ["fit", *config("Classification", workdir), *COMMON, "--data.val=2", "--trainer.max_epochs=500", "--name", "r"]
    pids = start_ranks(command, 2, workdir / "log")
    wait_for("runs/r/*/metrics.csv", workdir, pids[0])
    began = time.monotonic()
    kill(pids[1], number)
    code = wait(pids[0])
    assert code != 0
    assert time.monotonic() - began < 30
    if number == signal.SIGTERM:
        assert (the_run(workdir, "r") / "checkpoints" / "last.ckpt").is_file()
    assert json.loads((the_run(workdir, "r") / "summary.json").read_text())["state"] != "finished"


@pytest.mark.timeout(600)
def test_a_killed_distributed_run_goes_on_bit_for_bit(workdir: Path) -> None:
    command = [
        "fit",
        *config("Classification", workdir),
        *COMMON,
        "--data.val=3",
        "--trainer.max_epochs=4",
        "--checkpoint.steps=3",
    ]
    finish(start_ranks([*command, "--name", "whole"], 2, workdir / "log"), workdir)
    pids = start_ranks([*command, "--name", "killed"], 2, workdir / "log")
    wait_for("runs/killed/*/checkpoints/last.ckpt", workdir, pids[0])
    kill(pids[1])
    wait(pids[0])
    finish(start_ranks([*command, "--name", "killed", "--ckpt_path", "last"], 2, workdir / "log"), workdir)
    assert torch.equal(weights(the_run(workdir, "whole")), weights(the_run(workdir, "killed")))
