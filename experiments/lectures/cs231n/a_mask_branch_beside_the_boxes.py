"""A mask branch on each region makes an instance segmenter of Faster R-CNN, at little cost and without harm to its boxes.

CS231n 2017, lecture 11, “Mask R-CNN”; He et al. 2017, tables 1 and 3: on COCO mask AP 35.7 and box AP 38.2, at about
5 images a second.
"""

from __future__ import annotations

from experiments.measures.instances import BranchCost
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Tune
from experiments.studies.verdict import Rule, Verdict
from lightning_modules import Detection
from lightning_modules.networks import FasterRCNN

from ._instances import (
    DRAWN,
    FILLED_BOXES,
    MASK_AP50,
    REAL,
    SMALL_MASKS,
    MaskStudy,
    coco,
    knows_shapes,
    mask_branch,
    pyramid,
)

MASKS, BOXES = "with masks", "boxes alone"
BOX_AP = "test/mAP"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: mask AP50 of at least 0.6, at most 30 % more time an image, and box AP not lower (by a point).

    Not lower: above −1 point in every seed and in the interval, or equivalent within ±1 point by two one-sided tests.
    """
    found = runs.quantity("AP50 of the masks", MASKS, MASK_AP50, needs="≥ 0.6")
    time = runs.quantity(
        "CPU time of an image, with / without the branch", MASKS, "cost/branch_time", unit="x", needs="≤ 1.3 x"
    )
    gap = runs.difference("box AP, with masks − boxes alone", MASKS, BOXES, BOX_AP, needs="> −1 point")
    flop = runs.quantity("operations of an image, with / without the branch", MASKS, "cost/branch_flop", unit="x")
    detections = runs.quantity("detections of an image that is timed", MASKS, "cost/detections")
    shared_lr = runs.shared_lr("box AP, with masks − boxes alone", MASKS, BOXES, BOX_AP)
    validity_checks = (runs.tuned(), runs.beats("test/mAP50", 0.0), knows_shapes(runs, [MASKS]))
    return Rule((found, time, gap, flop, detections), validity_checks, shared_lr).judge(
        reproduced=found.interval[0] >= 0.6 and time.below(1.3) and (gap.above(-1) or gap.equivalent(1)),
        refuted=found.below(0.6) or time.excludes_below(1.3) or gap.below(-1),
        because=f"Masks are found with AP50 {found.estimate:.2f}; they change the time of an image by "
        f"{100 * (time.estimate - 1):+.0f} % and box AP by {gap.estimate:+.1f} points.",
    )


study = MaskStudy(
    claim="H04",
    says="Mask R-CNN: Faster R-CNN, and beside class and box a mask for each region, predicted in parallel.",
    paper="COCO test-dev, ResNet-101-FPN: mask AP 35.7, box AP 38.2 (without the branch 37.3), about 5 images a second.",
    variants={
        MASKS: {**mask_branch(), "trainer.callbacks": [FILLED_BOXES, L(BranchCost)()]},
        BOXES: {"model": Detection, "model.network": FasterRCNN},
    },
    controlled="backbone, proposals, heads for class and box, their first weights, data, order, steps",
    tune=Tune(start=3e-3, by="val/mAP", greatest=True),
    scales={
        "cpu": Scale(
            deviations=(DRAWN, "96 × 96 pixels, a backbone of 16, 32 and 64 features, 300 steps of 8 images", SMALL_MASKS)
        ),
        "gpu": Scale({**coco(), **pyramid()}, start=1e-4, deviations=(REAL, "a feature pyramid", SMALL_MASKS)),
    },
    deviations=(
        "the time is a CPU's, one image after another",
        "at most 10 detections of an image on drawn scenes, 100 on COCO",
    ),
    parts=verdict,
)
