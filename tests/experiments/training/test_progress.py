"""What is on the screen while a run runs, and at its end."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from experiments.runs.files import CHECKPOINTS, PICTURES
from experiments.training import outcome as outcomes
from experiments.training.outcome import best_score, measured_lines, outcome
from experiments.training.progress import NetworkLine, Progress
from experiments.training.quiet import LOGGERS, quiet
from tests.conftest import Lectern


class Bar:
    """What a bar was told."""

    def __init__(self) -> None:
        self.disable, self.total, self.n, self.said = False, 4, 0, list[Any]()

    def set_postfix(self, values: dict[str, Any]) -> None:
        self.said.append(values)

    def set_description(self, text: str) -> None:
        self.said.append(text)

    def reset(self, total: int | None = None) -> None:
        self.total = total or 0

    def refresh(self) -> None: ...


def trainer(**more: Any) -> Any:
    group = {"lr": 0.002}
    values = {"loggers": [], "progress_bar_metrics": {}, "callback_metrics": {}, "global_step": 1, "sanity_checking": False}
    return SimpleNamespace(**values | {"optimizers": [SimpleNamespace(param_groups=[group])]} | more)


TASK: Any = SimpleNamespace(step_losses={"loss": torch.tensor(1.23456)})


def test_the_bar_shows_the_monitored_metric_and_the_learning_rate_and_no_version() -> None:
    bar = Progress("val/miou")
    logger = SimpleNamespace(version="2026-01-01_4hsg", name="run")
    shown = bar.get_metrics(
        trainer(
            loggers=[logger],
            progress_bar_metrics={"train/loss": 0.41234},
            callback_metrics={"val/miou": torch.tensor(0.71829), "val/loss": torch.tensor(2.0)},
        ),
        TASK,
    )
    assert shown == {"train/loss": "0.412", "val/miou": "0.718", "lr": "0.002"}


def test_the_first_loss_is_there_after_the_first_step() -> None:
    bar = Progress("val/miou")
    bar.train_progress_bar = own = Bar()  # type: ignore[assignment]
    for step in range(1, 6):
        bar.on_train_batch_end(trainer(global_step=step), TASK, None, None, step - 1)
    assert own.said[0] == {"train/loss": "1.23", "lr": "0.002"} and len(own.said) == 2, "then every ten, and the last"


def test_no_loader_is_numbered() -> None:
    bar = Progress("val/miou")
    bar._trainer = trainer(num_sanity_val_batches=[2], num_val_batches=[5], num_test_batches=[7], num_predict_batches=[3])  # type: ignore[assignment]
    bar.val_progress_bar, bar.test_progress_bar, bar.predict_progress_bar = own = Bar(), Bar(), Bar()  # type: ignore[assignment]
    for begin, stage in (
        (bar.on_validation_batch_start, "val"),
        (bar.on_test_batch_start, "test"),
        (bar.on_predict_batch_start, ""),
    ):
        bar.reset_dataloader_idx_tracker()
        bar._trainer.state = SimpleNamespace(fn=stage)  # type: ignore[union-attr]
        begin(bar._trainer, TASK, None, 0)  # type: ignore[operator]
    assert [b.said for b in own] == [["Validation"], ["Testing"], ["Predicting"]] and [b.total for b in own] == [5, 7, 3]


def test_the_network_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    task = nn.Module()
    task.network = nn.Sequential(nn.Linear(100, 20), nn.Linear(20, 2))
    NetworkLine().on_fit_start(trainer(), task)
    task.network[0].requires_grad_(False)  # type: ignore[index]
    NetworkLine().on_fit_start(trainer(), task)
    assert capsys.readouterr().out.splitlines() == [
        "network   Sequential, 2.1 K parameters",
        "network   Sequential, 2.1 K parameters, 42 of them trained",
    ]


# Noise --------------------------------------------------------------------------------------------------------------------


def test_what_says_nothing_is_left_out_and_warnings_have_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    handled = list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: handled.append(record.getMessage())  # type: ignore[method-assign]
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    before = warnings.formatwarning
    try:
        with quiet():
            for name in LOGGERS:
                for said in (
                    "TPU available: False, using: 0 TPU cores",
                    "Loading `train_dataloader` to estimate number of stepping batches.",
                    "Seed set to 0",
                    "GPU available: True, used: True",
                ):
                    logging.getLogger(name).warning(said)
            line = warnings.formatwarning("a\nb", UserWarning, "/x/site-packages/y.py", 3)
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(handler)
    assert set(handled) == {"GPU available: True, used: True"} and line == "lectern: warning: a b\n"
    assert warnings.formatwarning is before


# The end ------------------------------------------------------------------------------------------------------------------


def test_a_run_ends_in_five_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"epoch": float(i), "val/miou": value} for i, value in enumerate((0.5, 0.8123, 0.7))]
    monkeypatch.setattr(outcomes, "read_metrics", lambda folder: [{"train/loss": 3.0}, *rows])
    (tmp_path / PICTURES).mkdir()
    (tmp_path / CHECKPOINTS).mkdir()
    (tmp_path / CHECKPOINTS / "best.ckpt").touch()
    lines = outcome(tmp_path, "val/miou", "max", tmp_path / "report.md")
    assert lines == [
        "score     val/miou 0.8123 (best, epoch 2 of 3; last 0.7)",
        f"run       {tmp_path}",
        f"pictures  {tmp_path / PICTURES}",
        f"report    {tmp_path / 'report.md'}",
        f"next      lectern test --ckpt_path {tmp_path / CHECKPOINTS / 'best.ckpt'}",
    ]
    assert best_score(tmp_path, "val/miou", "min") == "val/miou 0.5 (best, epoch 1 of 3; last 0.7)"
    assert best_score(tmp_path, "val/map", "max") == ""


def test_epochs_are_counted_that_were_trained_and_not_those_that_were_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``check_val_every_n_epoch=3`` and ten epochs; and a last value that is not finite is not passed over."""
    rows = [{"epoch": float(i), "train/loss": 1.0} for i in range(10)]
    for i, value in ((2, 0.5), (5, 0.8), (8, 0.7)):
        rows[i]["val/miou"] = value
    monkeypatch.setattr(outcomes, "read_metrics", lambda folder: rows)
    assert best_score(Path(), "val/miou", "max") == "val/miou 0.8 (best, epoch 6 of 10; last 0.7)"
    rows[8]["val/miou"] = 0.9
    assert best_score(Path(), "val/miou", "max") == "val/miou 0.9 (best, epoch 9 of 10)"
    rows[8]["val/miou"] = float("nan")
    assert best_score(Path(), "val/miou", "max") == "val/miou 0.8 (best, epoch 6 of 10; last not finite)"


