"""``lectern reproduce`` runs what is missing and nothing else, whatever happened before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from datamodules.scene import InputError
from experiments.command_line.answer import answer
from experiments.lectures import rows
from experiments.reproduction.claims import Claim, claims, select
from experiments.reproduction.execution import execute, is_complete
from experiments.reproduction.launchers import Submitit
from experiments.reproduction.provenance import changed_sources
from experiments.reproduction.reproduce import Reproduction, run
from experiments.reproduction.table import check_table, write_table
from experiments.runs.files import read_summary
from experiments.studies.study import Exact, Job, Study, Training, configuration
from experiments.training.cli import LecternCLI
from tests.support import made_up_study
from tests.support.made_up_runs import write_study
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
    ("word", "message"), [("plain_nets_degrad", "plain_nets_degrade"), ("H07", "no study yet"), ("zebra", "no such study")]
)
def test_a_name_that_is_none_is_one_line(word: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce([word]) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


def test_an_exact_study_runs_from_the_command_line(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    (workdir / "README.md").write_text("# A\n<!-- verdicts:begin -->\nold\n<!-- verdicts:end -->\nrest\n")
    assert reproduce(["B03", "--table", "README.md"]) == 0
    text = (workdir / "README.md").read_text()
    assert text.startswith("# A\n")
    assert text.endswith("rest\n")
    assert "| B03 |" in text
    assert "**not run** | has a study" in text
    assert check_table(workdir / "README.md") == 0
    assert "\nold\n" not in text


def test_check_fails_when_a_study_is_newer_than_the_table(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = made_up_study.claim(Exact("D12", "a", "b", "c", made_up_study.checks), "cnn/fully_connected_needs_billions")
    everything = {exact.name: exact}
    for module in ("experiments.reproduction.table", "experiments.reproduction.reproduce"):
        monkeypatch.setattr(f"{module}.claims", lambda: everything)
    reproduction = Reproduction([exact], "cpu", Path("runs"), Here())
    reproduction.run()
    table = workdir / "table.md"
    table.write_text("<!-- verdicts:begin --><!-- verdicts:end -->")
    write_table(table, reproduction.records)
    assert check_table(table) == 0
    monkeypatch.setattr("experiments.reproduction.table.study_digest", lambda claim: "newer")
    assert check_table(table) == 1
    assert "judged before its study changed" in capsys.readouterr().err
    everything["cnn/other"] = made_up_study.claim(exact.study, "cnn/other")
    assert check_table(table) == 1
    assert "has no row" in capsys.readouterr().err


def test_a_verdict_s_row_is_written_and_the_others_stay(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reproduces one claim does not lose what others have measured."""
    names = {"D12": "cnn/one", "A05": "cnn/two"}
    everything = {
        name: made_up_study.claim(Exact(claim, "a", "b", "c", made_up_study.checks), name) for claim, name in names.items()
    }
    for module in ("experiments.reproduction.table", "experiments.reproduction.reproduce"):
        monkeypatch.setattr(f"{module}.claims", lambda: everything)
    table = workdir / "table.md"
    table.write_text("before <!-- verdicts:begin --><!-- verdicts:end --> after")
    written = []
    for name, claim in everything.items():
        reproduction = Reproduction([claim], "cpu", Path(f"runs-{name[-3:]}"), Here())
        reproduction.run()
        write_table(table, reproduction.records)
        written.append(table.read_text())
    assert "1 exact, 122 not run" in written[0] and "| A05 | One is taller than the other. | **not run** |" in written[0]
    assert "2 exact, 121 not run" in written[1]
    assert [line for line in written[0].splitlines() if line.startswith("| D12")] == [
        line for line in written[1].splitlines() if line.startswith("| D12")
    ]
    assert check_table(table) == 0
    assert written[1].startswith("before ") and written[1].endswith(" after")


def test_a_row_may_be_older_where_it_says_so(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = made_up_study.claim(Exact("D12", "a", "b", "c", made_up_study.checks), "cnn/made_up")
    for module in ("experiments.reproduction.table", "experiments.reproduction.reproduce"):
        monkeypatch.setattr(f"{module}.claims", lambda: {exact.name: exact})
    reproduction = Reproduction([exact], "cpu", Path("runs"), Here())
    reproduction.run()
    table = workdir / "table.md"
    table.write_text("<!-- verdicts:begin --><!-- verdicts:end -->")
    write_table(table, reproduction.records)
    written = table.read_text()
    assert f'"cnn/made_up": "{reproduction.records[0].study_digest}"' in written and "older" not in written
    older = written.replace(reproduction.records[0].study_digest, "older")
    table.write_text(older)
    capsys.readouterr()
    assert check_table(table) == 1
    assert "its row does not say (measured before 2026-11-26)" in capsys.readouterr().err
    table.write_text(older.replace("**exact**", "**exact** (measured before 2026-11-26)"))
    assert check_table(table) == 0
    out = capsys.readouterr().out
    assert "1 of 1 rows are older" in out and out.count("\n") == 1


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


def test_a_verdict_of_an_older_version_is_named_and_made_again(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_study(workdir / "runs", {"a": [0.6], "b": [0.2]}, validity_checks=[], variants={})
    content = json.loads(path.read_text())
    del content["format"]
    path.write_text(json.dumps(content))
    (workdir / "README.md").write_text("<!-- verdicts:begin --><!-- verdicts:end -->")
    assert reproduce(["--table", "README.md"]) == 2  # it is left out, and nothing else is there
    said = capsys.readouterr().err
    assert "made by an older version" in said and "`lectern reproduce plain_nets_degrade` again" in said


def test_the_table_in_the_readme_is_as_new_as_the_studies() -> None:
    assert check_table(Path(__file__).parents[3] / "README.md") == 0


def test_a_file_without_markers_is_refused(workdir: Path) -> None:
    (workdir / "README.md").write_text("# A\n")
    with pytest.raises(InputError, match="no markers"):
        check_table(workdir / "README.md")


# The studies that there are -------------------------------------------------------------------------------------------


def test_every_study_is_of_a_claim_of_the_lectures() -> None:
    assert len(rows()) == 123
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
