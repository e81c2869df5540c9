"""Studies as they are, at a size that a test can afford."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.reproduction.claims import Claim, select
from experiments.reproduction.launchers import Processes
from experiments.reproduction.reproduce import Reproduction
from experiments.studies.study import Scale, Study


class Here(Processes):
    """Runs at once, in this process."""

    def __init__(self) -> None:
        self.jobs = 1

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def stop(self) -> None:
        """Nothing was started."""

    def shutdown(self) -> None:
        """Nothing was started."""


def reduced(name: str) -> Claim:
    """A trained study of the lectures with one seed, and one epoch of a hundred-odd scenes a run."""
    (claim,) = select([name])
    study = claim.study
    assert isinstance(study, Study)
    cpu = study.scales["cpu"]
    few = {"data.train": 128, "data.val": 32, "data.test": 32, "trainer.max_epochs": 1}
    changes = {key: value for key, value in cpu.changes.items() if key != "trainer.check_val_every_n_epoch"}
    changes["trainer.check_val_every_n_epoch"] = 1
    return replace(claim, study=replace(study, seeds=1, scales={"cpu": Scale({**changes, **few}, seeds=1)}))


def reproduced(names: list[str], runs: Path) -> Reproduction:
    """What ``lectern reproduce`` makes of reduced studies."""
    reproduction = Reproduction([reduced(name) for name in names], "cpu", runs, Here())
    reproduction.run()
    return reproduction
