"""A run's files: whole, without doubled steps, readable after a crash."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.scene import InputError
from experiments.runs.files import read_metrics, read_summary, state_of
from experiments.runs.folder import RunFolder, checked_name, is_finished
from experiments.runs.writing import write_summary


def test_metrics_have_one_row_a_step_whatever_comes_when(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "a/b")
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
    run = RunFolder(tmp_path_factory.mktemp("m"), "r")  # type: ignore[attr-defined]
    for step, value in enumerate(values):
        run.log_metrics({"x": value}, step=step)
    run.finalize("success")
    back = [row["x"] for row in read_metrics(run.folder)]
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(back, values, strict=True))


def test_a_resumed_run_cuts_off_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, "r")
    for step in range(5):
        first.log_metrics({"loss": float(step)}, step=step)
    first.finalize("success")
    second = RunFolder(first.folder, "r")
    second.resume(3)
    for step in range(3, 6):
        second.log_metrics({"loss": step + 0.5}, step=step)
    second.finalize("success")
    assert [(row["step"], row["loss"]) for row in read_metrics(first.folder)] == [
        (0, 0.0), (1, 1.0), (2, 2.0), (3, 3.5), (4, 4.5), (5, 5.5),
    ]  # fmt: skip


def test_a_run_that_was_stopped_before_its_test_keeps_its_rows(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, "b")
    first.log_metrics({"train/loss": 1.0, "epoch": 0}, step=0)
    first.finalize("success")
    again = RunFolder(tmp_path, "b")  # training is over, so nothing is resumed
    again.log_metrics({"test/error": 0.5, "epoch": 1}, step=1)
    again.finalize("success")
    rows = read_metrics(again.folder)
    assert [row["step"] for row in rows] == [0, 1]
    assert rows[0]["train/loss"] == 1.0 and rows[1]["test/error"] == 0.5


def test_a_row_that_a_crash_cut_off_is_passed_over(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "r")
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
    both = [RunFolder.make(tmp_path, "r") for _ in range(2)]
    assert both[0].folder != both[1].folder
    assert all(run.folder.is_dir() for run in both)
    for run in both:
        run.release()


def test_as_many_processes_as_begin_at_once_have_as_many_folders(tmp_path: Path) -> None:
    """All come to the naming of their folder together, again and again."""
    with multiprocessing.get_context("fork").Pool(8) as pool:
        folders = pool.map(_make, [tmp_path] * 64, chunksize=1)
    assert len(set(folders)) == 64


def _make(root: Path) -> Path:
    run = RunFolder.make(root, "r")
    run.begun = True
    return run.folder


def test_a_folder_in_which_nothing_began_goes_when_it_is_given_back(tmp_path: Path) -> None:
    run = RunFolder.make(tmp_path, "a/b", "v")
    assert run.folder == tmp_path / "a" / "b" / "v"
    run.release()
    assert not run.folder.exists()
    kept = RunFolder.make(tmp_path, "a/b", "v")
    kept.begun = True
    kept.release()
    assert kept.folder.is_dir()


def test_a_run_of_the_same_name_is_refused_or_replaced(tmp_path: Path) -> None:
    first = _begun(RunFolder.make(tmp_path, "r", "v"))
    with pytest.raises(InputError, match="another process is writing this run"):
        RunFolder.make(tmp_path, "r", "v", overwrite=True)
    first.release()
    with pytest.raises(InputError, match=r"there is such a run.*--overwrite"):
        RunFolder.make(tmp_path, "r", "v")
    assert read_summary(first.folder) == {"name": "first"}
    second = RunFolder.make(tmp_path, "r", "v", overwrite=True)
    assert read_summary(second.folder) == {}
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["v"]
    second.release()


def test_a_folder_of_something_else_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r" / "v").mkdir(parents=True)
    (tmp_path / "r" / "v" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="no run's folder"):
        RunFolder.make(tmp_path, "r", "v", overwrite=True)
    assert (tmp_path / "r" / "v" / "thesis.tex").read_text() == "mine"


def _begun(run: RunFolder) -> RunFolder:
    run.begun = True
    write_summary(run.folder, {"name": "first"})
    return run


def test_a_run_lies_where_its_folder_is_and_not_where_its_name_says(tmp_path: Path) -> None:
    _begun(RunFolder.make(tmp_path, "r", "v")).release()
    write_summary(tmp_path / "r" / "v", {"name": "../../elsewhere"})
    (tmp_path / "r").rename(tmp_path / "moved")
    run = RunFolder.open(tmp_path / "moved" / "v")
    run.log_metrics({"loss": 1.0}, step=0)
    run.finalize("success")
    assert (tmp_path / "moved" / "v" / "metrics.csv").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved"]
    run.release()


@pytest.mark.parametrize("name", ["/tmp/x", "../x", "a/../../x", "", ".", "a\x1b[31m", "a\nb", "a\0b"])
def test_a_name_that_is_no_path_below_the_runs_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="--name"):
        checked_name(name, "--name")


def test_the_state_says_who_writes_and_not_what_was_once_written(tmp_path: Path) -> None:
    run = RunFolder.make(tmp_path, "r", "v")
    assert state_of(run.folder) == "running"
    run.begun = True
    write_summary(run.folder, {"state": "running"})
    assert state_of(run.folder) == "running"
    run.release()
    assert state_of(run.folder) == "unfinished"  # its process was killed
    for state in ("finished", "diverged", "failed"):
        write_summary(run.folder, {"state": state})
        assert state_of(run.folder) == state


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(0, 12))
def test_a_file_that_is_taken_up_is_whole_after_each_write(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], step: int
) -> None:
    """New columns and a resume write the whole file at once: whoever reads between two writes finds each row that was there."""
    folder = tmp_path_factory.mktemp("m")
    first = RunFolder(folder, "r")
    for number, name in enumerate(names):
        first.log_metrics({name: float(number)}, step=number)
    first.flush()
    before = read_metrics(folder)
    with watching(folder / "metrics.csv") as seen:
        RunFolder(folder, "r").resume(step)
    assert len(seen) == 1
    assert read_metrics(folder) == [row for row in before if row["step"] < step]


@contextmanager
def watching(path: Path) -> Iterator[list[str]]:
    """The contents that a file is given meanwhile."""
    seen: list[str] = []
    replace = Path.replace

    def spy(self: Path, target: Path) -> Path:
        done = replace(self, target)
        seen.append(path.read_text())
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", spy)
        yield seen
