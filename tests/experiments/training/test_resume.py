"""A run that was killed ends with the weights and the curves of one that was not, bit for bit."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from experiments.runs.folder import is_finished
from tests.support.interrupted import assert_same_run, curves, kill, repeats, start, wait, wait_for, weights
from tests.support.registry import TASKS, experiment

COMMON = [
    "--data.batch_size=8",
    "--data.train=96",
    "--data.val=16",
    "--trainer.log_every_n_steps=1",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
    "--checkpoint.steps=3",
    "--pictures.count=0",
    "--trainer.num_sanity_val_steps=0",
]

AUGMENT = [
    {"class_path": "albumentations.HorizontalFlip"},
    {"class_path": "albumentations.Affine", "init_args": {"rotate": [-20, 20]}},
]
FLIP = f"--data.augment={json.dumps(AUGMENT)}"

SETTINGS = {
    "classification with dropout, batch norm and augmentation": [
        "--config", "classification/small_shapes", "--data.image_size=32", "--data.workers=0", FLIP, "--trainer.max_epochs=3",
    ],
    "the same with workers, validation inside the epoch and accumulated gradients": [
        "--config", "classification/small_shapes", "--data.image_size=32", "--data.workers=2", FLIP, "--trainer.max_epochs=3",
        "--trainer.val_check_interval=0.25", "--trainer.accumulate_grad_batches=2",
    ],
    "segmentation": [
        "--config", "segmentation/fcn_transpose", "--data.image_size=32", "--data.workers=0", "--trainer.max_steps=30",
        "--trainer.max_epochs=-1",
    ],
    "detection": ["--config", "detection/yolo_shapes", "--data.image_size=56", "--data.workers=0", "--trainer.max_epochs=2"],
    "localization": ["--config", "localization/shapes", "--data.image_size=48", "--data.workers=0", "--trainer.max_epochs=2"],
    "pose": ["--config", "pose/shapes", "--data.image_size=48", "--data.workers=0", "--trainer.max_epochs=2"],
}  # fmt: skip


EVERY = ["--data.image_size=48", "--data.workers=0", "--trainer.max_epochs=3", "--data.train=24", "--data.batch_size=6"]
EVERY += ["--data.style.figures=[1,1]"]
"""Of the small network of each task; those that have a recipe above are killed there, unless LECTERN_KILLS asks for all."""
RECIPES = ("Classification", "Segmentation", "Detection", "Localization", "Pose")


def arguments_of(task: str, folder: Path) -> list[str]:
    data: dict[str, Any] = {"class_path": "Shapes"}
    if task in ("RegionDetection", "StagedDetection"):
        data["init_args"] = {"proposals": {"class_path": "datamodules.SlidingWindows", "init_args": {"sides": [24]}}}
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump({**experiment(task), "data": data}))
    return ["--config", str(path), *COMMON, *EVERY]


@pytest.mark.timeout(900 + 100 * repeats(2))
@pytest.mark.parametrize("task", [task for task in TASKS if repeats(0) or task not in RECIPES])
def test_a_network_of_every_task_killed_at_random_ends_as_the_run_that_was_not(task: str, workdir: Path) -> None:
    arguments, log = arguments_of(task, workdir), workdir / "log"
    began = time.monotonic()
    assert wait(start(["fit", *arguments, "--name", "r", "--runs", "whole"], log)) == 0, log.read_text()
    seconds = time.monotonic() - began
    (whole,) = (workdir / "whole" / "r").iterdir()
    moments = random.Random(task)
    for attempt in range(repeats(1)):
        runs = workdir / f"killed{attempt}"
        command = ["fit", *arguments, "--name", "r", "--runs", str(runs), "--ckpt_path", "last"]
        for _ in range(2):  # killed twice on its way, at any moment behind the imports
            pid = start(command, log)
            time.sleep(moments.uniform(0, seconds))
            ended = kill(pid) == 0
            if ended or any(is_finished(run) for run in runs.glob("r/*")):
                break
        if not ended and any(is_finished(run) for run in runs.glob("r/*")):
            continue  # killed behind its training: nothing is left to go on with, and `lectern test` makes its findings
        while not any(is_finished(run) for run in runs.glob("r/*")):
            assert wait(start(command, log)) == 0, log.read_text()
        assert_same_run(next(run for run in runs.glob("r/*") if is_finished(run)), whole)


def uninterrupted(arguments: list[str], folder: Path) -> tuple[Path, float]:
    """The folder of a whole run, and how many seconds it trained."""
    pid = start(["fit", *arguments, *COMMON, "--name", "whole"], folder / "log")
    wait_for("runs/whole/*/summary.json", folder, pid)
    began = time.monotonic()
    assert wait(pid) == 0, (folder / "log").read_text()
    (run,) = (folder / "runs" / "whole").iterdir()
    return run, time.monotonic() - began


@pytest.mark.timeout(900 + 100 * repeats(2))
@pytest.mark.parametrize("setting", SETTINGS)
def test_killed_and_resumed_is_the_same_run(setting: str, workdir: Path) -> None:
    arguments = SETTINGS[setting]
    whole, seconds = uninterrupted(arguments, workdir)
    moments = random.Random(setting)
    for attempt in range(repeats(1 if setting in ("localization", "pose") else 2)):
        name = f"killed{attempt}"
        command = ["fit", *arguments, *COMMON, "--name", name, "--ckpt_path", "last"]
        for _ in range(2):  # killed twice on its way
            pid = start(command, workdir / "log")
            wait_for(f"runs/{name}/*/summary.json", workdir, pid)
            time.sleep(moments.uniform(0, seconds))
            if kill(pid) == 0:
                break
        while not any(is_finished(run) for run in (workdir / "runs" / name).iterdir()):
            assert wait(start(command, workdir / "log")) == 0, (workdir / "log").read_text()
        resumed = next(run for run in (workdir / "runs" / name).iterdir() if is_finished(run))
        assert torch.equal(weights(resumed), weights(whole))
        assert curves(resumed) == curves(whole)


POLITE = [*SETTINGS["segmentation"], *COMMON, "--checkpoint.steps=1000"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody asked to stop."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("WANDB_MODE", "disabled")
        patched.setenv("PL_GLOBAL_SEED", "0")
        patched.setenv("LECTERN_CACHE", str(folder / "cache"))
        return uninterrupted(POLITE, folder)[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_loses_nothing(number: int, workdir: Path, undisturbed: Path) -> None:
    whole = undisturbed
    command = ["fit", *POLITE, "--name", "stopped", "--ckpt_path", "last"]
    pid = start(command, workdir / "log")
    run = wait_for("runs/stopped/*/metrics.csv", workdir, pid).parent
    kill(pid, number)
    assert not is_finished(run)
    assert (run / "checkpoints" / "last.ckpt").is_file(), (workdir / "log").read_text()
    assert wait(start(command, workdir / "log")) == 0, (workdir / "log").read_text()
    assert is_finished(run)
    assert torch.equal(weights(run), weights(whole))
    assert curves(run) == curves(whole)
