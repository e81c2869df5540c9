"""W&B never asks, blocks or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.runs.files import read_summary
from experiments.training.wandb_logging import wandb_mode
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run


def test_without_a_network_the_mode_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    assert wandb_mode("auto") == "offline"
    assert wandb_mode("disabled") == "disabled"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode("auto") == "disabled"


def test_an_offline_run_lies_in_the_run_s_folder(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir / "runs")
    (folder,) = (run / "wandb").glob("offline-run-*")
    assert folder.name.endswith(read_summary(run)["wandb_id"])
