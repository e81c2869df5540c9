"""A verdict becomes a column of its runs at W&B, and stays on disk alone where that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.reproduction.publishing import publish_verdict, verdict_columns
from experiments.studies.levels import Level
from experiments.studies.record import Record
from tests.support.made_up_records import small_record


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


def at_wandb(runs: Path, folder: str, **summary: str) -> None:
    (runs / folder).mkdir(parents=True, exist_ok=True)
    (runs / folder / "summary.json").write_text(json.dumps({"wandb_id": "0a1b2c3d"} | summary))


@pytest.fixture
def verdict(tmp_path: Path) -> Record:
    """Whose first variant's first run is at W&B."""
    record = small_record()
    steps = record.variants["steps"]
    folder = "lectures/cnn/learning_rate_decay_helps/steps-seed0-0123456789ab"
    first = steps.model_copy(update={"runs": (steps.runs[0].model_copy(update={"folder": folder}), *steps.runs[1:])})
    at_wandb(tmp_path, folder)
    return record.model_copy(update={"variants": record.variants | {"steps": first}})


def test_a_verdict_is_a_column_of_its_runs(tmp_path: Path, server: Server, verdict: Record) -> None:
    assert publish_verdict(verdict, tmp_path, "online") == 1
    (columns,) = server.summaries.values()
    assert list(server.summaries) == ["lectern/0a1b2c3d"]
    assert columns["verdict"] == "reproduced" and columns["verdict/claim"] == "B17"
    assert columns["verdict/effect"] == pytest.approx(-5.92) and columns["verdict/needed"] == "< 0"
    assert columns["verdict/low"] < columns["verdict/effect"] < columns["verdict/high"] and "verdict/part a" not in columns


def test_each_of_several_parts_is_a_column(verdict: Record) -> None:
    other = verdict.headline.model_copy(update={"level": Level.INCONCLUSIVE})
    columns = verdict_columns(verdict.model_copy(update={"parts": {"a": verdict.headline, "b": other}}))
    assert columns["verdict"] == columns["verdict/part a"] == "reproduced" and columns["verdict/part b"] == "inconclusive"


def test_a_verdict_goes_where_its_runs_are(tmp_path: Path, server: Server, verdict: Record) -> None:
    at_wandb(tmp_path, verdict.variants["steps"].runs[0].folder, wandb_project="mine", wandb_entity="my-team")
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
