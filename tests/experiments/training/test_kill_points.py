"""A run that is killed where it hurts most ends as one that was not: weights, optimizer, every file, and none more."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.runs.folder import is_finished
from experiments.training.keeping import KeepLast
from lightning_modules.feature_store import FeatureStore
from lightning_modules.linear_svms import LinearSVMs
from lightning_modules.ridge_regressors import RidgeRegressors
from tests.support.interrupted import assert_same_run, repeats, start, wait
from tests.support.kill_points import Prepare, at_call, at_file
from tests.support.registry import experiment
from tests.support.small_runs import one_run

OPTIONS = (
    "--data.train=24 --data.val=6 --data.batch_size=6 --data.workers=0 --data.image_size=48 --trainer.max_epochs=3 "
    "--trainer.log_every_n_steps=3 --trainer.enable_progress_bar=false --trainer.enable_model_summary=false "
    "--trainer.num_sanity_val_steps=0 --checkpoint.steps=3 --pictures.count=2"
).split()
"""Three epochs of four steps: checkpoints inside an epoch and at its end."""


def command(task: str, folder: Path, runs: str) -> list[str]:
    """A small training of a task, below a folder of its own."""
    data: dict[str, Any] = {"class_path": "Shapes"}
    if task in ("StagedDetection", "RegionDetection"):
        data["init_args"] = {"proposals": {"class_path": "datamodules.SlidingWindows", "init_args": {"sides": [24]}}}
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump({**experiment(task), "data": data}))
    return ["fit", "--config", str(path), *OPTIONS, "--name", "r", "--runs", runs]


POINTS: dict[str, Prepare] = {
    "before the first checkpoint": at_call(KeepLast, "_save", behind=False),
    "while last.ckpt is written": at_file("last.ckpt", half=True),
    "before last.ckpt is there": at_file("last.ckpt", count=2),
    "behind last.ckpt": at_file("last.ckpt", renamed=True),
    "behind a rewrite of metrics.csv": at_file("metrics.csv", count=2, renamed=True),
    "while metrics.csv is rewritten": at_file("metrics.csv", count=1, half=True),
    "between validation and best.ckpt": at_file("best.ckpt"),
    "while the configuration is written": at_file("config.yaml", half=True),
    "while the trial checkpoint is written": at_file("trial.ckpt", half=True),
    "behind the trial checkpoint": at_file("trial.ckpt", renamed=True),
    "before the last summary": at_file("summary.json", count=2),
    "while the report is written": at_file("report.md", half=True),
}
STAGES: dict[str, Prepare] = {
    "while an image's features are written": at_file("000003.pooled.npy", half=True),
    "behind the features": at_call(LinearSVMs, "fit", behind=False),
    "behind the SVMs": at_call(LinearSVMs, "fit"),
    "behind the regressors": at_call(RidgeRegressors, "fit"),
    "before the features are deleted": at_call(FeatureStore, "delete", behind=False),
    "behind the features' deletion": at_call(FeatureStore, "delete"),
}
TASKS = ("Classification", "Detection", "Segmentation", "StagedDetection")
OTHERS = ("DenseCaptioning", "DeformablePartsDetection")
"""A language model beside the boxes, and rounds of a latent SVM, whose state no optimizer has."""

EVERY = [(task, point) for task in (*TASKS, *OTHERS) for point in POINTS]
SOME = [
    *((TASKS[i % 4], point) for i, point in enumerate(POINTS)),
    *((task, "behind last.ckpt") for task in OTHERS),
    ("DeformablePartsDetection", "while last.ckpt is written"),
]
SOME_STAGES = ("behind the features", "behind the regressors", "before the features are deleted")
"""LECTERN_KILLS asks for all."""


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run of a task that nobody killed."""

    @cache
    def run(task: str) -> Path:
        folder = tmp_path_factory.mktemp(task)
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(folder)
            patched.setenv("WANDB_MODE", "disabled")
            patched.setenv("PL_GLOBAL_SEED", "0")
            assert wait(start(command(task, folder, "whole"), folder / "log")) == 0, (folder / "log").read_text()
        return one_run(folder / "whole")

    return run


def killed_and_resumed(task: str, prepare: Prepare, folder: Path) -> Path:
    """A run that dies at the point, dies there again when it goes on, and then comes to its end."""
    arguments, log = [*command(task, folder, "killed"), "--ckpt_path", "last"], folder / "log"
    assert wait(start(arguments, log, prepare)) == -signal.SIGKILL, log.read_text()
    wait(start(arguments, log, prepare))  # where it does not come by there again, it ends
    while not any(map(is_finished, folder.glob("killed/r/*"))):
        assert wait(start(arguments, log)) == 0, log.read_text()
    runs = [run for run in folder.glob("killed/r/*") if is_finished(run)]
    assert len(runs) == 1
    return runs[0]


@pytest.mark.parametrize(("task", "point"), EVERY if repeats(0) else SOME)
def test_killed_at_a_chosen_point_it_ends_as_the_run_that_was_not(
    task: str, point: str, whole_run: Callable[[str], Path], workdir: Path
) -> None:
    assert_same_run(killed_and_resumed(task, POINTS[point], workdir), whole_run(task))


@pytest.mark.parametrize("stage", STAGES if repeats(0) else SOME_STAGES)
def test_killed_between_the_stages_it_ends_as_the_run_that_was_not(
    stage: str, whole_run: Callable[[str], Path], workdir: Path
) -> None:
    assert_same_run(killed_and_resumed("StagedDetection", STAGES[stage], workdir), whole_run("StagedDetection"))
