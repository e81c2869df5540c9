"""What was made of the data's files is said on the screen, and kept in summary, report and evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datamodules.remarks import Remark
from experiments.runs.report import write_evaluation_report
from tests.conftest import Lectern
from tests.support import tiny
from tests.support.small_runs import last_evaluation, one_run

DATA = ["--config", "classification/small_shapes", "--data", "ImageFolder", "--data.root", "photographs"]
SMALL = ["--data.image_size", "32", "--data.batch_size", "2", "--data.workers", "0"]
SHORT = ["--trainer.max_steps", "1", "--trainer.enable_progress_bar", "false", "--pictures.count", "0", "--wandb", "disabled"]
HELD_OUT = "photographs: there is no test split, val is taken for it; held out for validation: 2 of the 20 training images"
RENAMED = "photographs: valid/ is taken for the val split"


def test_a_split_that_was_made_is_in_summary_and_report(lectern: Lectern, workdir: Path) -> None:
    tiny.write_image_folder(Path("photographs"), train=10, valid=2)
    with pytest.warns(Remark, match=HELD_OUT) as caught:
        assert lectern("fit", *DATA, *SMALL, *SHORT).code == 0
    assert sum(HELD_OUT in str(warning.message) for warning in caught) == 1, "once"
    run = one_run(workdir / "runs")
    said = json.loads((run / "summary.json").read_text())["remarks"]
    assert [text.split(" (")[0] for text in said] == [RENAMED, HELD_OUT]
    report = (run / "report.md").read_text()
    assert "## Data" in report and "held out for validation: 2 of the 20 training images" in report

    with pytest.warns(Remark, match=HELD_OUT):
        assert lectern("validate", "--ckpt_path", str(run / "checkpoints/last.ckpt"), "--wandb", "disabled").code == 0
    folder = last_evaluation(run)
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["scenes"] == 2 and any(HELD_OUT in text for text in found["remarks"])
    assert "held out for validation" in write_evaluation_report(folder).read_text()


def test_doctor_says_what_it_made_of_the_folders(lectern: Lectern, workdir: Path) -> None:
    tiny.write_image_folder(Path("photographs"), train=4, valid=2, test=2)
    with pytest.warns(Remark):
        out = lectern("doctor", *DATA, *SMALL).out
    assert f"data       {RENAMED}\n" in out and "8 train, 4 val, 4 test" in out
