"""As data are few, R-CNN learns to classify first and is fine-tuned then: either step adds to what it detects.

Deck “CNN, R-CNN”, slide “R-CNN: Regions with CNN features”: pre-training on ImageNet, “because data are few”, then fine-tuning
on the small PASCAL VOC; Girshick et al. 2014, table 2.
"""

from __future__ import annotations

from experiments.lectures.cs231n._regions import (
    BARE,
    CPU,
    FEATURES_AS_POOLED,
    MEASURES,
    NOT_FINE_TUNED,
    NOT_TUNED,
    POOLED,
    RCNN,
    SCRATCH,
    STAGES_AMENDED,
    SVM,
    RegionStudy,
    learns,
    rcnn,
)
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Variant
from experiments.studies.verdict import Needs, Part

TUNED_POOLED = "R-CNN, pooled features"
"""Fine-tuned without fully connected layers: the paper's pool5 after fine-tuning, but that no layer was trained on it."""
FINE_TUNE = (
    "Object detection 목적으로 만들어진 (상대적으로 작은 dataset인) PASCAL VOC 를 이용해 모델을 fine-tune"  # the deck's own
)
PRETRAIN = "(데이터 부족으로 인해) 우선 Imagenet dataset을 이용해 모델을 classification 문제에 대하여 pretraining"


def parts(runs: Runs) -> dict[str, Part]:
    """a: fine-tuning a pre-trained backbone on regions adds 4 to 19 points, ½ to 2 times the paper's 9.5, both to fully
    connected layers that have learned nothing and to features as they are pooled; direction only: it adds to both. b:
    pre-training adds to what is fine-tuned. A change within ±1 point counts as none."""
    tuning = runs.difference(
        "AP with SVMs, fine-tuned − not", RCNN, NOT_TUNED, SVM, needs=Needs(4, 19, null=0, margin=1), paper=9.5
    )
    bare = runs.difference(
        "AP with SVMs, fine-tuned − features as pooled", RCNN, POOLED, SVM, needs=Needs(4, 19, null=0, margin=1), paper=10.0
    )
    alone = runs.difference("AP with SVMs on pooled features, fine-tuned − not", TUNED_POOLED, POOLED, SVM, paper=3.1)
    before = runs.difference("AP with SVMs, pre-trained − from scratch", RCNN, SCRATCH, SVM, needs=Needs(low=0, margin=1))
    return {
        "a": Part(
            says=FINE_TUNE,
            effects=(tuning, bare),
            shown=(alone,),
            validity_checks=(runs.tuned(RCNN), learns(runs, RCNN)),
            because=f"On a pre-trained backbone fine-tuning changes the AP by {tuning.estimate:+.1f} points, against features "
            f"as they are pooled by {bare.estimate:+.1f}; without fully connected layers by {alone.estimate:+.1f}.",
        ),
        "b": Part(
            says=PRETRAIN,
            effects=(before,),
            validity_checks=(runs.tuned(RCNN, SCRATCH), learns(runs, RCNN)),
            shared_lr=runs.shared_lr(before.name, RCNN, SCRATCH, SVM),
            because=f"To the same fine-tuning from scratch, pre-training adds {before.estimate:+.1f} points.",
        ),
    }


study = RegionStudy(
    claim="G07",
    says=f"{PRETRAIN}; {FINE_TUNE}",
    translation="(Because data are few) first pre-train the model on ImageNet for classification; then fine-tune it on PASCAL "
    "VOC, a (relatively small) data set that was made for object detection.",
    slide="R-CNN: Regions with CNN features",
    paper="VOC 2007, fc7, without regression of boxes: 44.7 % not fine-tuned (pool5 44.2 %), 54.2 % fine-tuned (pool5 47.3 %).",
    variants={
        RCNN: rcnn(),
        NOT_TUNED: NOT_FINE_TUNED,
        POOLED: FEATURES_AS_POOLED,
        TUNED_POOLED: Variant({**rcnn(), "model.network.head": BARE}, lr_of=RCNN),
        SCRATCH: {**rcnn(), "trainer.callbacks": MEASURES},
    },
    controlled="data, proposals, order, steps on regions; SVMs on unmoved boxes",
    scales={"cpu": CPU},
    deviations=(
        "the variant from scratch is not in the paper; it takes as many steps as the fine-tuned one, and would gain by more",
        "without fine-tuning, the fully connected layers are as they were initialised, where the paper's come from ImageNet "
        "too",
    ),
    parts=parts,
    amendments=(
        *STAGES_AMENDED,
        Amendment("2026-11-26", "two parts, of the two steps that the slide has; before, one rule for both"),
        Amendment(
            "2026-11-27",
            "fine-tuning has to beat features as they are pooled too, where random fully connected layers stood alone",
        ),
        Amendment(
            "2026-11-27",
            "after the run, which is not reproduced: fine-tuning without fully connected layers is shown beside it, and "
            "decides nothing; it tells whether fine-tuning harms, or the layers that have to be learned from few regions",
        ),
    ),
)