def test_what_was_measured_is_rounded_and_has_a_unit_and_one_line_a_class() -> None:
    lines = measured_lines(
        {
            "test/miou": 0.81234567,
            "test/psnr": 27.12345,
            "test/iou/road": 0.912345,
            "test/iou/sky": 0.5,
            "test/recall/sky": 0.25,
        }
    )
    assert lines == [
        "measured   shares are from 0 to 1",
        "test/miou  0.8123",
        "test/psnr  27.12 dB",
        "by class          iou    recall",
        "  road         0.9123",
        "  sky          0.5000    0.2500",
    ]
    assert measured_lines({}) == []


def test_test_prints_what_it_measured_once(lectern: Lectern, workdir: Path) -> None:
    options = "--config segmentation/small_shapes --data.train=8 --data.val=4 --data.test=4 --data.batch_size=4"
    options += " --data.workers=0 --name a --version b"
    options += " --trainer.max_steps=1 --trainer.enable_progress_bar=false --pictures.count=2"
    fitted = lectern("fit", *options.split())
    assert fitted.code == 0, fitted.err
    assert "network   FCN" in fitted.out and "FLOPs" not in fitted.err and "TPU" not in fitted.err
    tested = lectern(
        "test", "--ckpt_path", "runs/a/b/checkpoints/last.ckpt", "--trainer.enable_progress_bar=false", "--expect=null"
    )
    assert tested.code == 0, tested.err
    line = next(line for line in tested.out.splitlines() if line.startswith("test/miou"))
    assert len(line.split()[1]) == 6 and tested.out.count("test/miou") == 1 and "Test metric" not in tested.out
    assert (workdir / "runs/a/b/evaluations").is_dir()


def test_a_baseline_stands_beside_what_was_measured() -> None:
    lines = measured_lines(
        {"test/accuracy": 0.449, "test/psnr": 27.1, "test/loss": 1.5}, {"test/accuracy": 0.1, "test/psnr": 20}
    )
    assert lines == [
        "measured       shares are from 0 to 1",
        "test/accuracy  0.4490   baseline 0.1000",
        "test/psnr      27.10 dB   baseline 20.00 dB",
        "test/loss      1.5000",
    ]
