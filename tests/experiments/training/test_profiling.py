"""A profiler that a person asks for is theirs; where none is asked for, nothing is measured."""

from __future__ import annotations

from pathlib import Path

from experiments.training.profiling import NoProfiler
from tests.conftest import Lectern
from tests.support.small_runs import SMALL


def test_what_is_profiled_runs() -> None:
    done = []
    for _ in range(2):
        with NoProfiler().profile("a step"):
            done.append(True)
    assert done == [True, True]


def test_a_profiler_that_is_asked_for_measures(lectern: Lectern, workdir: Path) -> None:
    profiler = '{"class_path": "SimpleProfiler", "init_args": {"dirpath": ".", "filename": "times"}}'
    arguments = ["fit", "--config", "classification/small_shapes", *SMALL, "--trainer.max_steps=2"]
    assert lectern(*arguments, "--trainer.profiler", profiler).code == 0
    assert "run_training_batch" in (workdir / "fit-times.txt").read_text()
