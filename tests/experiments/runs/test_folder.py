"""A run's files: whole, without doubled steps, readable after a crash."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.runs.files import read_metrics, read_summary
from experiments.runs.folder import RunFolder, is_finished, write_summary


def test_metrics_have_one_row_a_step_whatever_comes_when(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "a/b", "v")
    run.log_metrics({"train/loss": 1.5, "epoch": 0}, step=0)
    run.log_metrics({"train/loss": 1.25, "epoch": 0}, step=1)
    run.log_metrics({"val/miou": 0.5, "epoch": 0}, step=1)
    run.log_metrics({"train/loss": 1.0, "epoch": 1}, step=2)
    run.finalize("success")
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(run.folder)]
    assert rows == [
        {"step": 0, "epoch": 0, "train/loss": 1.5},
        {"step": 1, "epoch": 0, "train/loss": 1.25, "val/miou": 0.5},
        {"step": 2, "epoch": 1, "train/loss": 1.0},
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_values_come_back_to_the_last_bit(tmp_path_factory: object, values: list[float]) -> None:
    run = RunFolder(tmp_path_factory.mktemp("m"), "r", "v")  # type: ignore[attr-defined]
    for step, value in enumerate(values):
        run.log_metrics({"x": value}, step=step)
    run.finalize("success")
    back = [row["x"] for row in read_metrics(run.folder)]
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(back, values, strict=True))


def test_a_resumed_run_cuts_off_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, "r", "v")
    for step in range(5):
        first.log_metrics({"loss": float(step)}, step=step)
    first.finalize("success")
    second = RunFolder.of(first.folder)
    second.resume(3)
    for step in range(3, 6):
        second.log_metrics({"loss": step + 0.5}, step=step)
    second.finalize("success")
    assert [(row["step"], row["loss"]) for row in read_metrics(first.folder)] == [
        (0, 0.0), (1, 1.0), (2, 2.0), (3, 3.5), (4, 4.5), (5, 5.5),
    ]  # fmt: skip


def test_a_run_that_was_stopped_before_its_test_keeps_its_rows(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, "a", "b")
    first.log_metrics({"train/loss": 1.0, "epoch": 0}, step=0)
    first.finalize("success")
    again = RunFolder(tmp_path, "a", "b")  # training is over, so nothing is resumed
    again.log_metrics({"test/error": 0.5, "epoch": 1}, step=1)
    again.finalize("success")
    rows = read_metrics(again.folder)
    assert [row["step"] for row in rows] == [0, 1]
    assert rows[0]["train/loss"] == 1.0 and rows[1]["test/error"] == 0.5


def test_a_row_that_a_crash_cut_off_is_passed_over(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "r", "v")
    run.log_metrics({"loss": 1.0}, step=0)
    run.log_metrics({"loss": 2.0}, step=1)
    run.finalize("success")
    path = run.folder / "metrics.csv"
    path.write_text(path.read_text() + "2,0.")
    assert [row["step"] for row in read_metrics(run.folder)] == [0, 1]


def test_a_summary_is_merged_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    write_summary(tmp_path, {"state": "running", "a": float("nan")})
    write_summary(tmp_path, {"state": "finished"})
    assert read_summary(tmp_path) == {"state": "finished", "a": None}
    assert is_finished(tmp_path)
    (tmp_path / "summary.json").write_text('{"state": "fini')
    assert read_summary(tmp_path) == {}
    assert not is_finished(tmp_path)


def test_two_runs_started_in_one_second_have_two_folders(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, "r")
    first.folder.mkdir(parents=True)
    assert RunFolder(tmp_path, "r").folder != first.folder
