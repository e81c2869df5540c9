"""Small studies for the tests of ``lectern reproduce``: a measurement that counts its calls, and a training."""

from __future__ import annotations

import time
from pathlib import Path

from experiments.reproduction.claims import Claim
from experiments.studies.results import Runs
from experiments.studies.study import Exact, Measured, Measurement, Scale, Study, Training
from experiments.studies.verdict import Check, Needs, Part


def measure(*, seed: int, folder: Path, height: float, marks: str) -> Measured:
    """Leaves a mark for each call in the folder ``marks``; raises while there is a file ``fail`` in it, or takes its time."""
    place = Path(marks)
    if (place / "slow").is_file():
        time.sleep(0.1)
    if (place / "endless").is_file() and height == 1.0:
        (place / f"began-{folder.name}").touch()
        time.sleep(600)
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
        seeds=3,
        parts=parts,
    )


SMALL = {"data.image_size": 32, "data.train": 16, "data.val": 4, "data.test": 4, "data.batch_size": 8}


def trained_parts(runs: Runs) -> Part:
    """Reproduced: a lower rate has the higher loss."""
    effect = runs.difference("test loss, slow − fast", "slow", "fast", "test/loss", scale=1, unit="nats", needs=Needs(low=0))
    return Part(says="Slow is worse.", effects=(effect,))


def trained_study(epochs: int = 1, **changes: object) -> Study:
    """Two variants of a segmentation net, on scenes of 32 × 32 pixels."""
    small = SMALL | {"trainer.max_epochs": epochs} | changes
    return Study(
        claim="D12",
        says="Slow is worse.",
        slide="none",
        work=Training("segmentation/fcn_transpose"),
        variants={"slow": {"model.optimizer.lr": 1e-6}, "fast": {"model.optimizer.lr": 1e-3}},
        seeds=2,
        parts=trained_parts,
        scales={"cpu": Scale(small)},
    )


def checks() -> list[Check]:
    return [Check("one and one", 1 + 1, 2)]


def claim(study: Study | Exact, name: str = "cnn/made_up") -> Claim:
    return Claim(name, "One is taller than the other.", study, Path(__file__))
