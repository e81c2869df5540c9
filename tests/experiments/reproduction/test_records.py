"""A record is made of its runs, written where its numbers are theirs, and committed by maintainers alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from datamodules.scene import InputError
from experiments import ROOT
from experiments.reproduction import committing
from experiments.reproduction.check import check
from experiments.reproduction.claims import select
from experiments.reproduction.committing import commit_record, committed, results_folder
from experiments.reproduction.records import contradictions, make_record, runs_of, write_record
from experiments.reproduction.reproduce import run as reproduce
from experiments.reproduction.table import BEGIN, END
from experiments.runs.files import read_summary
from experiments.studies import committed as shipped
from experiments.studies.code import source_digest
from experiments.studies.plan import collect
from experiments.studies.reading import read_run
from experiments.studies.record import Record, read_record
from experiments.studies.results import Run
from experiments.studies.study import Job, Study, digest
from experiments.studies.verdict import Verdict
from tests.support.made_up_records import decay_helps
from tests.support.reduced import Here

(CLAIM,) = select(["B17"])
FILE = "lightning_modules/networks/cifar.py"


def made(runs: Path, **summary: object) -> Record:
    """The record of B17 over run folders that say what :func:`decay_helps` does."""
    study = CLAIM.study
    assert isinstance(study, Study)
    about = {"processor": "Some CPU", "versions": {"python": "3.12.1"}, "cpu_seconds": 2.0, "data_digest": "0123456789ab"}

    def find(job: Job) -> Run:
        folder = runs / "lectures" / CLAIM.name / job.version
        if not folder.is_dir():
            folder.mkdir(parents=True)
            (folder / "summary.json").write_text(json.dumps(about | summary | {"test": decay_helps(job)}))
        return read_run(folder, job.variant, job.seed, job.lr)

    found = collect(study, "cpu", find)
    return make_record(CLAIM, "cpu", Verdict.of(study.parts(found)), found, 1.0)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return made(tmp_path)


def test_it_says_how_it_was_made(record: Record) -> None:
    runs = sum(len(variant.runs) + len(variant.others) for variant in record.variants.values())
    assert (record.seeds, record.first_seed, runs) == (5, 0, 3 * (5 + 9))
    assert (record.processor, record.versions, record.cpu_seconds) == ("Some CPU", {"python": "3.12.1"}, 2.0 * runs)
    (first, *_) = record.variants["steps"].runs
    assert first.data == "0123456789ab" and first.folder.endswith(first.hash) and len(first.hash) == 12
    assert first.values.keys() == {"trainset/error", "test/error", "trainset/loss"}
    assert record.rule.startswith("Reproduced: with each schedule the training error is lower")
    assert record.amendments and record.variants["steps"].tried.keys() == {"0.00999", "0.0316", "0.0999"}


def test_it_is_judged_again_from_what_it_holds(record: Record) -> None:
    study = CLAIM.study
    assert isinstance(study, Study)
    again = make_record(CLAIM, "cpu", Verdict.of(study.parts(runs_of(record))), runs_of(record), 0.0)
    assert again.parts == record.parts


def test_it_is_small_and_survives_the_disk(record: Record, tmp_path: Path) -> None:
    text = committed(record).as_json()
    assert len(text.encode()) <= 18_000
    assert "null" not in text and '"translation"' not in text
    (tmp_path / "record.json").write_text(text, encoding="utf-8")
    assert read_record(tmp_path / "record.json") == committed(record)


def test_the_code_of_runs_counts_as_it_was_when_they_were_made(tmp_path: Path) -> None:
    now = source_digest(FILE)
    assert made(tmp_path / "today", code={FILE: now}).code[FILE] == now
    older = made(tmp_path / "older", code={FILE: "0" * 12})
    assert older.code[FILE] == "0" * 12 and older.changed_code == (FILE,)


def test_a_digest_of_a_file_s_text_is_as_good_where_the_text_is_still_the_same(tmp_path: Path) -> None:
    was = digest((ROOT / FILE).read_text(encoding="utf-8"))
    found = made(tmp_path, code={FILE: was})
    assert found.code[FILE] == source_digest(FILE) and found.changed_code == ()


def test_a_record_that_contradicts_its_runs_is_refused(record: Record, tmp_path: Path) -> None:
    assert contradictions(record, tmp_path) == []
    path = write_record(tmp_path, CLAIM, record)
    assert read_record(path) == record
    folder = tmp_path / record.variants["steps"].runs[2].folder
    summary = read_summary(folder)
    summary["test"]["trainset/error"] += 0.1
    (folder / "summary.json").write_text(json.dumps(summary))
    path.unlink()
    with pytest.raises(InputError, match=r"contradicts 1 values of its runs.*steps-lr0.0316-seed2.*trainset/error is 0.3"):
        write_record(tmp_path, CLAIM, record)
    assert not path.exists()


def test_so_is_one_whose_data_are_others(record: Record, tmp_path: Path) -> None:
    folder = tmp_path / record.variants["steps"].runs[2].folder
    (folder / "summary.json").write_text(json.dumps(read_summary(folder) | {"data_digest": "ba9876543210"}))
    (wrong,) = contradictions(record, tmp_path)
    assert "its data are ba9876543210, and not 0123456789ab" in wrong


def test_a_step_that_a_threshold_was_reached_at_is_read_again(tmp_path: Path) -> None:
    record = made(tmp_path)
    run = record.variants["steps"].runs[0]
    folder = tmp_path / run.folder
    (folder / "metrics.csv").write_text("step,epoch,seconds,loss\n10,0,1,2.0\n20,0,1,0.2\n30,0,1,0.1\n")
    for name, value, wrong in (
        ("steps to loss 0.25", 20, 10),
        ("last step of loss", 30, 20),
        ("steps to loss 0.01", "Infinity", 5),
    ):
        for kept, problems in ((float(value), 0), (float(wrong), 1)):
            variant = record.variants["steps"].model_copy(update={"runs": (run.model_copy(update={"values": {name: kept}}),)})
            assert len(contradictions(record.model_copy(update={"variants": {"steps": variant}}), tmp_path)) == problems


# The committed ones ---------------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout's folder of records."""
    monkeypatch.setattr(committing, "results_folder", lambda: tmp_path / "experiments" / "results")
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path / package)
    shipped.forget()
    yield tmp_path / "experiments" / "results"
    shipped.forget()


