"""What a study must have before it is judged: its data on disk, and the same data for all that is compared."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from datamodules import Shapes
from experiments.command_line.answer import answer
from experiments.reproduction import claims as claims_module
from experiments.reproduction.evidence import data_seen, processor, versions
from experiments.reproduction.reproduce import run
from experiments.reproduction.reproduction import Reproduction
from experiments.runs.files import read_summary
from experiments.studies.study import Scale
from experiments.training import callbacks
from tests.support import made_up_study
from tests.support.reduced import Here


@pytest.fixture
def marks(workdir: Path) -> Path:
    (workdir / "marks").mkdir()
    return workdir / "marks"


@pytest.mark.parametrize(("asked", "code"), [("all", 0), ("cnn", 0), ("poor", 1), ("D12", 1)])
def test_a_study_without_its_data_is_not_run_and_says_where_it_is_to_be_had(
    asked: str, code: int, marks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = made_up_study.study(marks)
    poor = replace(study, scales={"cpu": Scale(requires={"data/bccd": "https://example.org/bccd"})})
    studies = {name: made_up_study.claim(s, name) for name, s in {"cnn/rich": study, "cnn/poor": poor}.items()}
    monkeypatch.setattr(claims_module, "claims", lambda: studies)
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    assert answer(lambda signals: run([asked])) == code
    out = capsys.readouterr().out
    assert re.search(r"^D12  not run +cnn/poor +needs data/bccd: https://example.org/bccd$", out, re.MULTILINE)
    (marks.parent / "data" / "bccd").mkdir(parents=True)
    assert answer(lambda signals: run([asked])) == 0
    assert "needs data" not in capsys.readouterr().out


# The data that a run saw ----------------------------------------------------------------------------------------------


def shapes(**how: object) -> Shapes:
    data = Shapes(**{"image_size": 32, "train": 40, "val": 8, "test": 8, "batch_size": 8} | how)  # type: ignore[arg-type]
    data.require(frozenset({"label", "boxes"}))
    return data


def test_the_digest_stands_for_pixels_targets_and_lengths_and_for_nothing_else() -> None:
    base = data_seen(shapes())
    assert re.fullmatch("[0-9a-f]{12}", base.digest) and base.fields == ("boxes", "label")
    assert data_seen(shapes()) == base == data_seen(shapes(batch_size=4, workers=2, cache_mib=0))
    others = [shapes(data_seed=1), shapes(train=41), shapes(test=9), shapes(image_size=48)]
    masks = shapes()
    masks.require(frozenset({"label", "boxes", "masks"}))
    assert len({base.digest, *(data_seen(data).digest for data in [*others, masks])}) == 6


def test_a_data_module_is_as_it_was_behind_it() -> None:
    data = shapes()
    data.require(frozenset({"boxes", "labels", "proposals"}))
    assert data_seen(data).fields == ("boxes", "labels")
    assert data.fields == frozenset({"boxes", "labels", "proposals"})


def test_variants_that_saw_different_data_are_not_compared(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim = made_up_study.claim(replace(made_up_study.trained_study(), seeds=1))

    def go() -> Reproduction:
        reproduction = Reproduction([claim], "cpu", Path("runs"), Here())
        reproduction.run()
        return reproduction

    assert len(go().records) == 1
    slow, fast = (next(Path("runs/lectures/cnn/made_up").glob(f"{name}-*")) for name in ("slow", "fast"))
    summary = read_summary(slow)
    assert summary["data_digest"] == read_summary(fast)["data_digest"] != ""
    assert summary["processor"] == processor() and summary["versions"] == versions()
    assert {"python", "torch", "torchvision", "pytorch_lightning", "torchmetrics", "numpy"} <= summary["versions"].keys()
    (slow / "summary.json").write_text(json.dumps(summary | {"data_digest": "0123456789ab"}))
    capsys.readouterr()
    failed = go()
    assert failed.records == [] and failed.made == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "«slow» (seed 0) and «fast» (seed 0) saw different data, digests 0123456789ab and" in line and str(slow) in line


# The commit -----------------------------------------------------------------------------------------------------------


def test_a_commit_says_that_git_knows_nothing_of_a_study(monkeypatch: pytest.MonkeyPatch) -> None:
    for described, new, said in [
        ("abc", "", "abc"),
        ("abc+", "", "abc+"),
        ("abc", "experiments/lectures/cnn/new.py", "abc+untracked"),
        ("", "x.py", ""),
    ]:
        answers = {"describe": described, "ls-files": new}
        monkeypatch.setattr(callbacks, "_git", lambda command, *rest, answers=answers: answers[command])
        assert callbacks.commit() == said
