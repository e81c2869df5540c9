"""The trainer's options, through the real main(): each does what Lightning's documentation says of it, or is one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from experiments.runs.files import read_metrics
from tests.conftest import Lectern
from tests.support.small_runs import one_run
from tests.support.spy import FIT, ONCE, SEEN, SPY, callback


@pytest.fixture(autouse=True)
def nothing_seen() -> Iterator[None]:
    SEEN.clear()
    yield


def test_overfitting_trains_on_the_same_batch_in_each_epoch(lectern: Lectern) -> None:
    augment = '--data.augment=[{"class_path": "albumentations.HorizontalFlip"}]'
    result = lectern(*FIT, augment, "--trainer.overfit_batches=1", SPY)
    assert result.code == 0, result.err
    assert [(epoch, scenes) for epoch, scenes, _ in SEEN] == [(0, list(range(8))), (1, list(range(8)))]
    assert "shuffling" not in result.err


@pytest.mark.parametrize("given", ["command line", "file", "environment"])
def test_a_limit_of_1_is_one_batch_and_a_limit_of_all_is_all(
    given: str, lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = []
    if given == "command line":
        arguments = ["--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1.0"]
    elif given == "file":
        Path("limits.yaml").write_text("trainer: {limit_train_batches: 1, limit_val_batches: 1.0}")
        arguments = ["--config", "limits.yaml"]
    else:
        monkeypatch.setenv("LECTERN_FIT__TRAINER__LIMIT_TRAIN_BATCHES", "1")
        monkeypatch.setenv("LECTERN_FIT__TRAINER__LIMIT_VAL_BATCHES", "1.0")
    assert lectern(*ONCE, *arguments, SPY).code == 0
    assert len(SEEN) == 1
    saved = yaml.safe_load((one_run(workdir / "runs") / "config.yaml").read_text())["trainer"]
    assert (saved["limit_train_batches"], saved["limit_val_batches"]) == (1, 1.0)
    assert isinstance(saved["limit_train_batches"], int) and isinstance(saved["limit_val_batches"], float)


def test_validation_at_an_interval_of_1_follows_each_batch(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*ONCE, "--trainer.val_check_interval=1").code == 0
    assert ["val/miou" in row for row in read_metrics(one_run(workdir / "runs"))] == [True] * 4


def test_no_step_is_logged_where_none_is_asked_for(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*ONCE, "--trainer.log_every_n_steps=0").code == 0
    assert not any("train/loss" in row for row in read_metrics(one_run(workdir / "runs")))


def test_barebones_trains_and_leaves_nothing(lectern: Lectern, workdir: Path) -> None:
    result = lectern(*ONCE, "--trainer.barebones=true", SPY)
    assert result.code == 0, result.err
    assert len(SEEN) == 4
    assert not list(workdir.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trainer.log_every_n_steps=-1"], "trainer.log_every_n_steps: -1 given, at least 0"),
        (["--trainer.check_val_every_n_epoch=0"], "trainer.check_val_every_n_epoch: 0 given, at least 1"),
        (["--trainer.accumulate_grad_batches=0"], "trainer.accumulate_grad_batches"),
        (["--trainer.val_check_interval=0"], "trainer.limit_val_batches: 0 turns validation off"),
        (["--trainer.val_check_interval=100"], "100 batches are more than an epoch's 4"),
        (["--trainer.limit_val_batches=0.01"], "trainer.limit_val_batches: 0.01 of the 1 val batch is less than one"),
        (["--trainer.overfit_batches=0.5"], "trainer.overfit_batches: 0.5 of the 1 val batch"),
        (["--trainer.enable_checkpointing=false", *callback("ModelCheckpoint")], "trainer.enable_checkpointing is false"),
        (callback("TQDMProgressBar"), "trainer.enable_progress_bar is false"),
        (["--trainer.logger=false", *callback("LearningRateMonitor")], "LearningRateMonitor logs, but this run has no logger"),
        (callback("BackboneFinetuning"), "lightning_modules.FreezeBackbone"),
        (callback("ModelCheckpoint", "save_last=true"), "save_last would write last.ckpt"),
        (callback("ModelCheckpoint", "filename=best"), "best.ckpt is the run's own"),
        (callback("ModelCheckpoint") * 2, "two ModelCheckpoint with the same monitor"),
        (callback("LearningRateFinder"), "made too few steps to suggest a learning rate"),
        (callback("ModelCheckpoint", "monitor=val/mio"), "no metric val/mio; did you mean val/miou?"),
        (callback("EarlyStopping", "monitor=val_loss"), "no metric val_loss; did you mean val/loss?"),
        (callback("EarlyStopping", "monitor=train/los"), "no metric train/los; did you mean train/loss?"),
        (["--model.optimizer.lr=-1"], "model.optimizer: Invalid learning rate"),
        (["--model.scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau"], "pytorch_lightning.cli.ReduceLROnPlateau"),
    ],
)
def test_what_cannot_be_is_one_line(lectern: Lectern, arguments: list[str], said: str) -> None:
    result = lectern(*ONCE, *arguments, SPY)
    assert result.code == 2
    last = result.err.strip().splitlines()[-1]
    assert last.startswith("lectern: ") and said in last
    assert "Traceback" not in result.err
    assert len(SEEN) in (0, 4), "before the training, or where only a trained epoch can tell"


CYCLE = "--model.scheduler=torch.optim.lr_scheduler.OneCycleLR"


@pytest.mark.parametrize(("steps", "code"), [(3, 2), (4, 0), (9, 0)])
def test_a_schedule_that_is_too_short_is_refused_before_the_first_step(steps: int, code: int, lectern: Lectern) -> None:
    result = lectern(*ONCE, CYCLE, "--model.scheduler.max_lr=0.01", f"--model.scheduler.total_steps={steps}", SPY)
    assert result.code == code
    assert len(SEEN) == (0 if code else 4)
    assert not code or "OneCycleLR ends after 3 steps, but the run has 4" in result.err


@pytest.mark.parametrize(
    ("name", "options", "lrs"),
    [
        ("CyclicLR", ["base_lr=0.0", "max_lr=1.0", "step_size_up=2", "cycle_momentum=false"], [0, 0.5, 1, 0.5] * 2),
        ("CosineAnnealingLR", ["T_max=2"], [0.01] * 4 + [0.005] * 4),
    ],
)
def test_torchs_schedules_are_stepped_as_they_are_meant(
    name: str, options: list[str], lrs: list[float], lectern: Lectern
) -> None:
    scheduler = [f"--model.scheduler=torch.optim.lr_scheduler.{name}", *(f"--model.scheduler.{o}" for o in options)]
    assert lectern(*FIT, *scheduler, SPY).code == 0
    assert [lr for _, _, lr in SEEN] == pytest.approx(lrs)


PLATEAU = [
    "--model.scheduler=pytorch_lightning.cli.ReduceLROnPlateau",
    "--model.scheduler.monitor=val/loss",
    "--model.scheduler.patience=0",
    "--model.scheduler.threshold=1000",  # nothing is an improvement
    "--model.scheduler.factor=0.5",
]


@pytest.mark.parametrize(
    ("options", "factors"),
    [
        (["--trainer.check_val_every_n_epoch=2"], [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (["--trainer.check_val_every_n_epoch=1"], [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
        (["--trainer.check_val_every_n_epoch=null", "--trainer.val_check_interval=8"], [1, 1, 0.5, 0.5, 0.25, 0.25]),
    ],
)
def test_a_plateau_is_looked_for_whenever_its_metric_is_measured(
    options: list[str], factors: list[float], lectern: Lectern
) -> None:
    assert lectern(*FIT, "--trainer.max_epochs=6", *PLATEAU, *options, SPY).code == 0
    by_epoch = {epoch: lr for epoch, _, lr in SEEN}
    assert [by_epoch[epoch] / 0.01 for epoch in range(6)] == pytest.approx(factors)


def test_a_plateau_goes_on_in_a_resumed_run_as_in_one_that_was_not_interrupted(lectern: Lectern, workdir: Path) -> None:
    every = ["--checkpoint.steps=4", *PLATEAU, SPY]
    assert lectern(*FIT, "--trainer.max_epochs=4", *every, "--name=whole").code == 0
    whole = [lr for _, _, lr in SEEN]
    SEEN.clear()
    assert lectern(*FIT, "--trainer.max_epochs=2", *every, "--name=part").code == 0
    last = one_run(workdir / "runs" / "part") / "checkpoints" / "last.ckpt"
    assert lectern(*FIT, "--trainer.max_epochs=4", *every, "--name=part", "--ckpt_path", str(last)).code == 0
    assert [lr for _, _, lr in SEEN] == whole


def test_a_users_own_checkpoints_stand_beside_the_runs(lectern: Lectern, workdir: Path) -> None:
    three = callback("ModelCheckpoint", "monitor=val/miou", "mode=max", "save_top_k=3")
    assert lectern(*FIT, *three).code == 0
    names = sorted(p.name for p in (one_run(workdir / "runs") / "checkpoints").iterdir())
    assert names == ["best.ckpt", "epoch=0-step=4.ckpt", "epoch=1-step=8.ckpt", "last.ckpt"]


def test_a_run_that_was_stopped_early_is_finished(lectern: Lectern, workdir: Path) -> None:
    stop = callback("EarlyStopping", "monitor=val/miou", "mode=max", "patience=1", "min_delta=2")
    assert lectern(*FIT, "--trainer.max_epochs=9", *stop).code == 0
    summary = json.loads((one_run(workdir / "runs") / "summary.json").read_text())
    assert (summary["state"], summary["epochs"]) == ("finished", 2)


def test_weights_alone_can_be_tested_and_not_resumed(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*ONCE, *callback("ModelCheckpoint", "save_weights_only=true", "filename=weights")).code == 0
    path = one_run(workdir / "runs") / "checkpoints" / "weights.ckpt"
    moved = path.rename(workdir / "elsewhere.ckpt")
    assert "test/miou" in lectern("test", "--ckpt_path", str(moved), "--expect=null").out
    result = lectern(*FIT, "--ckpt_path", str(moved))
    assert result.code == 2
    assert "has weights alone" in result.err and "--init_from" in result.err


@pytest.mark.parametrize("given", ["null", "{}"])
def test_nothing_may_be_expected(given: str, lectern: Lectern) -> None:
    result = lectern(*ONCE, f"--expect={given}")
    assert result.code == 0 and "expect" not in result.err


def test_what_is_said_of_metrics_that_nobody_measures(lectern: Lectern) -> None:
    stop = callback("EarlyStopping", "monitor=val/mio", "strict=false")
    result = lectern(*ONCE, '--expect={"test/mio": ">= 0.1", "test/miou": ">= 0.1"}', *stop)
    assert result.code == 0
    assert "expect.test/mio: `lectern test` measures no such metric; did you mean test/miou?" in result.err
    assert "val/mio was never measured: EarlyStopping did nothing" in result.err
    unvalidated = lectern(*ONCE, "--trainer.limit_val_batches=0")
    assert unvalidated.code == 0
    assert "no validation took place: there is no best.ckpt" in unvalidated.err