def test_one_record_is_written_and_read_as_what_comes_with_lectern(results: Path, record: Record, tmp_path: Path) -> None:
    path = commit_record(CLAIM, record, tmp_path)
    assert list(results.rglob("*.json")) == [path] == [results / "cpu" / "cnn" / "learning_rate_decay_helps.json"]
    assert shipped.committed_records() == shipped.committed_records("cpu") == [committed(record)]
    assert shipped.committed_records("gpu") == [] and shipped.committed_record("cnn/plain_nets_degrade", "cpu") is None
    assert shipped.committed_record(CLAIM.name, "cpu") == committed(record)
    assert shipped.committed_record(CLAIM.name, "gpu") is None
    assert '"folder"' not in path.read_text(encoding="utf-8")


def test_an_identity_s_holds_at_every_scale(results: Path, record: Record, tmp_path: Path) -> None:
    commit_record(CLAIM, record.model_copy(update={"device": "any"}), tmp_path)
    assert shipped.committed_record(CLAIM.name, "gpu") == shipped.committed_record(CLAIM.name, "cpu") is not None


@pytest.mark.parametrize("change", [{"seeds": 4}, {"first_seed": 100}])
def test_a_preview_is_not_committed(results: Path, record: Record, tmp_path: Path, change: dict[str, int]) -> None:
    with pytest.raises(InputError, match="seeds 0 to 4 are what it is judged on"):
        commit_record(CLAIM, record.model_copy(update=change), tmp_path)
    assert not results.exists()


def test_one_that_contradicts_its_runs_is_not_committed(results: Path, record: Record, tmp_path: Path) -> None:
    (next(iter(tmp_path.glob("lectures/cnn/*/steps-lr0.0316-seed1-*"))) / "summary.json").write_text("{}")
    with pytest.raises(InputError, match="contradicts"):
        commit_record(CLAIM, record, tmp_path)
    assert not results.exists()


def test_a_file_under_another_study_s_name_is_broken(results: Path, record: Record, tmp_path: Path) -> None:
    path = commit_record(CLAIM, record, tmp_path)
    path.rename(path.with_name("plain_nets_degrade.json"))
    (results / "cpu" / "cnn" / "empty.json").touch()
    shipped.forget()
    assert shipped.committed_records() == []
    assert shipped.broken_committed() == ["cpu/cnn/empty.json", "cpu/cnn/plain_nets_degrade.json"]


def test_only_a_checkout_has_committed_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "__init__.py").touch()
    monkeypatch.setattr(committing, "ROOT", tmp_path)
    with pytest.raises(InputError, match="is not in a git checkout that can be written"):
        results_folder()
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    with pytest.raises(InputError, match="is not in a git checkout"):  # as in a virtual environment within somebody's project
        results_folder()
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert results_folder() == tmp_path / "experiments" / "results"


def test_the_command_keeps_a_verdict_among_them_and_makes_both_tables(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    monkeypatch.setattr(committing, "ROOT", workdir)
    monkeypatch.setattr(shipped, "files", lambda package: workdir / package)
    shipped.forget()
    with pytest.raises(InputError, match="is not in a git checkout"):
        reproduce(["B03", "--record"])
    assert not Path("runs").exists()
    (workdir / "experiments").mkdir()
    (workdir / "experiments" / "__init__.py").touch()
    (workdir / "README.md").write_text(f"# A\n{BEGIN}\nold\n{END}\nrest\n")
    subprocess.run("git init -q . && git add .", shell=True, cwd=workdir, check=True)
    assert reproduce(["B03", "--record", "--table", "README.md"]) == 0
    assert [path.name for path in workdir.rglob("results/cpu/*/*") if path.suffix] == ["fully_connected_needs_billions.json"]
    text = (workdir / "README.md").read_text()
    assert text.startswith("# A\n") and text.endswith("rest\n") and "\nold\n" not in text
    assert "1 erratum, 120 not run" in text and "| **erratum** | weights of the layer" in text
    assert check(workdir / "README.md") == 0
    shipped.forget()


def test_seventy_of_them_are_read_at_once(results: Path, record: Record, tmp_path: Path) -> None:
    text = commit_record(CLAIM, record, tmp_path).read_text(encoding="utf-8")
    for number in range(70):
        changed = text.replace(f'"name": "{CLAIM.name}"', f'"name": "cnn/study{number}"')
        (results / "cpu" / "cnn" / f"study{number}.json").write_text(changed, encoding="utf-8")
    shipped.forget()
    began = time.process_time()
    assert len(shipped.committed_records()) == 71
    assert time.process_time() - began < 0.5  # measured: 0.1


def test_they_are_read_without_torch() -> None:
    code = "import sys; from experiments.studies.committed import committed_records; committed_records(); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"torch", "pytorch_lightning"} & set(said.stdout.split())
