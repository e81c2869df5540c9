"""Max unpooling remembers where the maxima were; whether a network segments better for it is measured.

CS231n 2017, lecture 11, “In-network Upsampling”; Badrinarayanan et al. 2017 (SegNet), table 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks.upsampling import bed_of_nails, max_unpool

from ._segmentation import BORDER, MIOU
from ._upsampling import CONTROL_ALONE, WAYS, WaysStudy, learns

UNPOOLING, NEAREST, NAILS = "max unpooling", "nearest neighbour", "bed of nails"
VARIANTS = (UNPOOLING, NEAREST, "bilinear", "transpose 4 × 4", NAILS)
HIGHER = Needs(low=0, margin=1)


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: each value returns to the place of its maximum, and zeros stand elsewhere. b, reproduced: more mIoU than with a
    bed of nails at this budget; direction and whole are one, since the lecture has no figure, and a change within ±1 point
    counts as none. c, beyond the lecture: the same against nearest neighbour."""
    nails = runs.difference("mIoU, max unpooling − bed of nails", UNPOOLING, NAILS, MIOU, needs=HIGHER)
    nearest = runs.difference("mIoU, max unpooling − nearest neighbour", UNPOOLING, NEAREST, MIOU, needs=HIGHER)
    borders = tuple(
        runs.difference(f"accuracy within 1 px of borders, max unpooling − {other}", UNPOOLING, other, BORDER)
        for other in (NAILS, NEAREST)
    )
    means = {variant: 100 * runs.quantity("", variant, MIOU).estimate for variant in runs.variants}
    ranking = ", ".join(f"{variant} {means[variant]:.1f}" for variant in sorted(means, key=lambda variant: -means[variant]))
    return {
        "a": Part(says="Max unpooling puts zeros round a value and remembers its maximum's position.", checks=positions()),
        "b": Part(
            says="So a little of the spatial information is kept: better than a bed of nails at this budget.",
            effects=(nails,),
            shown=borders[:1],
            validity_checks=(runs.tuned(UNPOOLING, NAILS), learns(runs, NAILS)),
            shared_lr=runs.shared_lr(nails.name, UNPOOLING, NAILS, MIOU),
            also=(f"mIoU in percent: {ranking}.",),
            because=f"With one learned convolution behind each, max unpooling has {nails.estimate:+.1f} points of mIoU over "
            f"the bed of nails.",
        ),
        "c": Part(
            says="Is it better than nearest neighbour, which remembers nothing?",
            effects=(nearest,),
            shown=borders[1:],
            validity_checks=(runs.tuned(UNPOOLING, NEAREST), learns(runs, NEAREST)),
            because=f"Max unpooling has {nearest.estimate:+.1f} points of mIoU over nearest neighbour, and at borders "
            f"{borders[1].estimate:+.1f} points of accuracy.",
            beyond=True,
        ),
    }


def positions() -> tuple[Check, ...]:
    """What pooling and unpooling of random maps of 12 × 16 in 2 × 2 windows leave."""
    maps = torch.randn(4, 8, 12, 16, generator=torch.Generator().manual_seed(0))
    pooled, indices = F.max_pool2d(maps, 2, return_indices=True)
    unpooled, nails = max_unpool(pooled, indices, (12, 16)), bed_of_nails(pooled)
    kept, filled = unpooled != 0, pooled.numel()
    return (
        Check("values that stand elsewhere than their maxima stood", int((unpooled[kept] != maps[kept]).sum()), 0),
        Check("values of the unpooled maps that are not zero, of those pooled", int(kept.sum()), filled),
        Check("after pooling again, values that differ", int((F.max_pool2d(unpooled.where(kept, -9), 2) != pooled).sum()), 0),
        Check.yes_or_no("a bed of nails has them there as well", torch.equal(nails, unpooled), "no"),
    )


study = WaysStudy(
    claim="F10",
    says="Bed of Nails와 같이 0을 추가하지만, Max Pooling의 위치를 기억하여 Unpooling에 적용한다. … Max Pooling을 하게 되면 "
    "공간 정보를 잃어버리는데, 이 공간 정보를 조금이나마 유지할 수 있다.",
    translation="Zeros are added as in a bed of nails, but the positions of max pooling are remembered and used in unpooling. "
    "… Max pooling loses spatial information, and this keeps a little of it.",
    slide="In-network Upsampling, …pdf-0027",
    paper="CamVid, class-balanced mIoU: bilinear 43.3 %, SegNet-Basic (max unpooling) 47.7 %, FCN-Basic 47.3 %.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    deviations=(
        "bed of nails and a 3 × 3 convolution are together a transpose convolution of kernel 3 and stride 2",
        "a 4 × 4 kernel has 16 weights where a 3 × 3 convolution has 9",
        "SegNet's own bilinear variant had 0.63 M weights against 1.43 M and no learned decoder: here each step has one layer",
    ),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        CONTROL_ALONE,
        Amendment(
            "2026-11-26",
            "three parts: that positions are kept is what the lecture states, and an identity; a bed of nails and nearest "
            "neighbour are compared apart from it. Before, all was one, and reproduced needed borders no worse than nearest "
            "neighbour's too, which the lecture does not say",
        ),
    ),
)
