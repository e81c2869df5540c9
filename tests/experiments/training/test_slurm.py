"""scripts/slurm.sbatch on a SLURM of two nodes; skipped where none is running."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest
import torch

import experiments
from experiments.runs.files import read_metrics
from experiments.runs.folder import is_finished
from tests.support.interrupted import curves, start_ranks, weights
from tests.support.ranks import COMMON, config, finish, the_run

ROOT = Path(__file__).parents[3]

ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")


def slurm(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def two_nodes() -> bool:
    """Whether there is a SLURM here with two idle nodes."""
    try:
        return int(slurm("sinfo", "--noheader", "--states=idle", "--format=%D").split()[0]) >= 2
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return False


pytestmark = pytest.mark.skipif(not two_nodes(), reason="no SLURM with two idle nodes")


def state(job: str) -> str:
    found = re.search(r"JobState=(\S+)", slurm("scontrol", "--oneliner", "show", "job", job))
    assert found
    return found[1]


def until_ended(job: str, seconds: float = 400) -> str:
    """Waits for the job; a requeued one need not wait the two minutes that SLURM has it wait, and gets its time back."""
    deadline = time.monotonic() + seconds
    while (now := state(job)) not in ENDED and time.monotonic() < deadline:
        if now == "PENDING":
            time.sleep(3)  # in the second in which it was requeued, its nodes still refuse it: "job credential revoked"
            command = ["scontrol", "update", f"jobid={job}", "StartTime=now", "TimeLimit=30"]
            subprocess.run(command, capture_output=True, check=False)
        time.sleep(0.5)
    return now


@pytest.fixture
def command(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small experiment, in a folder in which scripts/slurm.sbatch finds its ``lectern``."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("WANDB_MODE", "offline")  # its process is of the job, and gets the signal too
    (workdir / ".venv" / "bin").mkdir(parents=True)
    lectern = workdir / ".venv" / "bin" / "lectern"
    lectern.write_text(f'#!/bin/sh\nexec {shlex.join(experiments.command())} "$@"\n')
    lectern.chmod(0o755)
    return [*config("Classification", workdir), *COMMON, "--data.val=5", "--trainer.max_epochs=20", "--checkpoint.steps=3"]


def submit(command: list[str]) -> str:
    script = str(ROOT / "scripts" / "slurm.sbatch")
    return slurm("sbatch", "--parsable", script, *command, "--name", "r", "--trainer.accelerator=cpu").strip()


def output(job: str, workdir: Path) -> str:
    return (workdir / f"slurm-{job}.out").read_text()


STOPS = {
    "requeue": ["scontrol", "requeue", "{}"],
    "preemption": ["scancel", "--signal=TERM", "{}"],
    # It is in its first minute or early in its second, and --signal comes 90 s before the end.
    "time is up": ["scontrol", "update", "jobid={}", "TimeLimit=2"],
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_job_that_was_stopped_goes_on_bit_for_bit(stop: str, command: list[str], workdir: Path) -> None:
    finish(start_ranks(["fit", *command, "--name", "whole"], 2, workdir / "log"), workdir)
    whole = the_run(workdir, "whole")
    # SLURM looks at its jobs' time every half a minute only.
    slow = ["--trainer.callbacks+", "tests.support.slow.Slow"] if stop == "time is up" else []
    job = submit([*command, *slow])
    try:
        deadline = time.monotonic() + 180
        while not (last := list(workdir.glob("runs/*/r/*/checkpoints/last.ckpt"))) and time.monotonic() < deadline:
            assert state(job) not in ENDED, output(job, workdir)
            time.sleep(0.1)
        subprocess.run([word.format(job) for word in STOPS[stop]], check=True)
        run = last[0].parent.parent
        assert not is_finished(run)
        assert until_ended(job) == "COMPLETED", output(job, workdir)
    finally:
        subprocess.run(["scancel", job], check=False, capture_output=True)
    assert len({folder.name.rsplit("-", 1)[1] for folder in (run / "wandb").glob("offline-run-*")}) == 1
    assert len({row["step"] for row in read_metrics(run)}) == len(read_metrics(run)) == 160
    assert "resuming" in output(job, workdir)
    assert is_finished(run)
    assert torch.equal(weights(run), weights(whole))
    assert curves(run) == curves(whole)


def test_a_job_that_came_to_no_checkpoint_is_not_requeued_for_ever(command: list[str], workdir: Path) -> None:
    job = submit(command)
    try:
        while state(job) != "RUNNING":
            time.sleep(0.1)
        time.sleep(1)  # it imports
        subprocess.run(["scancel", "--signal=TERM", job], check=True)
        assert until_ended(job) == "FAILED", output(job, workdir)
    finally:
        subprocess.run(["scancel", job], check=False, capture_output=True)
    assert "stopped before the first checkpoint, so not requeued" in output(job, workdir)
