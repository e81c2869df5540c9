"""GoogLeNet has 22 layers and a ninth of AlexNet's parameters; its modules do no worse than plain layers of equal cost.

Deck “CNN, R-CNN”, slide “ConvNets - Flavours”: “Googlenet (Google, 2014)”; Szegedy et al. 2015, sections 1, 4 and 5, table 1.
The paper says “12 × fewer parameters than” AlexNet: by its own table's layers they are 8.7 times as few.
"""

from __future__ import annotations

from typing import Any

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Variant
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules import AuxiliaryClassification
from lightning_modules.networks import ConvReLU, InceptionNet

from ._architectures import CLASSES, LOWER, TEST_ERROR, ArchitectureStudy, learns, scenes
from ._counts import googlenet, operations_ratio, parameters_of
from ._few_scenes import cifar10

INCEPTION, AUXILIARY, PLAIN = "inception", "inception, auxiliary head", "plain"
WIDTHS, PLAIN_WIDTHS, SIDE = (32, 64, 128), (21, 42, 84), 24
"""The plain net has the channels that make its operations equal, within 2 %."""


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: layers, parameters by module and in all, at most an eighth of AlexNet's. b, beyond the lecture: a mini net of
    inception modules has a lower test error than a plain one of as many operations; a change within ±1 point counts as none.
    c, beyond the lecture: with an auxiliary head it is lower still; a change within ±0.5 points counts as none."""
    gain = runs.difference("test error, inception − plain", INCEPTION, PLAIN, TEST_ERROR, needs=LOWER)
    head = runs.difference(
        "test error, with an auxiliary head − without",
        AUXILIARY,
        INCEPTION,
        TEST_ERROR,
        needs=Needs(high=0, margin=0.5),
        paper=-0.5,
    )
    inception, plain = InceptionNet(CLASSES, widths=WIDTHS), InceptionNet(CLASSES, widths=PLAIN_WIDTHS, block=ConvReLU)
    return {
        "a": Part(says="Googlenet (Google, 2014)", checks=googlenet()),
        "b": Part(
            says="At equal operations, is a net of inception modules better than one of plain layers?",
            effects=(gain,),
            checks=(Check("operations, inception / plain", operations_ratio(inception, plain, SIDE), 1.0, tolerance=0.02),),
            validity_checks=(runs.tuned(INCEPTION, PLAIN), learns(runs, PLAIN)),
            shared_lr=runs.shared_lr(gain.name, INCEPTION, PLAIN, TEST_ERROR),
            because=f"Inception modules change the test error by {gain.estimate:+.1f} points, with "
            f"{parameters_of(inception):,} parameters against {parameters_of(plain):,}.",
            beyond=True,
        ),
        "c": Part(
            says="Auxiliary classifiers help (section 5; about 0.5 points).",
            effects=(head,),
            validity_checks=(runs.tuned(INCEPTION), learns(runs, INCEPTION)),
            because=f"An auxiliary head changes the test error by {head.estimate:+.1f} points.",
            beyond=True,
        ),
    }


def net(**arguments: Any) -> dict[str, Any]:
    return {"model.network": L(InceptionNet)(**arguments)}


study = ArchitectureStudy(
    claim="D05",
    says="Googlenet (Google, 2014)",
    slide="ConvNets - Flavours",
    paper="ImageNet top-5 error 6.67 % of seven nets (test), 10.07 % of one net and one crop (validation); 12 times fewer "
    "parameters than AlexNet; auxiliary classifiers about 0.5 points.",
    variants={
        INCEPTION: net(widths=WIDTHS),
        AUXILIARY: Variant({"model": AuxiliaryClassification, **net(widths=WIDTHS, auxiliary=True)}, lr_of=INCEPTION),
        PLAIN: net(widths=PLAIN_WIDTHS, block=ConvReLU),
    },
    controlled="stem, poolings, output, scenes, order, initialization, steps; with the head the rate is that without",
    scales={
        "cpu": Scale(
            scenes(SIDE, 600),
            deviations=("three modules in place of nine", "drawn scenes of 24 × 24 pixels in place of ImageNet"),
        ),
        "gpu": Scale(
            cifar10(45_000, 20_000),
            variants={
                INCEPTION: {"model.network.widths": (128, 256, 512)},
                AUXILIARY: {"model.network.widths": (128, 256, 512)},
                PLAIN: {"model.network.widths": (102, 204, 408)},
            },
            deviations=("CIFAR-10 in place of ImageNet", "three modules in place of nine"),
        ),
    },
    parts=parts,
)
