"""A mask is a segmentation within its region: it wants features aligned with the pixels, and a mask for each class apart.

CS231n 2017, lecture 11, “Mask R-CNN”; He et al. 2017, table 2: RoIAlign in place of RoIPool 3 points of mask AP, 5 of AP75; a
sigmoid for each class in place of a softmax over them 5.5 points; masks that know no class 29.7 in place of 30.3.
"""

from __future__ import annotations

from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Scale, Tune, Variant
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.networks import ConvBackbone, OneSigmoid, PixelSoftmax, RoIPool

from ._instances import FILLED_BOXES, REAL, SMALL_MASKS, MaskStudy, coco, knows_shapes, mask_branch, resnet

ALIGNED, POOLED = "sigmoids, RoIAlign", "sigmoids, RoIPool"
SOFTMAX, AGNOSTIC = "softmax, RoIAlign", "one sigmoid, RoIAlign"
AP, AP75 = "test/mask_mAP", "test/mask_mAP75"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: RoIAlign above RoIPool, by more at AP75, and sigmoids not below the softmax. Direction only: one of both.
    Not: neither, that is RoIAlign no better, or by less at AP75, and sigmoids below the softmax."""
    align = runs.difference("mask AP, RoIAlign − RoIPool", ALIGNED, POOLED, AP, needs="> 0", paper=3)
    strict = runs.difference("mask AP75, RoIAlign − RoIPool", ALIGNED, POOLED, AP75, paper=5)
    more = runs.difference("its gain in AP75 − its gain in AP", ALIGNED, POOLED, _strictness, needs="> 0", paper=2)
    apart = runs.difference("mask AP, sigmoids − softmax", ALIGNED, SOFTMAX, AP, needs="≥ 0", paper=5.5)
    classes = runs.difference("mask AP, a mask for each class − one for all", ALIGNED, AGNOSTIC, AP, paper=0.6)
    shared_lr = runs.shared_lr("mask AP, RoIAlign − RoIPool", ALIGNED, POOLED, AP)
    aligned = align.above(0) and more.above(0)
    decoupled = apart.is_finite and min(apart.by_seed) >= 0
    validity_checks = (runs.tuned(), knows_shapes(runs, list(runs.variants)))
    return Rule((align, strict, more, apart, classes), validity_checks, shared_lr).judge(
        reproduced=aligned and decoupled,
        direction=aligned or decoupled,
        refuted=(align.shows_no_rise(1) or more.excludes_above(0)) and apart.below(0),
        because=f"RoIAlign changes mask AP by {align.estimate:+.1f} points and AP75 by {strict.estimate:+.1f} against RoIPool; "
        f"sigmoids change it by {apart.estimate:+.1f} against a softmax.",
    )


def _strictness(run: Run) -> float:
    return run.value(AP75) - run.value(AP)


_STYLE = {
    "classes": ["ring", "cross", "star", "crescent", "arrow", "bolt"],
    "objects": [1, 3],
    "object_size": [0.3, 0.6],
    "rotation": 180,
    "thin": 0,
    # Where no variant can tell the classes yet, a softmax over them has no mask at all to compare.
    "color_cue": 0.8,
    "clutter": 0.2,
    "texture": 0.3,
    "lighting": 0.2,
}
_CALLBACKS = {"trainer.callbacks": [FILLED_BOXES]}

study = MaskStudy(
    claim="H05",
    says="On each region a small semantic segmentation; masks of classes do not compete, the class comes from its own head.",
    paper="COCO minival, ResNet-50: sigmoid 30.3 against softmax 24.8 mask AP; RoIAlign 30.2 against RoIPool 26.9, AP75 31.8 "
    "against 26.4; class-agnostic 29.7 against 30.3.",
    variants={
        SOFTMAX: mask_branch(masks=PixelSoftmax),
        AGNOSTIC: Variant(mask_branch(masks=OneSigmoid), lr_of=ALIGNED),
        ALIGNED: mask_branch(),
        POOLED: {"model.network.pooling": RoIPool, **mask_branch(pooling=RoIPool)},
    },
    controlled="backbone, a stride of 16 pixels, heads, data, order, steps; the same pooling for class and box as for the mask",
    tune=Tune(start=3e-3, by="val/mask_mAP", greatest=True),
    scales={
        "cpu": Scale(
            {
                **_CALLBACKS,
                "model.network.backbone": L(ConvBackbone)(widths=[8, 16, 32, 64]),
                "model.network.anchor_scales": [1.0, 2.0, 4.0],
                "data.style": _STYLE,
            },
            deviations=(
                "drawn shapes of six classes, told by their colour in four of five cases, in place of COCO's 80",
                "96 × 96 pixels, a backbone of 8, 16, 32 and 64 features, 300 steps of 8 images",
                SMALL_MASKS,
            ),
        ),
        "gpu": Scale(
            {
                **_CALLBACKS,
                **coco(),
                "model.network.backbone": resnet(16),
                "model.network.anchor_scales": [2.0, 4.0, 8.0, 16.0, 32.0],
            },
            start=1e-4,
            deviations=(REAL, "the head is two fully connected layers, in place of ResNet's fifth stage", SMALL_MASKS),
        ),
    },
    deviations=("masks that know no class are trained at the rate of those that do",),
    parts=verdict,
)
