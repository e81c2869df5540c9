"""A fully convolutional network at full resolution is too expensive: going down and up again costs a fifth, for the same mIoU.

CS231n 2017, lecture 11, “Semantic Segmentation”; no figure in the lecture. Both networks have seven layers of 3 × 3
convolutions in a row, about as many weights, and see about as far (through dilations, at full resolution).
"""

from __future__ import annotations

from typing import Any

from datamodules import CamVid
from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.cost import Cost
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment, Scale
from experiments.studies.verdict import Needs, Part, ValidityCheck
from lightning_modules.networks import FCN, ConvEncoder, FullResolutionFCN

from ._segmentation import BASELINE, MIOU, SegmentationStudy

FULL, DOWN_UP = "full resolution", "down and up"
SAME = 0.2
"""Parts by which the numbers of weights may differ."""


def parts(runs: Runs) -> dict[str, Part]:
    """a, reproduced: full resolution takes at least 5 times the operations, and going down and up costs no more than 1 point of
    mIoU. Direction only: it takes more operations. b, reproduced: going down and up has more mIoU for each operation."""
    flops = runs.ratio(
        "operations of a forward pass, full resolution / down and up", FULL, DOWN_UP, "cost/gflop", needs=Needs(low=5)
    )
    miou = runs.difference("mIoU, down and up − full resolution", DOWN_UP, FULL, MIOU, needs=Needs(low=-1))
    memory = runs.ratio("memory kept for the backward pass, full resolution / down and up", FULL, DOWN_UP, "cost/saved_mib")
    gain = runs.ratio("mIoU an operation, down and up / full resolution", DOWN_UP, FULL, _per_operation, needs=Needs(low=1))
    seconds = runs.ratio("mIoU a CPU-second of training, down and up / full resolution", DOWN_UP, FULL, _per_cpu_second)
    weights = runs.ratio("", FULL, DOWN_UP, "cost/parameters").estimate
    fair = ValidityCheck("about as many weights", abs(weights - 1) <= SAME, f"{weights:.2f} times")
    learns = (runs.tuned(), runs.beats(MIOU, BASELINE, variants=[FULL]), fair)
    return {
        "a": Part(
            says="Convolutions at the image's resolution cost too much, and so one goes down and up.",
            effects=(flops,),
            conditions=(miou,),
            shown=(memory,),
            validity_checks=learns,
            shared_lr=runs.shared_lr(miou.name, DOWN_UP, FULL, MIOU),
            because=f"At full resolution an image takes {flops.estimate:.1f} times the operations and {memory.estimate:.1f} "
            f"times the memory; going down and up changes mIoU by {miou.estimate:+.1f} points.",
        ),
        "b": Part(
            says="That computes efficiently.",
            effects=(gain,),
            shown=(seconds,),
            validity_checks=learns,
            because=f"Going down and up has {gain.estimate:.1f} times the mIoU for each operation, and {seconds.estimate:.1f} "
            f"times for each CPU-second on this processor.",
        ),
    }


def _per_operation(run: Run) -> float:
    """Of training: both have as many steps."""
    return run.value(MIOU) / run.value("cost/gflop")


def _per_cpu_second(run: Run) -> float:
    return run.value(MIOU) / run.value("cost/cpu_seconds")


def steps(count: int, samples: int) -> dict[str, Any]:
    return {"trainer.max_steps": count, "trainer.callbacks": [L(TrainingSet)(samples=samples), L(Cost)(timed=True)]}


study = SegmentationStudy(
    claim="F04",
    says="위의 Conv Network는 Computer Vision Tasks에서는 비용이 너무 크기 때문에 적합하지 않다. 따라서 Max Pooling, Stride "
    "Convolution을 사용하여 Downsampling, Upsampling 한다. … → 계산 효율이 좋다.",
    translation="The network of convolutions above costs too much for computer vision tasks, and so is not suitable. Hence "
    "one goes down and up, with max pooling and strided convolutions. … → It computes efficiently.",
    slide="Semantic Segmentation, …pdf-0044",
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
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "mIoU for each operation is judged, and for each CPU-second shown, as the claim's row had it; before, neither was "
            "measured. That a network beats the best constant prediction is asked of the one at full resolution alone",
        ),
    ),
)
