"""The same run on one process and on several: the same weights, the same metrics, one folder."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from experiments.runs.files import read_evaluations, read_metrics
from experiments.runs.folder import is_finished
from tests.support.interrupted import curves, free_port, repeats, start, start_ranks, wait, wait_for, weights
from tests.support.ranks import COMMON, SOME_UNEVEN, UNEVEN, config, finish, the_run
from tests.support.registry import SUMS_OVER_IMAGES as NETWORKS


@pytest.mark.parametrize(
    ("task", "steps"), [*((task, 50) for task in NETWORKS), *((task, 8) for task in (UNEVEN if repeats(0) else SOME_UNEVEN))]
)
def test_two_processes_train_what_one_does(task: str, steps: int, workdir: Path) -> None:
    command = [
        "fit",
        *config(task, workdir),
        *COMMON,
        "--data.val=5",
        f"--trainer.max_steps={steps}",
        "--trainer.max_epochs=-1",
    ]
    command += ["--data.train=24", "--trainer.accumulate_grad_batches=2"] if task == "keypoints and masks" else []
    finish([start([*command, "--name", "one"], workdir / "log")], workdir)
    finish(start_ranks([*command, "--name", "two"], 2, workdir / "log"), workdir)
    one, two = the_run(workdir, "one"), the_run(workdir, "two")
    assert float((weights(one) - weights(two)).abs().max()) <= 1e-12
    rows = zip(read_metrics(one), read_metrics(two), strict=True)
    for a, b in rows:
        assert a.keys() == b.keys()
        assert all(a[k] == pytest.approx(b[k], rel=1e-6, abs=1e-6, nan_ok=True) for k in a if k != "seconds")
    assert json.loads((two / "summary.json").read_text())["device"].startswith("2 x")


ALL = [(task, samples) for task in (*NETWORKS, *UNEVEN) for samples in (1, 3, 33, 35)]
SOME = [("Classification", 1), ("Segmentation", 3), ("Segmentation", 33), ("Localization", 35), ("Pose", 3), ("Detection", 1)]
SOME += [("ssd", 3), ("keypoints and masks", 5), ("dense captioning", 5)]
"""LECTERN_KILLS asks for all."""


@pytest.mark.parametrize(("task", "samples"), ALL if repeats(0) else SOME)
def test_an_evaluation_is_the_same_on_any_number_of_processes(task: str, samples: int, workdir: Path) -> None:
    command = [
        "fit",
        *config(task, workdir),
        *COMMON,
        f"--data.val={samples}",
        "--trainer.max_steps=1",
        "--trainer.max_epochs=-1",
    ]
    command += ["--data.train=6", "--model.init_args.optimizer.init_args.lr=0"]  # one batch, then the validation
    values = []
    for ranks in (1, 2, 3):
        pids = start_ranks([*command, "--name", f"r{ranks}"], ranks, workdir / "log")
        finish(pids, workdir)
        values.append({k: v for k, v in read_metrics(the_run(workdir, f"r{ranks}"))[-1].items() if k.startswith("val/")})
    for other in values[1:]:
        assert other.keys() == values[0].keys()
        assert all(other[k] == pytest.approx(v, rel=1e-6, abs=1e-6, nan_ok=True) for k, v in values[0].items())
        counted = [k for k in other if any(word in k for word in ("accuracy", "iou", "PCK", "error", "AP"))]
        assert counted
        assert {k: repr(other[k]) for k in counted} == {k: repr(values[0][k]) for k in counted}, "equal to the last digit"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
def test_when_one_rank_ends_or_stands_still_all_end(number: int, workdir: Path) -> None:
    command = ["fit", *config("Classification", workdir), *COMMON, "--data.val=2", "--trainer.max_epochs=500", "--name", "r"]
    pids = start_ranks([*command, "--rank_timeout=0.1"], 2, workdir / "log")
    wait_for("runs/r/*/metrics.csv", workdir, pids[0])
    began = time.monotonic()
    os.kill(pids[1], number)
    code = wait(pids[0])
    seconds = time.monotonic() - began
    if number == signal.SIGSTOP:
        os.kill(pids[1], signal.SIGKILL)  # as torchrun and srun do
        assert seconds > 5
    assert code != 0
    assert seconds < 30
    assert wait(pids[1]) != 0
    if number == signal.SIGTERM:
        assert (the_run(workdir, "r") / "checkpoints" / "last.ckpt").is_file()
    assert json.loads((the_run(workdir, "r") / "summary.json").read_text())["state"] != "finished"


def kill_and_resume(command: list[str], name: str, moment: float, victim: int, workdir: Path, **how: str) -> Path:
    """Kills one of two ranks some seconds after training began, goes on until the run is finished, and returns its folder."""
    command = [*command, "--name", name, "--ckpt_path", "last"]
    pids = start_ranks(command, 2, workdir / "log", **how)
    wait_for(f"runs/{name}/*/summary.json", workdir, pids[0])
    time.sleep(moment)
    os.kill(pids[victim], signal.SIGKILL)
    assert wait(pids[victim]) in (0, -signal.SIGKILL)
    wait(pids[1 - victim])
    runs = workdir / "runs" / name
    while not any(is_finished(run) for run in runs.iterdir()):
        finish(start_ranks(command, 2, workdir / "log", **how), workdir)
    return next(run for run in runs.iterdir() if is_finished(run))


DROPOUT = {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8], "normalization": "torch.nn.BatchNorm2d"}}
DROPOUT["init_args"] |= {"hidden": [8], "fc_dropout": 0.2}  # type: ignore[operator]


@pytest.mark.timeout(900 + 60 * repeats(1))
@pytest.mark.parametrize("task", ["Classification", "Segmentation", "Detection"] if repeats(0) else ["Classification"])
def test_a_distributed_run_with_a_killed_rank_goes_on_bit_for_bit(task: str, workdir: Path) -> None:
    command = ["fit", *config(task, workdir), *COMMON, "--data.val=3", "--trainer.max_epochs=8", "--checkpoint.steps=3"]
    if task == "Classification":
        command += [f"--model.init_args.network={json.dumps(DROPOUT)}"]
    pids = start_ranks([*command, "--name", "whole"], 2, workdir / "log")
    wait_for("runs/whole/*/summary.json", workdir, pids[0])
    began = time.monotonic()
    finish(pids, workdir)
    seconds, whole = time.monotonic() - began, the_run(workdir, "whole")
    moments = random.Random(task)
    for attempt in range(repeats(1)):
        moment, victim = moments.uniform(0, seconds), moments.randrange(2)
        resumed = kill_and_resume(command, f"killed{attempt}", moment, victim, workdir)
        assert torch.equal(weights(whole), weights(resumed))
        assert curves(whole) == curves(resumed)


def test_a_sharded_run_is_a_run_like_any_other(workdir: Path) -> None:
    shards = json.dumps({"class_path": "tests.support.sharded.ShardsOnCPU"})
    command = ["fit", *config("Segmentation", workdir), *COMMON, "--data.val=3", "--trainer.max_epochs=6"]
    # With momentum: Lightning's FSDP does not load the empty state of an optimizer that keeps none.
    command += ["--checkpoint.steps=3", "--trainer.precision=32-true", "--model.init_args.optimizer.init_args.momentum=0.9"]
    finish([start([*command, "--name", "one"], workdir / "log")], workdir)
    finish(start_ranks([*command, "--name", "whole"], 2, workdir / "log", shards), workdir)
    one, whole = the_run(workdir, "one"), the_run(workdir, "whole")
    # Of the model alone: FSDP orders the optimizer's state by the names of parameters.
    states = [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in (one, whole)]
    assert all(torch.allclose(states[0][name], value, atol=1e-5, rtol=0) for name, value in states[1].items())
    resumed = kill_and_resume(command, "killed", 0.5, 1, workdir, strategy=shards)
    assert torch.equal(weights(whole), weights(resumed))
    assert curves(whole) == curves(resumed)

    best = ["--ckpt_path", str(whole / "checkpoints" / "last.ckpt"), "--trainer.enable_progress_bar=false"]
    best += ["--trust", "tests"]  # its network is the tests' own
    finish(start_ranks(["test", *best], 2, workdir / "log", shards), workdir)
    sharded = list(read_evaluations(whole).values())[-1]["metrics"]
    measured = [name for name, value in sharded.items() if value is not None]  # a class that is not there has no IoU
    finish([start(["test", *best, "--trainer.accelerator=cpu"], workdir / "log")], workdir)
    alone = list(read_evaluations(whole).values())[-1]["metrics"]
    assert sharded.keys() == alone.keys()
    assert [sharded[name] for name in measured] == pytest.approx([alone[name] for name in measured], rel=1e-5)


def test_synchronised_batch_norm_without_a_gpu_is_refused_in_one_line(workdir: Path) -> None:
    command = ["fit", *config("Classification", workdir), *COMMON, "--data.val=3", "--trainer.sync_batchnorm=true"]
    pids = start_ranks(command, 2, workdir / "log")
    assert [wait(pid) for pid in pids] == [2, 2]
    assert "sync_batchnorm works on GPUs only" in (workdir / "log0").read_text().splitlines()[-1]


def test_a_checkpoint_in_pieces_is_refused_before_the_first_step(workdir: Path) -> None:
    shards = {"class_path": "tests.support.sharded.ShardsOnCPU", "init_args": {"state_dict_type": "sharded"}}
    command = ["fit", *config("Segmentation", workdir), *COMMON, "--data.val=3", "--trainer.max_epochs=6", "--name", "r"]
    pids = start_ranks([*command, "--trainer.precision=32-true"], 2, workdir / "log", json.dumps(shards))
    assert [wait(pid) for pid in pids] != [0, 0]
    assert "state_dict_type: full" in (workdir / "log0").read_text().splitlines()[-1]
    assert not (the_run(workdir, "r") / "metrics.csv").exists()


def start_nodes(arguments: list[str], log: Path) -> list[subprocess.Popen[bytes]]:
    """torchrun on two nodes of one process each, which meet at its own rendezvous."""
    node = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d"]
    node += ["--rdzv-id=lectern", f"--rdzv-endpoint=127.0.0.1:{free_port()}", "-m", "experiments", *arguments]
    node += ["--trainer.num_nodes=2", "--trainer.devices=1", "--trainer.strategy=ddp", "--trainer.accelerator=cpu"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    with log.open("ab") as output:
        return [subprocess.Popen(node, stdout=output, stderr=output, env=environment) for _ in range(2)]


def worker_of(agent: int) -> int:
    """The process that torchrun's agent started."""
    return int(Path(f"/proc/{agent}/task/{agent}/children").read_text().split()[0])


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for torchrun's workers in /proc")
def test_two_nodes_under_torchrun_train_and_resume_bit_for_bit(workdir: Path) -> None:
    command = ["fit", *config("Classification", workdir), *COMMON, "--data.val=3", "--trainer.max_epochs=10"]
    command += ["--checkpoint.steps=3"]
    finish(start_ranks([*command, "--name", "whole"], 2, workdir / "log"), workdir)
    whole = the_run(workdir, "whole")
    command += ["--name", "nodes", "--ckpt_path", "last"]
    nodes = start_nodes(command, workdir / "log")
    deadline = time.monotonic() + 300
    while not list(workdir.glob("runs/nodes/*/checkpoints/last.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(worker_of(nodes[1].pid), signal.SIGKILL)
    assert all(node.wait(300) != 0 for node in nodes)
    resumed = the_run(workdir, "nodes")
    assert not is_finished(resumed)
    assert [node.wait(600) for node in start_nodes(command, workdir / "log")] == [0, 0], (workdir / "log").read_text()
    assert torch.equal(weights(whole), weights(resumed))
    assert curves(whole) == curves(resumed)
