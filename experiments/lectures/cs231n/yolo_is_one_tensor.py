"""YOLO finds objects by one forward pass that gives one tensor, 7 × 7 × (5 B + C).

CS231n 2017, lecture 11, “Detection without Proposals: YOLO / SSD”; Redmon et al. 2016, section 2: 7 × 7 × 30 for PASCAL VOC,
and 63.4 % mAP. The notes' base boxes and offsets are those of v2 and SSD; both variants are trained.
"""

from __future__ import annotations

from typing import Any

import torch

from experiments.lectures._length import epochs
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Training
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import YOLO, AnchorYOLO

from ._detectors import AP50, AP75, DetectorStudy

V1, ANCHORS = "v1", "base boxes"
SAYS = "입력 이미지가 들어오면, 7X7 Grid마다 (5B + C)개의 Tensor를 갖는다."
OFFSETS = "각 Grid Cell 내부에는 Base Bbox가 존재한다. … Bbox의 Offset을 예측한다."


def tensors() -> tuple[Check, ...]:
    """What YOLO gives for PASCAL VOC's 20 classes, and how often its backbone runs."""
    passes = 0

    def count(*_: Any) -> None:
        nonlocal passes
        passes += 1

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        v1, anchors = YOLO(20).eval(), AnchorYOLO(20).eval()
        v1.backbone.register_forward_hook(count)
        outputs = v1(torch.zeros(1, 3, 112, 112))
        v1.predict(outputs)
        based = anchors(torch.zeros(1, 3, 112, 112))
    return (
        Check("YOLO's tensor with B = 2 and C = 20", str(tuple(outputs.grid.shape[1:])), "(7, 7, 30)"),
        Check("with three base boxes", str(tuple(based.grid.shape[1:])), "(7, 7, 35)"),
        Check("forward passes of an image", passes, 1),
    )


def shapes_of(network: YOLO) -> int:
    """How many boxes of a cell have a shape before anything is predicted."""
    return len(network.priors) if isinstance(network, AnchorYOLO) else 0


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: tensor and number of forward passes. b, an erratum: YOLO v1 has no base boxes. c, beyond the lecture: YOLO v1's
    mAP at an IoU of 0.5 is at least 70 % (reproduced) on drawn scenes. d, beyond: with base boxes mAP75 is higher."""
    found = runs.quantity("mAP50, v1", V1, AP50, scale=100, unit="%", needs=Needs(low=70, null=0, absolute=True))
    gain = runs.difference("mAP75, base boxes − v1", ANCHORS, V1, AP75, needs=Needs(low=0, margin=1))
    fifty = runs.difference("mAP50, base boxes − v1", ANCHORS, V1, AP50)
    with torch.random.fork_rng(devices=[]):
        counts = shapes_of(YOLO(20)), shapes_of(AnchorYOLO(20))
    return {
        "a": Part(says=SAYS, checks=tensors()),
        "b": Part(
            says=OFFSETS,
            checks=(
                Check("base boxes of a cell of YOLO v1", counts[0], 0, lecture="3 base boxes, with offsets", wrong=True),
                Check("of the variant that the words describe", counts[1], 3, lecture="3 base boxes"),
            ),
        ),
        "c": Part(
            says="Does YOLO v1 find the objects?",
            effects=(found,),
            because=f"YOLO v1's mAP50 is {found.estimate:.1f} %.",
            beyond=True,
        ),
        "d": Part(
            says="Do base boxes help?",
            effects=(gain,),
            shown=(fifty,),
            because=f"Base boxes change mAP75 by {gain.estimate:+.1f} points and mAP50 by {fifty.estimate:+.1f}.",
            beyond=True,
        ),
    }


study = DetectorStudy(
    claim="G21",
    says=SAYS,
    translation="For an input image there is, for each cell of the 7 × 7 grid, a tensor of (5 B + C) values.",
    slide="YOLO & SSD, …pdf-0084",
    paper="VOC 2007 mAP 63.4 % at 45 images a second; Fast YOLO 52.7 % at 155.",
    work=Training("detection/yolo_shapes"),
    variants={V1: {}, ANCHORS: {"model.network": AnchorYOLO}},
    tune=None,
    controlled="backbone, head, data, order, steps, learning rate",
    scales={
        "cpu": Scale(
            {**epochs(4), "data.train": 2000, "data.test": 400, "data.workers": 0},
            deviations=("drawn scenes of 112 × 112 pixels", "a small backbone, and a 1 × 1 convolution for the grid"),
        )
    },
    deviations=("one learning rate for both, that of the recipe",),
    erratum="The notes' “base boxes” with offsets are those of YOLO v2 and SSD. YOLO v1, whose grid and tensor they describe, "
    "predicts each box outright.",
    parts=parts,
)
