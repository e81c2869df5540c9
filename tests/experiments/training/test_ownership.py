"""A run has one owner: what a command writes is its own, and nothing of another run's changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
import yaml

from experiments.runs import folder as folders
from experiments.runs.files import read_evaluations, read_metrics, read_summary, state_of
from experiments.runs.writing import write_summary
from tests.conftest import Lectern
from tests.support.interrupted import kill, start, wait, wait_for
from tests.support.small_runs import SMALL, everything_below, last_evaluation, one_run

FIT = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0"]
TEST = ["--trainer.enable_progress_bar=false"]


def test_two_runs_that_begin_in_the_same_second_have_two_folders(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job array: both come to the naming of their folder at the same moment."""
    named = folders.new_run_name
    moment = time.time() + 20

    def together(*args: object) -> str:
        time.sleep(max(0.0, moment - time.time()))
        return named(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(folders, "new_run_name", together)
    pids = [start([*FIT, f"--seed_everything={seed}"], workdir / f"log{seed}") for seed in (1, 2)]
    assert [wait(pid) for pid in pids] == [0, 0]
    found = sorted((workdir / "runs").rglob("config.yaml"))
    assert {yaml.safe_load(path.read_text())["seed_everything"] for path in found} == {1, 2}
    assert all([row["step"] for row in read_metrics(path.parent)] == list(range(8)) for path in found)


def test_last_is_an_unfinished_run_that_nobody_writes(workdir: Path) -> None:
    slow = [*FIT, "--name=r", "--checkpoint.steps=1", "--trainer.max_epochs=4", "--ckpt_path=last"]
    slow += ["--trainer.callbacks+=tests.support.slow.Slow"]
    first = start([*slow, "--seed_everything=1"], workdir / "first")
    last = wait_for("runs/r/*/checkpoints/last.ckpt", workdir, first)
    run = last.parent.parent
    assert state_of(run) == "running"
    # The running one is left alone: by `last`, and by its path.
    assert wait(start([*FIT, f"--ckpt_path={last}", "--trainer.max_epochs=4"], workdir / "second")) == 2
    assert "another process is writing this run" in (workdir / "second").read_text()
    third = start([*FIT, "--name=r", "--ckpt_path=last"], workdir / "third")
    assert wait(third) == 0
    assert "no unfinished run" in (workdir / "third").read_text()
    kill(first)
    assert state_of(run) == "unfinished"  # not "running" for ever
    assert (
        wait(start([*FIT, "--name=r", "--ckpt_path=last", "--trainer.max_epochs=4", "--seed_everything=1"], workdir / "log"))
        == 0
    )
    assert [row["step"] for row in read_metrics(run)] == list(range(16))
    assert len(list((workdir / "runs" / "r").iterdir())) == 2


def test_last_is_the_newest_by_its_checkpoint_and_not_by_its_name(lectern: Lectern, workdir: Path) -> None:
    for version in ("exp9", "exp10"):
        assert lectern(*FIT, "--name=r", f"--version={version}").code == 0
        write_summary(workdir / "runs" / "r" / version, {"state": "running"})
    done = lectern(*FIT, "--name=r", "--ckpt_path=last", "--trainer.max_epochs=3")
    assert "exp10" in done.out
    os.utime(workdir / "runs" / "r" / "exp9" / "checkpoints" / "last.ckpt")
    assert "exp9" in lectern(*FIT, "--name=r", "--ckpt_path=last", "--trainer.max_epochs=3").out


def test_a_version_is_refused_or_replaced(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--name=r", "--version=v1").code == 0
    before = everything_below(workdir / "runs" / "r" / "v1")
    again = lectern(*FIT, "--name=r", "--version=v1", "--seed_everything=1")
    assert again.code == 2
    assert "runs/r/v1: there is such a run" in again.err
    assert everything_below(workdir / "runs" / "r" / "v1") == before
    assert lectern(*FIT, "--name=r", "--version=v1", "--seed_everything=1", "--overwrite=true").code == 0
    config = yaml.safe_load((workdir / "runs" / "r" / "v1" / "config.yaml").read_text())
    assert (config["seed_everything"], config["overwrite"], config["version"]) == (1, False, None)


def test_a_folder_s_name_where_none_is_meant_is_refused(lectern: Lectern, workdir: Path, finished: Path) -> None:
    best = str(finished / "checkpoints" / "best.ckpt")
    for arguments in ([*FIT, "--overwrite=true"], ["test", "--ckpt_path", best, "--version=v1"]):
        refused = lectern(*arguments, *TEST)
        assert (refused.code, "--version" in refused.err) == (2, True)


def test_a_command_that_fails_leaves_no_folder(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--data.batch_size=64").code == 2  # more than there are scenes: said when the loader is made
    assert lectern(*FIT, "--trainer.precision=17").code == 2
    assert [path.name for path in workdir.iterdir() if path.name not in ("cache",)] in ([], ["runs"])
    assert not list(workdir.glob("runs/*"))


@pytest.fixture
def finished(lectern: Lectern, workdir: Path) -> Path:
    assert lectern(*FIT, "--name=a/b").code == 0
    return one_run(workdir / "runs")


def test_nothing_of_a_finished_run_changes_through_a_command_that_was_not_meant_for_it(
    lectern: Lectern, workdir: Path, finished: Path
) -> None:
    before = everything_below(finished)
    last, best = (str(finished / "checkpoints" / f"{name}.ckpt") for name in ("last", "best"))
    damaged = finished / "checkpoints" / "damaged.ckpt"
    content = torch.load(last, weights_only=True)
    del content["optimizer_states"], content["state_dict"][next(iter(content["state_dict"]))]
    torch.save(content, damaged)
    before = everything_below(finished)
    for arguments in (
        [*FIT, "--ckpt_path", str(damaged)],
        ["fit", "--config", "classification/lenet5_mnist", "--data=Shapes", "--data.image_size=32", "--ckpt_path", last],
        ["test", "--ckpt_path", best, "--data.test=0"],
        ["predict", "--ckpt_path", best, "--data=ImageFiles", "--data.root=gone"],
        ["test", "--ckpt_path", str(finished / "config.yaml")],
    ):
        assert lectern(*arguments, *TEST).code != 0, arguments
        assert everything_below(finished) == before, arguments
    assert not (finished / "evaluations").exists() or not list((finished / "evaluations").iterdir())


def test_an_evaluation_says_on_what_and_stands_in_its_own_folder(lectern: Lectern, finished: Path) -> None:
    best = str(finished / "checkpoints" / "best.ckpt")
    report = (finished / "report.md").read_text()
    before = everything_below(finished)
    assert lectern("test", "--ckpt_path", best, "--data.test=5", *TEST).code in (0, 1)
    other = json.loads((last_evaluation(finished) / "evaluation.json").read_text())
    assert (other["scenes"], other["own_data"], other["checkpoint"]) == (5, False, "checkpoints/best.ckpt")
    assert everything_below(finished) == before, "other data than the run's own"
    assert lectern("test", "--ckpt_path", best, *TEST).code in (0, 1)
    own = json.loads((last_evaluation(finished) / "evaluation.json").read_text())
    assert (own["scenes"], own["own_data"]) == (8, True)
    changed = {name for name, content in everything_below(finished).items() if content != before.get(name)}
    assert changed == {"report.md"}
    assert "## Test" not in report
    report = (finished / "report.md").read_text()
    assert f"| test/miou | {own['metrics']['test/miou']:.4f} |" in report
    assert f"{other['metrics']['test/miou']:.4f}" not in report
    assert lectern("validate", "--ckpt_path", best, *TEST).code == 0
    assert [found["command"] for found in read_evaluations(finished).values()] == ["test", "test", "validate"]


def test_a_run_is_where_it_lies(lectern: Lectern, workdir: Path, finished: Path) -> None:
    copy, moved = workdir / "copy", workdir / "elsewhere" / "moved"
    shutil.copytree(finished, copy)
    before = everything_below(finished)
    assert lectern("test", "--ckpt_path", str(copy / "checkpoints" / "best.ckpt"), *TEST).code in (0, 1)
    assert len(read_evaluations(copy)) == 1
    moved.parent.mkdir()
    copy.rename(moved)
    longer = lectern(*FIT, "--name=a/b", "--trainer.max_epochs=3", "--ckpt_path", str(moved / "checkpoints" / "last.ckpt"))
    assert longer.code == 0, longer.err
    assert [row["step"] for row in read_metrics(moved)] == list(range(12))
    assert everything_below(finished) == before
    assert len(list(workdir.rglob("config.yaml"))) == 2


def test_after_a_move_the_best_checkpoint_is_not_replaced_by_a_worse_one(
    lectern: Lectern, workdir: Path, finished: Path
) -> None:
    moved = workdir / "moved"
    finished.rename(moved)
    last = torch.load(moved / "checkpoints" / "last.ckpt", weights_only=True)
    (key,) = (name for name in last["callbacks"] if name.startswith("KeepBest"))
    last["callbacks"][key]["best_model_score"] = torch.tensor(0.999)
    torch.save(last, moved / "checkpoints" / "last.ckpt")
    best = (moved / "checkpoints" / "best.ckpt").read_bytes()
    path = str(moved / "checkpoints" / "last.ckpt")
    assert lectern(*FIT, "--name=a/b", "--trainer.max_epochs=3", "--ckpt_path", path).code == 0
    assert (moved / "checkpoints" / "best.ckpt").read_bytes() == best


def test_a_name_in_a_file_leads_nowhere(lectern: Lectern, workdir: Path, finished: Path) -> None:
    outside = workdir / "outside"
    write_summary(finished, {"name": str(outside)})
    best = finished / "checkpoints" / "best.ckpt"
    content = torch.load(best, weights_only=True)
    for name in (str(outside), "../../outside"):
        content["experiment"]["name"] = name
        torch.save(content, workdir / "x.ckpt")
        refused = lectern("test", "--ckpt_path", "x.ckpt", *TEST)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "--name" in refused.err
    assert lectern("test", "--ckpt_path", str(best), *TEST).code in (0, 1)
    assert not outside.exists()
    content["experiment"]["name"] = "c"
    torch.save(content, workdir / "x.ckpt")
    assert lectern("test", "--ckpt_path", "x.ckpt", *TEST).code in (0, 1)
    assert (workdir / "runs" / "c" / "evaluations").is_dir()


@pytest.mark.parametrize("option", ["--trainer.fast_dev_run=true", "--trainer.logger=false"])
def test_a_smoke_test_touches_nothing_of_the_users(lectern: Lectern, workdir: Path, option: str) -> None:
    for name in ("features", "checkpoints", "runs", "lightning_logs"):
        (workdir / name).mkdir()
        (workdir / name / "mine.csv").write_text("my own file")
    before = everything_below(workdir)
    staged = ["fit", "--config", "detection/rcnn_shapes", *SMALL, "--data.proposals=SlidingWindows", "--trainer.callbacks=null"]
    staged += ["--model.network.backbone.widths=[4,8,8]"]
    for command in ([*FIT], staged):
        done = lectern(*command, option)
        assert done.code == 0, done.err
        assert everything_below(workdir) == before


def test_a_saved_configuration_repeats_the_experiment_as_a_new_run(lectern: Lectern, workdir: Path, finished: Path) -> None:
    last = str(finished / "checkpoints" / "last.ckpt")
    assert lectern(*FIT, "--name=a/b", "--trainer.max_epochs=3", "--ckpt_path", last).code == 0
    again = lectern("fit", "--config", str(finished / "config.yaml"))
    assert again.code == 0, again.err
    assert "resuming" not in again.out
    runs = sorted((workdir / "runs" / "a" / "b").iterdir())
    assert len(runs) == 2
    first, second = ([{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(run)] for run in runs)
    assert repr(first[:8]) != repr(second[:8]) or repr(first) == repr(second)  # the first was stretched after two epochs
    assert [row["step"] for row in second] == list(range(12))


def test_a_run_killed_before_its_first_checkpoint_is_dead(workdir: Path) -> None:
    pid = start([*FIT, "--name=r", "--trainer.callbacks+=tests.support.slow.Slow"], workdir / "log")
    summary = wait_for("runs/r/*/summary.json", workdir, pid)
    kill(pid, signal.SIGKILL)
    assert read_summary(summary.parent)["state"] == "running"
    assert state_of(summary.parent) == "unfinished"
