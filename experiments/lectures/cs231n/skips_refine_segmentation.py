"""Going down and up gives an output of the input's size, and the more of the way down is added on the way up, the better it is.

CS231n 2017, lecture 11, “Semantic Segmentation Idea: Fully Convolutional”; Long et al. 2015, table 2: FCN-32s, -16s and -8s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.measures.segmentation import BorderAccuracy
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.networks import ConvEncoder, TransposeConv

from ._segmentation import BASELINE, BORDER, MIOU, STREETS, SegmentationStudy

COARSE, MIDDLE, FINE = VARIANTS = ("32s", "16s", "8s")


def verdict(runs: Runs) -> Verdict:
    """Reproduced: 8s not below 16s, and 16s above 32s. Direction only: 8s above 32s."""
    all_of_it = runs.difference("mIoU, 8s − 32s", FINE, COARSE, MIOU, needs="> 0", paper=3.3)
    first = runs.difference("mIoU, 16s − 32s", MIDDLE, COARSE, MIOU, needs="> 0", paper=3.0)
    second = runs.difference("mIoU, 8s − 16s", FINE, MIDDLE, MIOU, needs="≥ 0", paper=0.3)
    border = runs.difference("accuracy within 1 px of borders, 8s − 32s", FINE, COARSE, BORDER)
    shared_lr = runs.shared_lr("mIoU, 16s − 32s", MIDDLE, COARSE, MIOU)
    return Rule((all_of_it, first, second, border), (runs.tuned(), runs.beats(MIOU, BASELINE)), shared_lr).judge(
        reproduced=first.above(0) and min(second.by_seed) >= 0 and all_of_it.above(0),
        direction=all_of_it.above(0),
        refuted=all_of_it.shows_no_rise(1),
        because=f"Features of stride 16 add {first.estimate:.1f} points of mIoU, those of stride 8 another "
        f"{second.estimate:.1f}; within a pixel of borders both together add {border.estimate:.1f} points of accuracy.",
    )


def encoded(widths: Sequence[int], steps: int) -> dict[str, Any]:
    """What a scale changes: the way down has these features, the way up is transpose convolutions."""
    return {
        "model.network.encoder": L(ConvEncoder)(widths=widths),
        "model.network.upsampling": L(TransposeConv)(kernel_size=4),
        "trainer.max_steps": steps,
        "trainer.callbacks": [L(TrainingSet)(samples=300), L(BorderAccuracy)()],
    }


study = SegmentationStudy(
    claim="F05",
    says="Down-sampling and up-sampling inside the network: the output is as large as the input, and it is efficient.",
    slide="Semantic Segmentation Idea: Fully Convolutional",
    paper="PASCAL VOC 2011 val, mean IoU: FCN-32s 59.4 %, FCN-16s 62.4 %, FCN-8s 62.7 %.",
    variants={name: {"model.network.skips": skips} for name, skips in ((FINE, [16, 8]), (MIDDLE, [16]), (COARSE, []))},
    controlled="encoder, way up (transpose convolutions from an interpolation), data, order, steps, all from one beginning",
    scales={
        "cpu": Scale(
            {**encoded([8, 16, 32, 32, 32], steps=400), "data.image_size": 64},
            deviations=("drawn scenes of 64 × 64 pixels with three classes", "8 to 32 features", "400 steps of 16 images"),
        ),
        "gpu": Scale(
            {**encoded([32, 64, 128, 256, 256], steps=4000), "data": STREETS},
            deviations=("CamVid at 360 × 480", "32 to 256 features, from nothing", "4,000 steps of 8 images"),
        ),
    },
    deviations=(
        "each step up doubles and carries features, where Long et al. enlarge the scores",
        "all three from the same beginning for as many steps; in the paper -16s goes on from -32s, and -8s from -16s",
    ),
    parts=verdict,
)
