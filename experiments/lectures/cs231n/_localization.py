"""Class and box from one backbone: what the studies of “Classification + Localization” share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch.optim import SGD

from datamodules import CaltechBoxes
from experiments.lectures._length import epochs
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, ScaleName, Study, Training, Tune
from experiments.studies.verdict import ValidityCheck

ERROR, CHOICE = "test/localization_error", "val/localization_error"
"""Share of images without the right class and a box of IoU ≥ 0.5; that of the validation set is what settings are chosen by."""
CHANCE = 5 / 6
"""That of one class and one box for all images is at least this, with six classes."""

LocalizationStudy = partial(
    Study,
    work=Training("localization/small_shapes"),
    tune=Tune(start=5e-3, by=CHOICE),
)
"""A study of that slide: what all have in common."""

PLAIN_SGD = {"model.optimizer": L(SGD)(lr=0.1)}
"""Changes: AdamW divides each gradient by its own size, and so hides the scale of a loss."""

CALTECH = L(CaltechBoxes)(root="data/caltech_boxes", image_size=64, batch_size=64, invalid="skip")

DRAWN = "drawn scenes of 32 × 32 pixels, one object of six classes"


def scales(
    cpu: Mapping[str, Any] | None = None, gpu: Mapping[str, Any] | None = None, *, departs: tuple[str, ...] = ()
) -> Mapping[ScaleName, Scale]:
    """The scales: ``cpu`` and ``gpu`` are what a study changes there beside the data."""
    return {
        "cpu": Scale(dict(cpu or {}), deviations=(DRAWN, "three convolutions of 16, 32 and 64 features", *departs)),
        "gpu": Scale(
            {**epochs(60), "data": CALTECH, **(gpu or {})},
            deviations=("Caltech-101's faces, motorcycles and aeroplanes at 64 × 64", "networks as narrow as on drawn scenes"),
        ),
    }


def learns(runs: Runs, control: str) -> ValidityCheck:
    """The control beats one class and one box for all."""
    return runs.beats(ERROR, CHANCE, greater=False, variants=[control])
