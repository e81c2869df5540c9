"""A verdict that is older than its code, and whether the code still gives its numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datamodules.scene import InputError
from experiments import ROOT
from experiments.reproduction import committing, confirming
from experiments.reproduction.claims import Claim, claims
from experiments.reproduction.committing import commit_record
from experiments.reproduction.confirming import confirm
from experiments.reproduction.earlier import Earlier, run_by
from experiments.reproduction.execution import execute
from experiments.reproduction.reproduction import Reproduction
from experiments.studies import committed as shipped
from experiments.studies.code import stale
from experiments.studies.reading import read_run
from experiments.studies.record import Record
from experiments.studies.study import Exact, Job, Study
from tests.support import made_up_study
from tests.support.reduced import Here


class Committed:
    """A made-up study's record among those that come with Lectern."""

    def __init__(self, folder: Path, claim: Claim, record: Record) -> None:
        self.claim, self.record = claim, record
        self.path = folder / "cpu" / f"{claim.name}.json"

    def edit(self, key: str, value: Any) -> str:
        """Puts another value into its file; returns the text."""
        content = json.loads(self.path.read_text())
        *outer, last = key.split("/")
        place = content
        for part in outer:
            place = place[int(part) if part.isdigit() else part]
        place[last] = value
        text = json.dumps(content)
        self.path.write_text(text)
        shipped.forget()
        return text

    def confirm(self) -> int:
        return confirm([self.claim], "cpu", Path("runs"), Here())  # type: ignore[arg-type]


@pytest.fixture
def kept(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Committed]:
    results = workdir / "experiments" / "results"
    monkeypatch.setattr(committing, "results_folder", lambda: results)
    monkeypatch.setattr(shipped, "files", lambda package: workdir / package)
    shipped.forget()
    (workdir / "marks").mkdir()
    claim = made_up_study.claim(made_up_study.study(workdir / "marks"))
    reproduction = Reproduction([claim], "cpu", Path("runs"), Here())  # type: ignore[arg-type]
    reproduction.run()
    (record,) = reproduction.records
    commit_record(claim, record, Path("runs"))
    yield Committed(results, claim, record)
    shipped.forget()


def _needs_git() -> None:
    if (
        shutil.which("git") is None
        or subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=ROOT, check=False).returncode
    ):
        pytest.skip("no checkout")


OLD = "experiments/studies/study.py"
JUDGE = "experiments/studies/plan.py"


