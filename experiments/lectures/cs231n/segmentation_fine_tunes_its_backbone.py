"""A segmenter whose pre-trained backbone is fine-tuned is better than one whose backbone is fixed.

CS231n 2017, lecture 11, “Semantic Segmentation Idea: Fully Convolutional”; Long et al. 2015, section 4.3: FCN-32s-fixed against
FCN-32s. The backbone has learned to classify other shapes before.
"""

from __future__ import annotations

from typing import Any

from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Needs, Part
from lightning_modules import FreezeBackbone
from lightning_modules.networks import BackboneFCN, ConvBackbone

from ._pretraining import pretrained
from ._segmentation import BASELINE, MIOU, SegmentationStudy

FIXED, TUNED = "fixed backbone", "fine-tuned backbone"
FOREVER = 1_000_000
"""Epochs that no run has."""
SAYS = "모든 픽셀에 대한 Cross-Entropy를 계산하면 Network 전체를 End-to-end로 학습할 수 있다."


def parts(runs: Runs) -> Part:
    """Reproduced: training the whole network end to end gives at least 5 points of mIoU more than training its head on a fixed
    backbone; direction only: more. The paper has 14."""
    gain = runs.difference("mIoU, fine-tuned − fixed", TUNED, FIXED, MIOU, needs=Needs(low=5, margin=1), paper=14.0)
    return Part(
        says=SAYS,
        effects=(gain,),
        validity_checks=(runs.tuned(), runs.beats(MIOU, BASELINE, variants=[FIXED])),
        shared_lr=runs.shared_lr(gain.name, TUNED, FIXED, MIOU),
        because=f"Fine-tuning the backbone adds {gain.estimate:+.1f} points of mIoU to a head on a fixed one.",
    )


def callbacks(*more: Any) -> dict[str, Any]:
    return {"trainer.callbacks": [pretrained(drawings=4000, object_size=(0.35, 0.7)), *more, L(TrainingSet)(samples=300)]}


study = SegmentationStudy(
    claim="F06",
    says=SAYS,
    translation="When the cross-entropy of all pixels is computed, the whole network can be trained end to end.",
    slide="Semantic Segmentation, …pdf-0019; fixed against fine-tuned: from the paper",
    paper="PASCAL VOC 2011 val, mean IoU: FCN-32s-fixed 45.4 %, FCN-32s 59.4 %.",
    variants={FIXED: callbacks(L(FreezeBackbone)(epochs=FOREVER)), TUNED: callbacks()},
    controlled="pre-trained backbone, head, data, order, steps",
    scales={
        "cpu": Scale(
            {"model.network": L(BackboneFCN)(backbone=L(ConvBackbone)(widths=[16, 32, 64], depth=1))},
            deviations=(
                "drawn scenes of 32 × 32 pixels with three classes",
                "the backbone has classified 4,000 drawings of six other shapes, in place of ImageNet",
                "one hidden convolution on the backbone, in place of VGG's two fully connected layers",
            ),
        )
    },
    deviations=("each run trains its backbone itself before it begins, by a callback",),
    parts=parts,
)
