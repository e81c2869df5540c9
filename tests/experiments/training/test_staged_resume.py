"""R-CNN's stages in a run that is killed: it ends with the weights, SVMs and regressors of one that was not, bit for bit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
import yaml

from experiments.runs.folder import is_finished
from experiments.training.checkpoint_io import load
from experiments.training.rebuilding import task_of
from tests.conftest import Lectern
from tests.support.interrupted import curves, kill, start, wait, wait_for, weights

EXPERIMENT: dict[str, Any] = {
    "model": {
        "class_path": "StagedDetection",
        "init_args": {
            "network": {
                "class_path": "lightning_modules.networks.RCNN",
                "init_args": {
                    "backbone": {"class_path": "lightning_modules.networks.ConvBackbone", "init_args": {"widths": [4, 8, 8]}},
                    "samples": 8,
                },
            },
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.002}},
            "scheduler": {"class_path": "lightning_modules.schedules.WarmupCosine"},
        },
    },
    "data": {
        "class_path": "Shapes",
        "init_args": {
            "image_size": 48,
            "train": 64,
            "val": 8,
            "batch_size": 8,
            "workers": 0,
            "augment": [{"class_path": "albumentations.HorizontalFlip"}],
            "proposals": {"class_path": "datamodules.SlidingWindows", "init_args": {"sides": [24]}},
        },
    },
    "trainer": {
        "max_epochs": 2,
        "log_every_n_steps": 1,
        "num_sanity_val_steps": 0,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        # A run that goes on must not train its backbone anew.
        "callbacks": [
            {
                "class_path": "experiments.measures.pretraining.PretrainedBackbone",
                "init_args": {
                    "data": {
                        "class_path": "Shapes",
                        "init_args": {
                            "image_size": 32,
                            "train": 64,
                            "data_seed": 1,
                            "workers": 0,
                            "style": {"objects": [1, 1]},
                        },
                    },
                    "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.01}},
                    "epochs": 1,
                },
            }
        ],
    },
}


def results(run: Path) -> list[dict[str, str]]:
    """The run's metrics without the stages' seconds."""
    return [{k: v for k, v in row.items() if not k.endswith("_seconds")} for row in curves(run)]


def test_killed_while_features_are_written_and_resumed_is_the_same_run(workdir: Path, lectern: Lectern) -> None:
    (workdir / "experiment.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    common = ["fit", "--config", "experiment.yaml", "--pictures.count=0", "--checkpoint.steps=3"]
    assert wait(start([*common, "--name", "whole"], workdir / "log")) == 0, (workdir / "log").read_text()
    (whole,) = (workdir / "runs" / "whole").iterdir()
    command = [*common, "--name", "killed", "--ckpt_path", "last"]
    pid = start(command, workdir / "log")
    run = wait_for("runs/killed/*/features/*.npz", workdir, pid).parent.parent
    kill(pid)
    assert not is_finished(run)
    pid = start(command, workdir / "log")
    deadline = time.monotonic() + 300
    while len(list(run.glob("features/*.npz"))) < 32 and time.monotonic() < deadline:  # a checkpoint inside the epoch later
        time.sleep(0.01)
    kill(pid)
    assert not is_finished(run)
    assert load(run / "checkpoints" / "last.ckpt")["stages"]["written"]
    assert wait(start(command, workdir / "log")) == 0, (workdir / "log").read_text()
    assert is_finished(run)
    assert torch.equal(weights(run), weights(whole))
    assert results(run) == results(whole)
    assert not (run / "features").exists() and not (whole / "features").exists()

    checkpoint = run / "checkpoints" / "last.ckpt"
    task: Any = task_of(load(checkpoint), checkpoint)
    assert task.head.has_svm and task.head.has_regressor and task.head.svm.any() and task.head.regressor.any()
    tested = lectern("test", "--ckpt_path", str(checkpoint))
    assert tested.code == 0, tested.err


def test_features_that_were_removed_before_the_svms_were_fitted_are_named(workdir: Path) -> None:
    (workdir / "experiment.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    command = ["fit", "--config", "experiment.yaml", "--pictures.count=0", "--checkpoint.steps=1", "--ckpt_path", "last"]
    pid = start(command, workdir / "log")
    run = wait_for("runs/experiment/*/features/*.npz", workdir, pid).parent.parent
    while not load(run / "checkpoints" / "last.ckpt")["stages"]["written"]:
        time.sleep(0.01)
    kill(pid)
    for path in (run / "features").iterdir():
        path.unlink()
    assert wait(start(command, workdir / "log")) == 2
    last = (workdir / "log").read_text().splitlines()[-1]
    assert last.startswith(f"lectern: {run.relative_to(workdir)}/features: the features of image ")
