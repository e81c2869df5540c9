"""A small study for the tests of ``lectern reproduce``: a measurement that counts its calls, and fails when told to."""

from __future__ import annotations

import time
from pathlib import Path

from experiments.reproduction.claims import Claim
from experiments.studies.results import Runs
from experiments.studies.study import Exact, Measured, Measurement, Study
from experiments.studies.verdict import Check, Needs, Part


def measure(*, seed: int, folder: Path, height: float, marks: str) -> Measured:
    """Leaves a mark for each call in the folder ``marks``; raises while there is a file ``fail`` in it, or takes its time."""
    place = Path(marks)
    if (place / "slow").is_file():
        time.sleep(0.1)
    if (place / "fail").is_file():
        raise RuntimeError("told to fail")
    (place / f"{folder.name}-{len(list(place.glob(f'{folder.name}-*')))}").touch()
    return Measured({"height": height + seed / 10}, {"growth": [(0, 0.0), (1, height)]})


def parts(runs: Runs) -> Part:
    """Reproduced: the tall one is taller."""
    effect = runs.difference("tall − short", "tall", "short", "height", scale=1, unit="m", needs=Needs(low=0))
    return Part(says="One is taller.", effects=(effect,), because="One is taller.")


def study(marks: Path) -> Study:
    return Study(
        claim="D12",
        says="One is taller.",
        slide="none",
        paper="none",
        work=Measurement(measure),
        variants={name: {"height": height, "marks": str(marks)} for name, height in {"tall": 2.0, "short": 1.0}.items()},
        parts=parts,
    )


def checks() -> list[Check]:
    return [Check("one and one", 1 + 1, 2)]


def claim(study: Study | Exact, name: str = "cnn/made_up") -> Claim:
    return Claim(name, "One is taller than the other.", study, Path(__file__))
