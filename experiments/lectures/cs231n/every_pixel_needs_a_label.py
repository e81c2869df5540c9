"""Segmentation needs a label for every pixel, which is expensive; how much of it pays is shown.

CS231n 2017, lecture 11, “Semantic Segmentation”, question “how is training data made?”. A definition: what is counted is how
many labels an image has. What a network loses with a part of them is measured and not judged.
"""

from __future__ import annotations

from datamodules.drawing import Style, draw
from experiments.measures.labelling import SparseLabels
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Training
from experiments.studies.verdict import Check, Part

from ._segmentation import MIOU, STREETS, SegmentationStudy

SHARES = (1, 10, 100)
"""Percent of the pixels that have a label."""
SAYS = "입력 이미지의 모든 픽셀에 대해 Labeling이 필요하다. 일반적으로 비용이 상당히 크다."


def name(share: int) -> str:
    return f"{share} % of the pixels labelled"


def labels() -> tuple[Check, ...]:
    """The numbers that describe one scene for each task."""
    scene = draw(0, 0, Style(image_size=(360, 480), objects=(2, 2)))
    return (
        Check("labels of an image of 360 × 480 pixels, for segmentation", scene["mask"].numel(), 172_800),
        Check("for classification", scene["label"].numel(), 1),
        Check("for detection of two objects", scene["labels"].numel() + scene["boxes"].numel(), 10),
    )


def parts(runs: Runs) -> Part:
    """Exact: how many labels an image has for each task is counted. How the mIoU falls where 10 % or 1 % of the pixels have one
    is shown and decides nothing."""
    few, some, full = (name(share) for share in SHARES)
    lost = tuple(runs.difference(f"mIoU, {full} − {variant}", full, variant, MIOU) for variant in (some, few))
    return Part(
        says=SAYS,
        checks=labels(),
        shown=lost,
        also=(
            f"With 10 % of the pixels labelled {lost[0].estimate:.1f} points of mIoU are lost, with 1 % "
            f"{lost[1].estimate:.1f}; pixels at random are worth more than as many side by side.",
        ),
    )


study = SegmentationStudy(
    claim="F07",
    says=SAYS,
    translation="Every pixel of the input image has to be labelled. That is generally rather expensive.",
    slide="Semantic Segmentation, …pdf-0044, question “Training Data를 어떻게 만드는지?”",
    paper="A definition, not a claim.",
    work=Training("segmentation/small_shapes"),
    variants={name(share): {"trainer.callbacks": [L(SparseLabels)(share=share / 100)]} for share in SHARES},
    tune=None,
    controlled="network, data, order, steps, learning rate",
    scales={
        "cpu": Scale(deviations=("drawn scenes of 32 × 32 pixels with three classes",)),
        "gpu": Scale({"data": STREETS, "trainer.max_steps": 4000}, deviations=("CamVid at 360 × 480",)),
    },
    deviations=("pixels are labelled at random, where people would draw strokes", "one learning rate for all"),
    parts=parts,
)
