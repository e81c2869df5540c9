"""As data are few, R-CNN learns to classify first and is fine-tuned then: either step adds to what it detects.

Deck “CNN, R-CNN”, slide “R-CNN: Regions with CNN features”: pre-training on ImageNet, “because data are few”, then fine-tuning
on the small PASCAL VOC; Girshick et al. 2014, table 2.
"""

from __future__ import annotations

from experiments.lectures.cs231n._regions import (
    CPU,
    MEASURES,
    NOT_FINE_TUNED,
    NOT_TUNED,
    RCNN,
    SCRATCH,
    SVM,
    RegionStudy,
    learns,
    rcnn,
)
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict


def verdict(runs: Runs) -> Verdict:
    """Reproduced: fine-tuning adds 4 to 19 points to a pre-trained backbone, and pre-training adds to a fine-tuned one.
    Direction
    only: fine-tuning adds."""
    tuning = runs.difference("AP with SVMs, fine-tuned − not", RCNN, NOT_TUNED, SVM, needs="4 to 19 points", paper=9.5)
    before = runs.difference("AP with SVMs, pre-trained − from scratch", RCNN, SCRATCH, SVM, needs="> 0")
    shared_lr = runs.shared_lr("AP with SVMs, pre-trained − from scratch", RCNN, SCRATCH, SVM)
    return Rule((tuning, before), (runs.tuned(), learns(runs, RCNN)), shared_lr).judge(
        reproduced=tuning.above(0) and 4 <= tuning.estimate <= 19 and before.above(0),
        direction=tuning.above(0),
        refuted=tuning.shows_no_rise(1),
        because=f"On a pre-trained backbone fine-tuning adds {tuning.estimate:+.1f} points of AP; pre-training adds "
        f"{before.estimate:+.1f} to the same fine-tuning from scratch.",
    )


study = RegionStudy(
    claim="G07",
    says="Because data are few, pre-train on ImageNet for classification, then fine-tune on PASCAL VOC, which is small.",
    slide="R-CNN: Regions with CNN features",
    paper="VOC 2007, fc7, without regression of boxes: 44.7 % not fine-tuned, 54.2 % fine-tuned.",
    variants={RCNN: rcnn(), NOT_TUNED: NOT_FINE_TUNED, SCRATCH: {**rcnn(), "trainer.callbacks": MEASURES}},
    controlled="data, proposals, order, steps on regions; SVMs on unmoved boxes",
    scales={"cpu": CPU},
    deviations=(
        "the variant from scratch is not in the paper; it takes as many steps as the fine-tuned one, and would gain by more",
        "without fine-tuning, the fully connected layers are as they were initialised, where the paper's come from ImageNet "
        "too",
    ),
    parts=verdict,
)
