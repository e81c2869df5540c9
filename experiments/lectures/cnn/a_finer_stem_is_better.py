"""With a first layer of 7 × 7 filters at stride 2 the error is lower than with AlexNet's 11 × 11 at stride 4.

Deck “CNN, R-CNN”, slide “ConvNets - Flavours”: “ZFnet: Clarifai (Matt Zeiler and Rob Fergus, 2013)”; Zeiler & Fergus 2014,
section 4.1 and table 2: top-5 error 18.1 % with AlexNet's layers, 16.5 % with the finer stem, on ImageNet's validation set.
"""

from __future__ import annotations

from typing import Any

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Variant
from experiments.studies.verdict import Check, Part
from lightning_modules.networks import Kaiming, ZFNet

from ._architectures import CLASSES, EASY, IMAGENETTE, LOWER, TEST_ERROR, ArchitectureStudy, imagenette, learns, scenes
from ._counts import operations_ratio

FINE, COARSE, WIDE = "7 × 7, stride 2", "11 × 11, stride 4", "11 × 11, stride 4, as many operations"
WIDTHS = (16, 32, 48, 48, 32)
WIDER = (22, *WIDTHS[1:])
"""More filters in the first layer: within 2 % as many operations as with the finer stem."""
COARSE_STEM: dict[str, Any] = {"conv1": (11, 4, 2), "conv2": (5, 1, 2)}
SIDE = 96


def parts(runs: Runs) -> dict[str, Part]:
    """a: with the finer stem the test error is lower; a change within ±1 point counts as none. b, beyond the lecture: so it is
    against a coarse stem of so many more filters that both nets take as many operations."""
    finer = runs.difference("test error, 7 × 7 / 2 − 11 × 11 / 4", FINE, COARSE, TEST_ERROR, needs=LOWER, paper=-1.6)
    equal = runs.difference("test error, 7 × 7 / 2 − 11 × 11 / 4 widened", FINE, WIDE, TEST_ERROR, needs=LOWER)
    fine, coarse, wide = (net(**arguments) for arguments in ({}, COARSE_STEM, {**COARSE_STEM, "widths": WIDER}))
    extra = operations_ratio(fine, coarse, SIDE)
    return {
        "a": Part(
            says="ZFnet: Clarifai (Matt Zeiler and Rob Fergus, 2013)",
            effects=(finer,),
            validity_checks=(runs.tuned(FINE, COARSE), learns(runs, COARSE)),
            shared_lr=runs.shared_lr(finer.name, FINE, COARSE, TEST_ERROR),
            also=(f"In this mini net the finer stem takes {extra:.2f} times the operations.",),
            because=f"The finer stem changes the test error by {finer.estimate:+.1f} points.",
        ),
        "b": Part(
            says="Is it so at equal operations?",
            effects=(equal,),
            checks=(
                Check("operations, finer stem / widened coarse stem", operations_ratio(fine, wide, SIDE), 1.0, tolerance=0.02),
            ),
            validity_checks=(runs.tuned(FINE, COARSE), learns(runs, WIDE)),
            because=f"Against a coarse stem of {WIDER[0]} filters in place of {WIDTHS[0]} it is {equal.estimate:+.1f} points.",
            beyond=True,
        ),
    }


def net(**changes: Any) -> ZFNet:
    """The mini net as the scale ``cpu`` has it, sized."""
    arguments: dict[str, Any] = {"widths": WIDTHS, "hidden": (128,), "initialization": Kaiming()} | changes
    return ZFNet(CLASSES, **arguments)


def stem(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"widths": WIDTHS, "hidden": (128,)} | changes
    return {"model.network": L(ZFNet)(**arguments, initialization=L(Kaiming)())}


study = ArchitectureStudy(
    claim="D03",
    says="ZFnet: Clarifai (Matt Zeiler and Rob Fergus, 2013)",
    slide="ConvNets - Flavours",
    paper="ImageNet top-5 validation error of one net: 18.1 % with AlexNet's layers, 16.5 % with 7 × 7 filters at stride 2; "
    "Clarifai's entry of 2013 had 11.7 % (test).",
    variants={
        FINE: stem(),
        WIDE: Variant(stem(**COARSE_STEM, widths=WIDER), lr_of=COARSE),
        COARSE: stem(**COARSE_STEM),
    },
    controlled="the layers behind the stem and their grids, scenes, order, initialization, dropout, steps",
    scales={
        "cpu": Scale(
            {**scenes(SIDE, 500, **EASY), "data.batch_size": 32},
            deviations=("a mini ZFNet: a sixth of the channels", "drawn scenes of 96 × 96 pixels in place of ImageNet"),
        ),
        "gpu": Scale(
            imagenette(128, 4_000),
            variants={
                FINE: {"model.network.widths": (96, 256, 384, 384, 256), "model.network.hidden": (1024, 1024)},
                COARSE: {"model.network.widths": (96, 256, 384, 384, 256), "model.network.hidden": (1024, 1024)},
                WIDE: {"model.network.widths": (98, 256, 384, 384, 256), "model.network.hidden": (1024, 1024)},
            },
            deviations=("ten of ImageNet's classes at 128 × 128 pixels", "4,000 steps of 128 images"),
            requires={"data/imagenette": IMAGENETTE},
        ),
    },
    parts=parts,
)