def test_one_seed_of_each_variant_renews_a_stale_verdict(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    kept.edit("code", {**kept.record.code, OLD: "0" * 12})
    (before,) = shipped.committed_records()
    assert stale(before.code) == [OLD]
    made = len(list(Path("marks").iterdir()))
    assert kept.confirm() == 0
    (after,) = shipped.committed_records()
    assert stale(after.code) == [] and after.code[OLD] == kept.record.code[OLD]
    assert len(list(Path("marks").iterdir())) == made + 2
    (note,) = after.confirmed
    assert note.changed == (OLD,) and note.what == "the first seed of 2 variants run again: 2 values equal"
    assert after.model_copy(update={"code": before.code, "confirmed": ()}) == before  # nothing else is touched
    assert [path.name for path in Path("runs").iterdir() if path.name.startswith(".confirm")] == []
    assert kept.confirm() == 0 and "no committed verdict of these studies is stale" in capsys.readouterr().out


def test_what_chooses_and_judges_runs_is_done_again_without_a_run(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    kept.edit("code", {**kept.record.code, JUDGE: "0" * 12})
    made = len(list(Path("marks").iterdir()))
    assert kept.confirm() == 0
    (after,) = shipped.committed_records()
    assert stale(after.code) == [] and after.code == kept.record.code
    assert len(list(Path("marks").iterdir())) == made
    (note,) = after.confirmed
    assert (note.what, note.changed) == ("rates chosen and verdict judged again", (JUDGE,))


def test_where_they_judge_otherwise_nothing_is_renewed(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    kept.edit("code", {**kept.record.code, JUDGE: "0" * 12})
    text = kept.edit("parts/a/level", "exact")
    assert kept.confirm() == 1
    assert "judged again, part a, level is another" in capsys.readouterr().out and kept.path.read_text() == text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("variants/tall/runs/0/values/height", 2.0000001, "1 values are others now"),
        ("parts/a/level", "exact", "judged again, part a, level is another"),
    ],
)
def test_a_number_that_is_another_renews_nothing(
    kept: Committed, capsys: pytest.CaptureFixture[str], key: str, value: Any, said: str
) -> None:
    kept.edit("code", {**kept.record.code, OLD: "0" * 12})
    text = kept.edit(key, value)
    assert kept.confirm() == 1
    out = capsys.readouterr().out
    assert said in out and "`lectern reproduce D12 --record` judges it again" in out and out.count("\n") == 1
    assert kept.path.read_text() == text


def test_a_run_that_fails_renews_nothing(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    text = kept.edit("code", {**kept.record.code, OLD: "0" * 12})
    Path("marks/fail").touch()
    assert kept.confirm() == 1
    assert "a run failed (RuntimeError: told to fail)" in capsys.readouterr().out and kept.path.read_text() == text


def test_an_identity_is_computed_again(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    study = Exact(claim="A05", says="One and one.", slide="none", paper="none", checks=made_up_study.checks)
    claim = made_up_study.claim(study, "cnn/sums")
    reproduction = Reproduction([claim], "cpu", Path("runs"), Here())  # type: ignore[arg-type]
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("experiments.reproduction.reproduction.claims", lambda: {claim.name: claim})
        reproduction.run()
    (record,) = reproduction.records
    commit_record(claim, record, Path("runs"))
    sums = Committed(kept.path.parents[2], claim, record)
    sums.edit("code", {OLD: "0" * 12})  # a file that it rested on
    assert sums.confirm() == 0
    (after,) = (each for each in shipped.committed_records() if each.name == claim.name)
    assert after.code == record.code and after.confirmed[0].what == "computed again"


@pytest.mark.parametrize(("off", "code"), [(0.0, 0), (1e-7, 1)])
def test_on_another_processor_the_code_before_the_change_is_run_too(
    kept: Committed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], off: float, code: int
) -> None:
    """The numbers that are recorded, another processor's, count no more."""
    _needs_git()

    def elsewhere(job: Job, folder: Path, label: dict[str, str], more: float = 0.25) -> None:
        execute(replace(job, settings={**job.settings, "height": float(job.settings["height"]) + more}), folder, label)

    def before(tree: Path, asked: dict[str, Any]) -> None:
        assert (tree / "pyproject.toml").is_file() and isinstance(kept.claim.study, Study)
        job = kept.claim.study.job(asked["scale"], asked["variant"], asked["lr"], asked["seed"])
        elsewhere(job, Path(asked["folder"]), asked["label"], 0.25 + off)

    monkeypatch.setattr(confirming, "execute", elsewhere)
    monkeypatch.setattr(confirming, "run_by", before)
    monkeypatch.setattr(Earlier, "stale", lambda self, record: [])
    text = kept.edit("code", {**kept.record.code, OLD: "0" * 12})
    assert confirm([kept.claim], "cpu", Path("runs"), Here(), "HEAD") == code  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert not [path for path in Path("runs").iterdir() if path.name.startswith(".confirm")]
    if code:
        assert "2 values are others now" in out and kept.path.read_text() == text
    else:
        (after,) = shipped.committed_records()
        assert stale(after.code) == [] and "2 values equal to those of the code before, on " in after.confirmed[0].what


def test_a_run_by_the_code_in_a_folder(workdir: Path) -> None:
    """Here today's code, which is the same in a process of its own."""
    asked = {"name": "cnn/squashing_kills_gradients", "scale": "cpu", "variant": "sigmoid", "lr": None, "seed": 0}
    label = {"claim": "A13", "name": asked["name"], "scale": "cpu"}
    run_by(ROOT, asked | {"folder": str(workdir / "own"), "label": label})
    study = claims()["cnn/squashing_kills_gradients"].study
    assert isinstance(study, Study)
    execute(study.job("cpu", "sigmoid", None, 0), workdir / "here", label)
    own, here = (read_run(workdir / name, "sigmoid", 0, None).values for name in ("own", "here"))
    assert own == here and own
    with pytest.raises(InputError, match=r"the earlier code: .*cosine"):
        run_by(ROOT, asked | {"variant": "cosine", "folder": str(workdir / "none"), "label": label})


def test_what_was_stale_before_the_change_is_told(kept: Committed, capsys: pytest.CaptureFixture[str]) -> None:
    _needs_git()
    text = kept.edit("code", {**kept.record.code, OLD: "0" * 12})
    assert confirm([kept.claim], "cpu", Path("runs"), Here(), "HEAD") == 1  # type: ignore[arg-type]
    assert f"it was stale at HEAD too ({OLD})" in capsys.readouterr().out and kept.path.read_text() == text


def test_a_commit_that_is_none_is_named(kept: Committed) -> None:
    """Also where there is nothing to confirm."""
    for code in (kept.record.code, {**kept.record.code, OLD: "0" * 12}):
        kept.edit("code", code)
        with pytest.raises(InputError, match="--confirm nowhere: no commit of this checkout"):
            confirm([kept.claim], "cpu", Path("runs"), Here(), "nowhere")  # type: ignore[arg-type]
