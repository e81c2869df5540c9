"""A run that is damaged is found, kept aside and made again once; it is never judged without what it has lost."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.reproduction.damage import damage
from experiments.reproduction.execution import execute
from experiments.reproduction.reproduction import Reproduction
from experiments.runs.files import read_summary
from experiments.studies.results import Run, Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Needs, Part
from tests.support import made_up_study
from tests.support.reduced import Here

RUNS = Path("runs/lectures/cnn/made_up")


def go(study: Study) -> Reproduction:
    reproduction = Reproduction([made_up_study.claim(study)], "cpu", Path("runs"), Here())
    reproduction.run()
    return reproduction


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# A training -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real small run of two epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("trained"))
        job = made_up_study.trained_study(epochs=2).job("cpu", "fast", None, 0)
        execute(job, folder := Path("runs", "lectures", "cnn", "made_up", job.version).absolute(), {})
    return folder


def without_column(folder: Path, name: str) -> None:
    lines = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    place = lines[0].index(name)
    (folder / "metrics.csv").write_text("".join(",".join(row[:place] + row[place + 1 :]) + "\n" for row in lines))


def nan_in_both(folder: Path) -> None:
    text = (folder / "metrics.csv").read_text()
    value = read_summary(folder)["test"]["test/loss"]
    (folder / "metrics.csv").write_text(text.replace(repr(value), "nan"))
    edit(folder / "summary.json", lambda s: s["test"].update({"test/loss": None, "test/cross_entropy": None}))


def cut(folder: Path, name: str, part: float) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(part * len(content))])


def last_row_lost(folder: Path) -> None:
    lines = (folder / "metrics.csv").read_text().splitlines(keepends=True)
    (folder / "metrics.csv").write_text("".join(lines[:-1]))


def digit_changed(folder: Path) -> None:
    """Of a value that is not the last of its metric: no summary has it."""
    lines = (folder / "metrics.csv").read_text().splitlines(keepends=True)
    first = lines[1].rstrip()
    (folder / "metrics.csv").write_text("".join([lines[0], first[:-1] + ("1" if first[-1] != "1" else "2") + "\n", *lines[2:]]))


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no metrics": (lambda f: (f / "metrics.csv").unlink(), "metrics.csv is missing"),
    "metrics cut": (lambda f: cut(f, "metrics.csv", 0.8), "metrics.csv is truncated"),
    "last row lost": (last_row_lost, "metrics.csv"),
    "metrics empty": (lambda f: (f / "metrics.csv").write_text(""), "metrics.csv"),
    "column lost": (lambda f: without_column(f, "val/loss"), "metrics.csv has lost val/loss"),
    "digit": (digit_changed, "metrics.csv is not what the run wrote"),
    "no summary": (lambda f: (f / "summary.json").unlink(), "summary.json is missing"),
    "summary cut": (lambda f: cut(f, "summary.json", 0.5), "summary.json is truncated, or no JSON"),
    "metric lost": (
        lambda f: edit(f / "summary.json", lambda s: s["metrics"].pop("val/loss")),
        "summary.json has lost val/loss",
    ),
    "test lost": (lambda f: edit(f / "summary.json", lambda s: s.pop("test")), "summary.json has lost test/"),
    "disagrees": (
        lambda f: edit(f / "summary.json", lambda s: s["test"].update({"test/loss": 0.125})),
        "summary.json has 0.125",
    ),
    "nan": (lambda f: edit(f / "summary.json", lambda s: s["test"].update({"test/loss": None})), "summary.json has NaN"),
    "nan in both": (nan_in_both, "not what the run wrote"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_kind_of_damage_is_named(kind: str, trained: Path, tmp_path: Path) -> None:
    spoil, said = DAMAGES[kind]
    folder = shutil.copytree(trained, tmp_path / trained.name)
    assert damage(folder) == ""
    spoil(folder)
    assert said in damage(folder)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_run_of_before_there_was_a_seal_is_looked_at_too(kind: str, trained: Path, tmp_path: Path) -> None:
    if kind in ("digit", "nan in both"):
        pytest.skip("only a digest of the file can tell")
    folder = shutil.copytree(trained, tmp_path / trained.name)
    edit(folder / "summary.json", lambda s: s.pop("sealed"))
    assert damage(folder) == ""
    DAMAGES[kind][0](folder)
    assert damage(folder)


def test_a_run_that_has_not_come_to_its_end_is_not_damaged(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / trained.name)
    edit(folder / "summary.json", lambda s: s.update(complete=False, metrics={}))
    assert damage(folder) == ""


def test_a_damaged_training_is_kept_aside_and_made_again(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = replace(made_up_study.trained_study(), seeds=1)
    first = go(study)
    assert first.made == 2 and len(first.records) == 1
    folder = next(RUNS.glob("slow-seed0-*"))
    cut(folder, "metrics.csv", 0.9)
    capsys.readouterr()
    again = go(study)
    assert again.made == 1 and again.records[0].parts == first.records[0].parts
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{folder}: metrics.csv is truncated; kept as {folder.name}.damaged-1, and made again"
    )
    assert (folder.with_name(f"{folder.name}.damaged-1") / "metrics.csv").is_file() and damage(folder) == ""
    assert go(study).made == 0


def test_a_run_that_diverged_is_nan_by_right(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = made_up_study.trained_study(**{"model.optimizer.lr": 1e-3})
    study = replace(study, seeds=1, variants={"slow": {}, "fast": {"model.optimizer.lr": 1e30}})
    (record,) = go(study).records
    assert record.level == "inconclusive" and "was not measured in every seed" in record.because
    assert "made again" not in capsys.readouterr().out
    folder = next(RUNS.glob("fast-*"))
    assert read_summary(folder)["state"] == "diverged" and damage(folder) == ""


# A measurement --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("summary.json", lambda s: s["measured"].update(height=None), "the figures of summary.json are not what the run wrote"),
        ("summary.json", lambda s: s["measured"].pop("height"), "the figures of summary.json are not what the run wrote"),
        ("summary.json", lambda s: s["measured"].update(height=9.0), "the figures of summary.json are not what the run wrote"),
        ("summary.json", lambda s: s.update(measured=None), "summary.json has lost what was measured"),
        ("curves.json", lambda s: s["growth"].pop(), "curves.json is not what the run wrote"),
    ],
)
def test_a_damaged_measurement_is_made_again(
    name: str, change: Callable[[dict[str, Any]], None], said: str, marks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = made_up_study.study(marks)
    first = go(study)
    edit(next(RUNS.glob("tall-seed1-*")) / name, change)
    capsys.readouterr()
    again = go(study)
    assert again.made == 1 and again.records[0].parts == first.records[0].parts
    assert said in capsys.readouterr().out.splitlines()[0]


@pytest.fixture
def marks(workdir: Path) -> Path:
    (workdir / "marks").mkdir()
    return workdir / "marks"


def test_a_lost_curve_is_made_again_and_does_not_pass_for_a_threshold_not_reached(marks: Path) -> None:
    assert math.isnan(Run("a", 0, None, {}).steps_to("growth", 0.5))
    assert math.isinf(Run("a", 0, None, {}, {"growth": [(0, 1.0)]}).steps_to("growth", 0.5))
    study = made_up_study.study(marks)
    go(study)
    (next(RUNS.glob("tall-seed1-*")) / "curves.json").unlink()
    assert go(study).made == 1


def widths(runs: Runs) -> Part:
    effect = runs.difference("tall − short", "tall", "short", "width", scale=1, needs=Needs(low=0))
    return Part(says="One is wider.", effects=(effect,))


def test_what_no_run_has_is_asked_for_once_more_and_then_fails_the_study(
    marks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = go(replace(made_up_study.study(marks), parts=widths))
    assert failed.records == [] and failed.made == 12
    out = capsys.readouterr().out.splitlines()
    assert sum("has no width; kept as" in line for line in out) == 6
    assert out[-1].startswith("D12  not run") and "has no width, and so again after it was made again" in out[-1]
    assert not list(Path("runs").glob("**/verdict-cpu.json"))
    assert len(list(RUNS.glob("*.damaged-1"))) == 6 and not list(RUNS.glob("*.damaged-2"))
