"""How far a run is, by what it has logged."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import yaml

from experiments.dashboard import library
from experiments.dashboard.live_page import in_words
from experiments.dashboard.progress import progress_of
from tests.support.made_up_runs import write_run


def run_with(folder: Path, rows: list[str], **settings: object) -> library.RunInfo:
    write_run(folder)
    (folder / "metrics.csv").write_text("\n".join(["step,epoch,seconds,train/loss,val/miou", *rows]) + "\n")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["trainer"] = {"check_val_every_n_epoch": 1, **settings}
    config["data"]["init_args"]["train"] = 640  # ten batches of 64
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return library.info(folder, folder.parent)


def test_steps_are_counted_against_what_ends_the_training(tmp_path: Path) -> None:
    at = progress_of(run_with(tmp_path / "a", ["49,4,20.0,0.5,"], max_steps=200))
    assert at and (at.steps, at.total, at.share) == (50, 200, 0.25)
    at = progress_of(run_with(tmp_path / "b", ["24,2,20.0,0.5,"], max_epochs=8))
    assert at and at.total == 80, "ten batches an epoch, by data and batch size"
    at = progress_of(run_with(tmp_path / "c", ["11,0,5.0,,0.2", "24,2,20.0,0.5,"], max_epochs=8))
    assert at and at.total == 96, "twelve, as the first validation has it"
    at = progress_of(run_with(tmp_path / "d", ["11,0,5.0,,0.2"], max_epochs=8, max_steps=40))
    assert at and at.total == 40


def test_the_time_left_is_what_the_rest_takes_at_the_speed_so_far(tmp_path: Path) -> None:
    run = run_with(tmp_path / "a", ["49,4,20.0,0.5,"], max_steps=200)
    written = (run.folder / "metrics.csv").stat().st_mtime
    at = progress_of(run, now=written + 10)
    assert at and at.left == pytest.approx(150 * 20 / 50 - 10)
    assert in_words(at) == "50 optimizer steps of 200 · 25% · 20 s of training · about 50 s left"
    assert (late := progress_of(run, now=written + 1000)) and late.left == 0


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    at = progress_of(run_with(tmp_path / "a", ["49,4,20.0,0.5,"], max_time="01:00"))
    assert at and at.total is None and in_words(at) == "50 optimizer steps · 20 s of training"
    assert progress_of(run_with(tmp_path / "b", [], max_steps=10)) is None
    at = progress_of(run_with(tmp_path / "c", ["nan,nan,nan,,", "1e300,nan,nan,,"], max_steps=10))
    assert at is None
