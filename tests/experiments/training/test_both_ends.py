"""At a run's end its best and its last checkpoint are tested, and nothing else of the run changes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from experiments.runs import files
from experiments.runs.findings import read_findings
from experiments.training.both_ends import same_weights
from tests.conftest import Lectern
from tests.support.interrupted import start, start_ranks
from tests.support.ranks import COMMON, config, finish, the_run
from tests.support.small_runs import SMALL, everything_below, last_evaluation, one_run

FIT = [
    "fit",
    "--model=Classification",
    "--model.network=LinearClassifier",
    "--model.optimizer=torch.optim.SGD",
    "--model.optimizer.lr=0.1",
    "--data=Shapes",
    "--version=v",
    *SMALL,
]
AT_END = "--test_at_end=true"


def summary_of(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "summary.json").read_text("utf-8"))
    return content


def test_both_are_tested_and_said_to_be_what_lectern_test_says_they_are(lectern: Lectern, workdir: Path) -> None:
    said = lectern(*FIT, AT_END, "--trainer.max_epochs=4")
    assert said.code == 0
    run = one_run(workdir)
    summary = summary_of(run)
    ends = summary["checkpoints"]
    assert ends["metric"] == "test/accuracy" and ends["validation_scenes"] == 8
    assert "test      test/accuracy" in said.out
    found = read_findings(run)
    assert found is not None and (found.split, found.checkpoint, found.scenes) == ("test", "best", 8)
    assert summary["test"] == ends["best"] == files.test_metrics(run)
    report = (run / "report.md").read_text("utf-8")
    assert "## Best against last" in report and "## What went wrong, and where" in report
    for name in ("best", "last"):
        if name in ends:
            assert lectern("test", "--ckpt_path", str(run / f"checkpoints/{name}.ckpt")).code == 0
            assert files.test_metrics(run) == pytest.approx(ends[name])


def test_the_same_weights_are_tested_once(lectern: Lectern, workdir: Path) -> None:
    said = lectern(*FIT, AT_END, "--trainer.max_epochs=1")
    ends = summary_of(one_run(workdir))["checkpoints"]
    assert ends["same_weights"] is True and "best" in ends and "last" not in ends
    assert re.search(r"best.ckpt and last.ckpt are the same weights; baseline 0\.\d{4}\n", said.out)


def test_a_run_that_goes_on_is_as_if_it_had_never_been_tested(lectern: Lectern, workdir: Path) -> None:
    content = {}
    for name, option in (("tested", AT_END), ("plain", "--test_at_end=false")):
        runs = workdir / name
        assert lectern(*FIT, option, f"--runs={runs}").code == 0
        run = one_run(runs)
        rows = (run / "metrics.csv").read_text("utf-8").splitlines()
        assert "test/" not in rows[0]
        last = str(run / "checkpoints/last.ckpt")
        assert lectern(*FIT, "--trainer.max_epochs=3", "--test_at_end=false", f"--runs={runs}", f"--ckpt_path={last}").code == 0
        # What was tested were other weights.
        assert not summary_of(run).get("checkpoints") and not files.test_metrics(run)
        content[name] = (
            torch.load(last, weights_only=True)["state_dict"],
            [
                [cell for column, cell in zip(rows[0].split(","), row.split(","), strict=True) if column != "seconds"]
                for row in (run / "metrics.csv").read_text("utf-8").splitlines()
            ],
        )
    (weights, table), (others, other_table) = content["tested"], content["plain"]
    assert all(torch.equal(weights[key], others[key]) for key in weights)
    assert table == other_table


def test_a_test_of_before_is_not_that_of_a_run_that_went_on(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, AT_END, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir)
    last = str(run / "checkpoints/last.ckpt")
    assert lectern("test", "--ckpt_path", last).code == 0
    assert files.tested_folder(run) == last_evaluation(run)
    time.sleep(1)  # of which times are told
    assert lectern(*FIT, AT_END, "--trainer.max_epochs=3", f"--ckpt_path={last}").code == 0
    test = summary_of(run)["test"]
    assert files.test_metrics(run) == test and files.tested_folder(run) == run
    assert f"| test/loss | {test['test/loss']:.4f} |" in (run / "report.md").read_text("utf-8").split("## Best against")[0]
    assert lectern(*FIT, "--test_at_end=false", "--trainer.max_epochs=4", f"--ckpt_path={last}").code == 0
    assert not files.test_metrics(run) and "## Test" not in (run / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("summary", "stands"),
    [
        ({}, True),
        ({"finished": "2026-11-25T10:00:00+00:00"}, True),
        ({"finished": "2026-11-25T11:30:00+02:00"}, True),  # half an hour before, of another time zone
        ({"finished": "2026-11-25T09:30:00-02:00"}, False),
        ({"finished": "2026-11-25T09:00:00+00:00", "tested": "2026-11-25T10:00:01+00:00"}, False),
        ({"finished": "2026-11-25T09:00:00+00:00", "resumed": "2026-11-25T10:00:01+00:00"}, False),
        ({"finished": "yesterday", "tested": ""}, True),
    ],
)
def test_an_own_test_counts_where_nothing_came_after_it(summary: dict[str, str], stands: bool, tmp_path: Path) -> None:
    folder = tmp_path / "evaluations" / "e"
    folder.mkdir(parents=True)
    said = {"command": "test", "own_data": True, "date": "2026-11-25T10:00:00+00:00", "metrics": {"test/x": 1.0}}
    (folder / "evaluation.json").write_text(json.dumps(said))
    (tmp_path / "summary.json").write_text(json.dumps({"test": {"test/x": 0.0}, **summary}))
    assert files.test_metrics(tmp_path) == {"test/x": float(stands)}


def test_what_is_limited_is_no_test_of_the_run(lectern: Lectern, workdir: Path) -> None:
    """And it is said of how many scenes the best was chosen by, where the validation is limited."""
    assert lectern(*FIT, AT_END, "--data.batch_size=4", "--trainer.limit_val_batches=1", "--trainer.max_epochs=3").code == 0
    run = one_run(workdir)
    summary = summary_of(run)
    assert summary["checkpoints"]["validation_scenes"] == 4
    best = str(run / "checkpoints/best.ckpt")
    for limit in ("1", "0.5"):
        assert lectern("test", "--ckpt_path", best, f"--trainer.limit_test_batches={limit}").code == 0
        found = json.loads((last_evaluation(run) / "evaluation.json").read_text("utf-8"))
        assert (found["scenes"], found["own_data"], found["limited"]) == (4, False, True)
        assert "a part of the split alone" in (last_evaluation(run) / "report.md").read_text("utf-8")
        assert files.test_metrics(run) == summary["test"]
    assert lectern("test", "--ckpt_path", best, "--trainer.limit_test_batches=1.0").code == 0
    assert json.loads((last_evaluation(run) / "evaluation.json").read_text("utf-8"))["own_data"] is True
    said = lectern(*FIT, AT_END, "--version=w", "--data.batch_size=4", "--trainer.limit_test_batches=1")
    assert said.code == 0 and "not tested: trainer.limit_test_batches 1 leaves out a part" in said.out
    assert not files.test_metrics(run.parent / "w") and not (run.parent / "w" / "findings" / "findings.json").exists()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_test_split_that_cannot_be_read_takes_nothing_from_the_run(workers: int, lectern: Lectern, workdir: Path) -> None:
    for split, count in (("train", 16), ("val", 8), ("test", 1)):
        for name in ("cat", "dog"):
            (workdir / "data" / split / name).mkdir(parents=True)
            for k in range(count):
                Image.new("RGB", (16, 16), (10 * k, 0, 0)).save(workdir / "data" / split / name / f"{k}.png")
    (workdir / "data" / "test" / "cat" / "broken.png").write_bytes(b"no picture")
    arguments = [a for a in FIT if not a.startswith(("--data.train", "--data.val", "--data.test", "--data=Shapes"))]
    said = lectern(*arguments, AT_END, "--data=ImageFolder", f"--data.root={workdir / 'data'}", f"--data.workers={workers}")
    assert said.code == 0, said.err
    assert "not tested: " in said.out and "broken.png" in said.out and "Traceback" not in said.out
    run = one_run(workdir / "runs")
    summary = summary_of(run)
    assert summary["state"] == "finished" and "broken.png" in summary["checkpoints"]["not_tested"]
    assert "not tested: " in (run / "report.md").read_text("utf-8") and not (run / "findings" / "findings.json").exists()


def test_it_can_be_switched_off_and_a_smoke_test_tests_nothing(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--test_at_end=false").code == 0
    run = one_run(workdir)
    assert not {"checkpoints", "test"} & summary_of(run).keys() and not (run / "findings").exists()
    assert lectern(*FIT, AT_END, "--version=w", "--trainer.limit_test_batches=0").code == 0
    assert not (run.parent / "w" / "findings").exists()
    assert lectern(*FIT, AT_END, "--version=x", "--trainer.fast_dev_run=true").code == 0


def test_findings_change_nothing_of_an_evaluation_and_can_be_switched_off(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--test_at_end=false").code == 0
    run = one_run(workdir)
    best, before = str(run / "checkpoints/best.ckpt"), everything_below(run)
    said = {}
    for option in ("true", "false"):
        assert lectern("validate", "--ckpt_path", best, f"--findings={option}").code == 0
        assert lectern("test", "--ckpt_path", best, f"--findings={option}").code == 0
        folders = sorted((run / "evaluations").iterdir())[-2:]
        said[option] = [json.loads((f / "evaluation.json").read_text("utf-8"))["metrics"] for f in folders]
        assert [(f / "findings" / "findings.json").is_file() for f in folders] == [option == "true"] * 2
    assert said["true"] == said["false"]
    after = everything_below(run)
    assert {name for name in after if after[name] != before.get(name)} == {"report.md"}
    assert files.read_config(run)["findings"] is True


def test_weights_are_the_same_bit_for_bit_or_not_at_all(tmp_path: Path) -> None:
    weights = {"a": torch.zeros(3), "b": torch.ones(2)}
    for name, content in (("x", weights), ("y", dict(weights)), ("z", {**weights, "b": torch.ones(2) + 2e-7})):
        torch.save({"state_dict": content}, tmp_path / name)
    assert same_weights(tmp_path / "x", tmp_path / "y") and not same_weights(tmp_path / "x", tmp_path / "z")


def alike(one: Any, two: Any) -> bool:
    """Whether two documents are the same up to the last digits of their numbers."""
    if isinstance(one, float) and isinstance(two, float):
        return one == pytest.approx(two, rel=1e-5, abs=1e-6)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(alike(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(alike(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two)


@pytest.mark.parametrize(("task", "samples"), [("Segmentation", 1), ("ssd", 5)])
def test_two_processes_find_what_one_finds(task: str, samples: int, workdir: Path) -> None:
    command = ["fit", *config(task, workdir), *COMMON, f"--data.test={samples}", "--data.val=5", "--pictures.count=3"]
    command += ["--trainer.max_steps=2", "--trainer.max_epochs=-1", AT_END]
    finish([start([*command, "--name", "one"], workdir / "log")], workdir)
    finish(start_ranks([*command, "--name", "two"], 2, workdir / "log"), workdir)
    one, two = the_run(workdir, "one"), the_run(workdir, "two")
    assert alike(summary_of(one)["checkpoints"], summary_of(two)["checkpoints"])
    documents = [json.loads((run / "findings" / "findings.json").read_text("utf-8")) for run in (one, two)]
    assert documents[0]["scenes"] == samples and alike(*documents)
    pictures = [sorted(path.name for path in (run / "findings").glob("*.png")) for run in (one, two)]
    assert pictures[0] == pictures[1] and f"worst_{min(3, samples) - 1:02}.png" in pictures[0]
