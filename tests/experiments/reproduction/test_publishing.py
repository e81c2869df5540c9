"""A verdict becomes a column of its runs at W&B, and stays on disk alone where that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.reproduction.publishing import publish_verdict
from experiments.studies.record import Record, read_record
from tests.support.made_up_runs import write_run, write_study


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
    fake = Server()
    monkeypatch.setattr("wandb.Api", lambda: fake)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_SILENT", "true")  # W&B would say whose key it is, and ask its server
    return fake


@pytest.fixture
def verdict(tmp_path: Path) -> Record:
    """Of a study with one seed a variant, whose first variant's run is at W&B."""
    path = write_study(tmp_path, {"a": [0.6], "b": [0.2]})
    (folder,) = path.parent.glob("a-*")
    write_run(folder, wandb_id="0a1b2c3d")
    record = read_record(path)
    assert record
    return record


def test_a_verdict_is_a_column_of_its_runs(tmp_path: Path, server: Server, verdict: Record) -> None:
    assert publish_verdict(verdict, tmp_path, "online") == 1
    (columns,) = server.summaries.values()
    assert list(server.summaries) == ["lectern/0a1b2c3d"]
    assert columns["verdict"] == "reproduced" and columns["verdict/claim"] == "D09"
    assert columns["verdict/effect"] == pytest.approx(40)


def test_a_verdict_goes_where_its_runs_are(tmp_path: Path, server: Server, verdict: Record) -> None:
    (folder,) = (tmp_path / run.folder for run in verdict.variants["a"].runs if run.folder)
    write_run(folder, wandb_id="0a1b2c3d", wandb_project="mine", wandb_entity="my-team")
    assert publish_verdict(verdict, tmp_path, "online") == 1
    assert list(server.summaries) == ["my-team/mine/0a1b2c3d"]


def test_a_verdict_stays_here_where_wandb_is_offline_or_refuses(
    tmp_path: Path, server: Server, verdict: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish_verdict(verdict, tmp_path, "offline") == 0
    assert server.summaries == {}
    server.refuses = True
    assert publish_verdict(verdict, tmp_path, "online") == 0
    assert capsys.readouterr().err.count("\n") == 1
