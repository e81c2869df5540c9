"""What runs are called: by what tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from experiments.dashboard import library
from experiments.dashboard.naming import differing, names_of
from tests.support.made_up_runs import write_run, write_study


def names(root: Path) -> list[str]:
    return sorted(names_of(library.runs(root)).values())


def test_a_name_says_what_differs_and_nothing_else(tmp_path: Path) -> None:
    for i, lr in enumerate((0.1, 0.01)):
        write_run(tmp_path / "fcn" / f"2026-11-2{i}_10-00-00", lr=lr)
    assert names(tmp_path) == ["lr 0.01", "lr 0.1"]


def test_a_class_stands_for_itself_and_what_comes_first_is_the_network(tmp_path: Path) -> None:
    write_run(tmp_path / "fcn" / "a", network="ResNet", seed=0)
    write_run(tmp_path / "fcn" / "b", network="CifarNet", seed=1)
    assert names(tmp_path) == ["CifarNet, seed 1", "ResNet, seed 0"]
    assert differing(library.runs(tmp_path)) == ["model.network", "seed_everything"]


def test_runs_of_several_experiments_are_told_apart_by_it_first(tmp_path: Path) -> None:
    write_run(tmp_path / "fcn" / "a", lr=0.1)
    write_run(tmp_path / "fcn" / "b", lr=0.2)
    write_run(tmp_path / "yolo" / "a", lr=0.3)
    assert names(tmp_path) == ["fcn: lr 0.1", "fcn: lr 0.2", "yolo"]


def test_repetitions_have_their_time_and_then_their_folder(tmp_path: Path) -> None:
    for i, began in enumerate(("2026-11-20T10:00:00+00:00", "2026-11-21T10:00:00+00:00", "2026-11-21T10:00:00+00:00")):
        write_run(tmp_path / "fcn" / f"run-{i}", started=began)
    assert names(tmp_path) == ["11-20 10:00", "11-21 10:00 (run-1)", "11-21 10:00 (run-2)"]


def test_runs_of_a_study_are_variant_and_seed(tmp_path: Path) -> None:
    write_study(tmp_path, {"plain-56": [0.6, 0.5], "plain-20": [0.2, 0.1]})
    assert names(tmp_path)[0] == "plain-20, seed 0, lr 0.1" and len(set(names(tmp_path))) == 4


def test_every_run_has_a_name_of_its_own(tmp_path: Path) -> None:
    for i in range(40):
        write_run(tmp_path / ("fcn", "yolo")[i % 2] / f"run-{i}", lr=(0.1, 0.01)[i // 2 % 2], seed=i // 8)
    assert len(set(names(tmp_path))) == 40
