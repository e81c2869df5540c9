"""Max unpooling remembers where the maxima were, and so segments better than a bed of nails, and borders as well as any.

CS231n 2017, lecture 11, “In-Network Upsampling: Max Unpooling”; Badrinarayanan et al. 2017 (SegNet), table 1.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._segmentation import BORDER, MIOU
from ._upsampling import WAYS, WaysStudy, learns

VARIANTS = ("max unpooling", "nearest neighbour", "bilinear", "transpose 4 × 4", "bed of nails")


def verdict(runs: Runs) -> Verdict:
    """Reproduced: unpooling above nails in mIoU, and at borders not below nearest neighbour. Direction only: above nails."""
    nails = runs.difference("mIoU, max unpooling − bed of nails", "max unpooling", "bed of nails", MIOU, needs="> 0")
    border = runs.difference(
        "accuracy within 1 px of borders, max unpooling − nearest", "max unpooling", "nearest neighbour", BORDER, needs="≥ 0"
    )
    nearest = runs.difference("mIoU, max unpooling − nearest neighbour", "max unpooling", "nearest neighbour", MIOU)
    shared_lr = runs.shared_lr("mIoU, max unpooling − bed of nails", "max unpooling", "bed of nails", MIOU)
    means = {variant: 100 * runs.quantity("", variant, MIOU).estimate for variant in runs.variants}
    ranking = ", ".join(f"{variant} {means[variant]:.1f}" for variant in sorted(means, key=lambda variant: -means[variant]))
    return Rule(
        (nails, border, nearest), (runs.tuned(), learns(runs, *VARIANTS)), shared_lr, (f"mIoU in percent: {ranking}.",)
    ).judge(
        reproduced=nails.above(0) and min(border.by_seed) >= 0,
        direction=nails.above(0),
        refuted=nails.shows_no_rise(1),
        because=f"With one learned convolution behind each, max unpooling has {nails.estimate:+.1f} points of mIoU over the "
        f"bed of nails and {nearest.estimate:+.1f} over nearest neighbour; at borders it has {border.estimate:+.1f} points "
        f"over nearest neighbour.",
    )


study = WaysStudy(
    claim="F10",
    says="Max unpooling remembers the positions of max pooling, and so keeps some of the spatial information.",
    slide="In-Network Upsampling: Max Unpooling",
    paper="CamVid, class-balanced mIoU: bilinear 43.3 %, SegNet-Basic (max unpooling) 47.7 %, FCN-Basic 47.3 %.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    deviations=(
        "bed of nails and a 3 × 3 convolution are together a transpose convolution of kernel 3 and stride 2",
        "a 4 × 4 kernel has 16 weights where a 3 × 3 convolution has 9",
        "SegNet's own bilinear variant had 0.63 M weights against 1.43 M and no learned decoder: here each step has one layer",
    ),
    parts=verdict,
)
