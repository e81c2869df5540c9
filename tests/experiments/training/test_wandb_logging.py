"""W&B never asks, blocks or fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.runs.files import read_summary
from experiments.training.wandb_logging import publish_verdict, wandb_mode
from tests.conftest import Lectern
from tests.support.made_up_runs import write_run, write_study
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


class Server:
    """W&B's public interface: runs by their path, each with a summary."""

    def __init__(self) -> None:
        self.summaries: dict[str, dict[str, Any]] = {}
        self.refuses = False

    def run(self, path: str) -> Any:
        if self.refuses:
            raise ValueError("no such run")
        return type("Run", (), {"summary": self.summaries.setdefault(path, {})})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    it = Server()
    monkeypatch.setattr("wandb.Api", lambda: it)
    return it


@pytest.fixture
def verdict(tmp_path: Path) -> dict[str, Any]:
    """Of a study with one seed an arm, whose first arm's run is at W&B."""
    path = write_study(tmp_path, {"a": [0.6], "b": [0.2]})
    (folder,) = path.parent.glob("a-*")
    write_run(folder, wandb_id="0a1b2c3d")
    return dict(json.loads(path.read_text()))


def test_a_verdict_is_a_column_of_its_runs(tmp_path: Path, server: Server, verdict: dict[str, Any]) -> None:
    assert publish_verdict(verdict, tmp_path, "online") == 1
    (columns,) = server.summaries.values()
    assert list(server.summaries) == ["lectern/0a1b2c3d"]
    assert columns["verdict"] == "reproduced" and columns["verdict/claim"] == "D09"
    assert columns["verdict/effect"] == pytest.approx(40)


def test_a_verdict_stays_here_where_wandb_is_offline_or_refuses(
    tmp_path: Path, server: Server, verdict: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish_verdict(verdict, tmp_path, "offline") == 0
    assert server.summaries == {}
    server.refuses = True
    assert publish_verdict(verdict, tmp_path, "online") == 0
    assert capsys.readouterr().err.count("\n") == 1
