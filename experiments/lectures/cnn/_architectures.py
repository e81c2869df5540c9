"""What the studies of the ImageNet winners share: small nets on drawn scenes, compared by test error."""

from __future__ import annotations

from functools import partial
from typing import Any

from datamodules import ImageFolder
from experiments.lectures._length import steps
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Study, Training, Tune
from experiments.studies.verdict import Needs, ValidityCheck

TEST_ERROR, VALIDATION_ERROR = "test/error", "val/error"
CLASSES = 6
CHANCE = 1 - 1 / CLASSES
"""Error of one guess."""
LOWER = Needs(high=0, margin=1)
"""A lower error; a change within ±1 point counts as none."""

ArchitectureStudy = partial(
    Study, work=Training("classification/few_shapes"), tune=Tune(start=0.0316, by=VALIDATION_ERROR), figure="train/loss"
)
"""A study of an architecture: what all have in common."""
IMAGENETTE = "https://github.com/fastai/imagenette: train/ and val/ of imagenette2-160 or a larger one"
"""Where the photographs are to be had."""


EASY = {"color_cue": 0.6, "thin": 0.0, "texture": 0.3}
"""For nets with dropout, which learn little in a few hundred steps of harder scenes."""


def scenes(side: int, count: int, **further: float) -> dict[str, Any]:
    """Changes: 2,000 training scenes of ``side`` x ``side`` pixels with one object each, and ``count`` steps.

    ``further`` are settings of their style.
    """
    data = {"image_size": side, "train": 2000, "val": 1000, "test": 2000}
    style = {"objects": [1, 1], "object_size": [0.4, 0.8], "clutter": 0.3, "color_cue": 0.1, **further}
    return {**{f"data.{name}": value for name, value in data.items()}, "data.style": style, **steps(count)}


def imagenette(side: int, count: int) -> dict[str, Any]:
    """Changes of the scale ``gpu``: photographs of ten of ImageNet's classes, ``count`` steps of 128."""
    data = L(ImageFolder)(root="data/imagenette", image_size=side, resize_mode="crop", batch_size=128, workers=8)
    return {"data": data, **steps(count)}


def learns(runs: Runs, variant: str) -> ValidityCheck:
    """The control is better than a guess."""
    return runs.beats(TEST_ERROR, CHANCE, greater=False, variants=[variant])
