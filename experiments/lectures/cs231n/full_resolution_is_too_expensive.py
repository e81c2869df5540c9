"""A fully convolutional network at full resolution is too expensive: going down and up again costs a fifth, for the same mIoU.

CS231n 2017, lecture 11, “Semantic Segmentation Idea: Fully Convolutional”; no figure in the lecture. Both networks have seven
layers of 3 × 3 convolutions in a row, about as many weights, and see about as far (through dilations, at full resolution).
"""

from __future__ import annotations

from typing import Any

from datamodules import CamVid
from experiments.measures.cost import Cost
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, ValidityCheck, Verdict
from lightning_modules.networks import FCN, ConvEncoder, FullResolutionFCN

from ._segmentation import BASELINE, MIOU, SegmentationStudy

FULL, DOWN_UP = "full resolution", "down and up"
SAME = 0.2
"""Parts by which the numbers of weights may differ."""


def verdict(runs: Runs) -> Verdict:
    """Reproduced: at least 5 times fewer operations at no more than 1 point less mIoU. Direction only: cheaper, but worse."""
    flops = runs.ratio(
        "operations of a forward pass, full resolution / down and up", FULL, DOWN_UP, "cost/gflop", needs="≥ 5 x"
    )
    miou = runs.difference("mIoU, down and up − full resolution", DOWN_UP, FULL, MIOU, needs="≥ −1 point")
    memory = runs.ratio("memory kept for the backward pass, full resolution / down and up", FULL, DOWN_UP, "cost/saved_mib")
    weights = runs.ratio("", FULL, DOWN_UP, "cost/parameters").estimate
    shared_lr = runs.shared_lr("mIoU, down and up − full resolution", DOWN_UP, FULL, MIOU)
    fair = ValidityCheck("about as many weights", abs(weights - 1) <= SAME, f"{weights:.2f} times")
    cheap = flops.above(1) and flops.estimate >= 5
    return Rule((flops, miou, memory), (runs.tuned(), runs.beats(MIOU, BASELINE), fair), shared_lr).judge(
        reproduced=cheap and miou.above(-1),
        direction=flops.above(1),
        refuted=flops.excludes_above(1),
        because=f"At full resolution an image takes {flops.estimate:.1f} times the operations and {memory.estimate:.1f} times "
        f"the memory; going down and up changes mIoU by {miou.estimate:+.1f} points.",
    )


def steps(count: int, samples: int) -> dict[str, Any]:
    return {"trainer.max_steps": count, "trainer.callbacks": [L(TrainingSet)(samples=samples), L(Cost)()]}


study = SegmentationStudy(
    claim="F04",
    says="Convolutions at the image's full resolution are too expensive.",
    slide="Semantic Segmentation Idea: Fully Convolutional",
    variants={
        DOWN_UP: {"model.network": L(FCN)(skips=[4, 2], encoder=L(ConvEncoder)(widths=[8, 16, 16]))},
        FULL: {"model.network": L(FullResolutionFCN)(width=16, depth=7, dilations=[1, 2, 4, 8, 4, 2, 1])},
    },
    controlled="layers in a row (7), number of weights within a fifth, receptive field (about 45 pixels), data, order, steps",
    scales={
        "cpu": Scale(
            steps(400, samples=300),
            deviations=("drawn scenes of 32 × 32 pixels with three classes", "400 steps of 16 images"),
        ),
        "gpu": Scale(
            {
                **steps(4000, samples=100),
                "data": L(CamVid)(root="data/camvid", image_size=(360, 480), batch_size=8),
            },
            deviations=("CamVid at 360 × 480, networks as narrow as on drawn scenes", "4,000 steps of 8 images"),
        ),
    },
    deviations=("the network that goes down and up has skips",),
    parts=verdict,
)
