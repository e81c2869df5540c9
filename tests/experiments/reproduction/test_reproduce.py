"""``lectern reproduce`` runs what is missing and nothing else, whatever happened before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.command_line.answer import answer
from experiments.lectures import rows
from experiments.reproduction.claims import Claim, claims, select
from experiments.reproduction.execution import execute, is_complete
from experiments.reproduction.launchers import Submitit
from experiments.reproduction.provenance import changed_sources
from experiments.reproduction.reproduce import Reproduction, run
from experiments.runs.files import read_summary
from experiments.studies.record import read_record
from experiments.studies.results import Runs
from experiments.studies.study import Job, Study, Training, configuration
from experiments.studies.verdict import Part
from experiments.training.cli import LecternCLI
from tests.support import made_up_study
from tests.support.reduced import Here


def reproduce(arguments: list[str]) -> int:
    """``lectern reproduce``; returns its exit code."""
    return answer(lambda signals: run(arguments))


def go(marks: Path, executor: Any = None) -> Reproduction:
    """One call of the command for the made-up study."""
    reproduction = Reproduction([made_up_study.claim(made_up_study.study(marks))], "cpu", Path("runs"), executor or Here())
    reproduction.run()
    return reproduction


@pytest.fixture
def marks(workdir: Path) -> Path:
    place = workdir / "marks"
    place.mkdir()
    return place


def test_it_runs_what_is_missing_and_nothing_twice(marks: Path) -> None:
    first = go(marks)
    assert [record.level for record in first.records] == ["reproduced"]
    assert first.made == 6
    again = go(marks)
    assert again.made == 0
    assert len(list(marks.iterdir())) == 6
    assert again.records[0].effects == first.records[0].effects
    assert first.records[0].effects[0].estimate == pytest.approx(1.0)


def test_two_calls_share_the_runs_of_a_study(marks: Path) -> None:
    """As on two machines, or in two terminals: no run is made twice, and both have the verdict."""
    (marks / "slow").touch()
    pids = []
    for _ in range(2):
        pids.append(os.fork())
        if not pids[-1]:
            os._exit(0 if [record.level for record in go(marks).records] == ["reproduced"] else 1)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0, 0]
    assert len([mark for mark in marks.iterdir() if mark.name != "slow"]) == 6
    assert all(mark.name.endswith("-0") for mark in marks.iterdir() if mark.name != "slow")
    assert go(marks).made == 0


def test_a_run_that_another_call_has_begun_and_left_is_gone_on_with(marks: Path) -> None:
    (marks / "slow").touch()
    pid = os.fork()
    if not pid:
        go(marks)
        os._exit(0)
    while len(list(marks.iterdir())) < 3:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert [record.level for record in go(marks).records] == ["reproduced"]


def test_a_run_that_is_gone_is_made_again_alone(marks: Path) -> None:
    go(marks)
    folder = next(Path("runs/lectures/cnn/made_up").glob("tall-seed1-*"))
    (folder / "summary.json").unlink()
    assert go(marks).made == 1


def test_a_failed_run_is_reported_and_tried_again(marks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (marks / "fail").touch()
    failed = go(marks)
    assert failed.records == []
    assert "told to fail" in capsys.readouterr().out
    (marks / "fail").unlink()
    assert [record.level for record in go(marks).records] == ["reproduced"]


def test_two_studies_share_a_run(marks: Path) -> None:
    one, other = (made_up_study.claim(made_up_study.study(marks), name) for name in ("cnn/one", "cnn/other"))
    reproduction = Reproduction([one, other], "cpu", Path("runs"), Here())
    reproduction.run()
    assert len(reproduction.records) == 2
    assert len(list(marks.iterdir())) == 6


def test_it_says_when_the_code_behind_a_run_has_changed(marks: Path) -> None:
    go(marks)
    folder = next(Path("runs/lectures/cnn/made_up").glob("tall-seed0-*"))
    assert changed_sources(folder) == []
    summary = json.loads((folder / "summary.json").read_text())
    summary["code"] = {"lightning_modules/base.py": "another"}
    (folder / "summary.json").write_text(json.dumps(summary))
    assert go(marks).records[0].changed_code == ("lightning_modules/base.py",)


def test_another_argument_is_another_run(marks: Path) -> None:
    study = made_up_study.study(marks)
    jobs = [study.job("cpu", variant, None, seed) for variant in study.variants for seed in (0, 1)]
    assert len({job.hash for job in jobs}) == 4


def test_killed_half_way_it_goes_on_where_it_stopped(marks: Path) -> None:
    """The processes that make the runs die with the command, and the next call makes the rest."""
    code = (
        "import sys; from pathlib import Path; from tests.experiments.reproduction.test_reproduce import go;"
        "from experiments.reproduction.launchers import Processes; go(Path(sys.argv[1]), Processes(2))"
    )
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", code, str(marks)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": root})
    deadline = time.monotonic() + 300
    while len(list(marks.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.5)
    made = len(list(marks.iterdir()))
    time.sleep(1)
    assert len(list(marks.iterdir())) == made, "a process outlived the command"
    complete = sum(is_complete(f) for f in Path("runs/lectures/cnn/made_up").glob("*-seed*"))
    rest = go(marks)
    assert rest.made == 6 - complete
    assert [record.level for record in rest.records] == ["reproduced"]


def test_a_training_that_was_whole_when_its_test_was_interrupted_is_tested_and_not_refused(workdir: Path) -> None:
    changes = {"data.image_size": 32, "data.train": 32, "data.val": 8, "data.test": 8, "data.batch_size": 8}
    job = Job("a", None, 0, configuration("segmentation/fcn_transpose", changes | {"trainer.max_epochs": 1}))
    folder = Path("runs", "lectures", "cnn", "made_up", job.version)
    execute(job, folder, {})
    summary = read_summary(folder)
    assert summary["state"] == "finished" and summary["complete"]
    (folder / "summary.json").write_text(json.dumps(summary | {"complete": False, "test": {}}))
    execute(job, folder, {})
    again = read_summary(folder)
    assert again["complete"] and again["state"] == "finished" and again["test"] == summary["test"]


def test_runs_go_through_submitit(marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    executor = Submitit("local", Path("submitit"), {"timeout_min": 5})
    assert [record.level for record in go(marks, executor).records] == ["reproduced"]


# The command ----------------------------------------------------------------------------------------------------------


def test_names_lectures_and_ids_are_found() -> None:
    by_id = select(["b03"])
    assert [c.name for c in by_id] == ["cnn/fully_connected_needs_billions"]
    assert select(["cnn/fully_connected_needs_billions"]) == by_id == select(["fully_connected_needs_billions"])
    assert {c.lecture for c in select(["cnn"])} == {"cnn"}
    assert len(select(["all"])) == len(claims())


@pytest.mark.parametrize(
    ("word", "message"), [("plain_nets_degrad", "plain_nets_degrade"), ("Z99", "no study yet"), ("zebra", "no such study")]
)
def test_a_name_that_is_none_is_one_line(
    word: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {**rows(), "Z99": rows()["A01"]}
    monkeypatch.setattr("experiments.reproduction.claims.rows", lambda: known)
    assert reproduce([word]) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


def test_an_exact_study_runs_from_the_command_line(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    assert reproduce(["B03"]) == 0
    assert "B03  erratum " in capsys.readouterr().out
    assert read_record(Path("runs/lectures/cnn/fully_connected_needs_billions/verdict-cpu.json"))


def test_a_verdict_of_an_older_version_is_named(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    path = Path("runs/lectures/cnn/plain_nets_degrade/verdict-cpu.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 2, "level": "reproduced"}))
    assert reproduce(["B03"]) == 0
    said = capsys.readouterr().err
    assert "made by an older version" in said and "`lectern reproduce plain_nets_degrade` again" in said


def test_a_rule_that_cannot_judge_fails_its_study_alone(marks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def parts(runs: Runs) -> Part:
        raise NotImplementedError("no rule yet")

    broken = made_up_study.claim(replace(made_up_study.study(marks), parts=parts), "cnn/broken")
    reproduction = Reproduction([broken, made_up_study.claim(made_up_study.study(marks))], "cpu", Path("runs"), Here())
    reproduction.run()
    assert [record.name for record in reproduction.records] == ["cnn/made_up"]
    assert "cannot be judged: NotImplementedError: no rule yet" in capsys.readouterr().out


def test_an_identity_is_computed_again_when_its_code_has_changed_and_only_then(marks: Path) -> None:
    exact = select(["B03"])

    def made() -> int:
        reproduction = Reproduction(exact, "cpu", Path("runs"), Here())
        reproduction.run()
        return reproduction.made

    assert made() == 1
    assert made() == 0
    path = Path("runs/lectures/cnn/fully_connected_needs_billions/verdict-cpu.json")
    content = json.loads(path.read_text())
    assert "experiments/lectures/cnn/fully_connected_needs_billions.py" in content["code"]
    path.write_text(json.dumps(content | {"code": dict.fromkeys(content["code"], "another")}))
    assert made() == 1


# The studies that there are -------------------------------------------------------------------------------------------


def test_every_study_is_of_a_claim_of_the_lectures() -> None:
    assert len(rows()) == 121
    for claim in claims().values():
        assert claim.id in rows()
        assert claim.title.endswith(".")
    ids = [claim.id for claim in claims().values()]
    assert len(ids) == len(set(ids))


TRAINED = [claim for claim in claims().values() if isinstance(claim.study, Study) and isinstance(claim.study.work, Training)]


class Parsed(LecternCLI):
    """Takes a configuration as ``lectern fit`` does, and builds nothing."""

    def instantiate_classes(self) -> None:
        """Not wanted here."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Not wanted here."""


@pytest.mark.parametrize("claim", TRAINED, ids=lambda claim: claim.name)
def test_every_configuration_of_a_trained_study_is_one_that_lectern_fit_takes(claim: Claim, workdir: Path) -> None:
    study = claim.study
    assert isinstance(study, Study)
    for scale in study.scales:
        # What a variant changes is the same at all scales; a command line takes half a second to parse.
        for variant in study.variants if scale == "cpu" else [next(iter(study.variants))]:
            job = study.job(scale, variant, 0.01 if study.tune else None, 0)
            if job.function is None:
                (workdir / "study.yaml").write_text(yaml.safe_dump(dict(job.settings)))
                Parsed(["fit", "--config", "study.yaml"])


def test_changes_replace_what_stands_at_a_key_as_a_whole() -> None:
    sgd = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}
    config = configuration("segmentation/fcn_transpose", {"model.init_args.optimizer": sgd, "trainer.max_steps": 5})
    assert config["model"]["init_args"]["optimizer"] == sgd
    assert config["trainer"]["max_steps"] == 5
    assert configuration("segmentation/fcn_transpose", {})["model"]["init_args"]["optimizer"] != sgd
