"""A bed of nails puts each value among zeros; followed by a 3 × 3 convolution it is a transpose convolution with stride 2.

CS231n 2017, lecture 11, “In-network Upsampling”. The second half is not the lecture's, which shows the two as two methods.
"""

from __future__ import annotations

import torch

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check
from lightning_modules.networks.upsampling import BedOfNails, MaxUnpooling, NearestNeighbor, TransposeConv, bed_of_nails


def checks() -> list[Check]:
    torch.manual_seed(0)
    slide = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    x, size = torch.randn(2, 6, 5, 7), (10, 14)
    indices = torch.zeros(2, 6, 5, 7, dtype=torch.long)
    indices += torch.arange(5)[:, None] * 2 * 14 + torch.arange(7) * 2 + 15  # a maximum at the lower right of each window
    nails, nearest, unpooling = BedOfNails(6, 4), NearestNeighbor(6, 4), MaxUnpooling(6, 4)
    transpose = TransposeConv(6, 4, kernel_size=3, initialization="random")
    for other in (nearest, unpooling):
        other.load_state_dict(nails.state_dict())
    with torch.no_grad():
        transpose.conv.weight.copy_(nails.conv.weight.transpose(0, 1).flip(2, 3))  # the kernel turned by 180°
        transpose.conv.bias.copy_(nails.conv.bias)  # type: ignore[union-attr, arg-type]
        out = nails(x, indices, size)
        scale = float(out.abs().max())

        def apart(module: torch.nn.Module) -> float:
            return float((module(x, indices, size) - out).abs().max()) / scale

        same, by_copies, by_position = apart(transpose), apart(nearest), apart(unpooling)
    spread = bed_of_nails(x)
    weights = sum(p.numel() for p in transpose.parameters()) - sum(p.numel() for p in nails.parameters())
    return [
        Check(
            "the slide's 2 × 2 example",
            str(bed_of_nails(slide)[0, 0].int().tolist()),
            "[[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]",
        ),
        Check("of 5 × 7 random values, those that are not where they belong", int((spread[..., ::2, ::2] != x).sum()), 0),
        Check("values that are not zero, for each of the input's", int((spread != 0).sum()) / x.numel(), 1),
        Check("bed of nails and convolution less transpose convolution, relative", same, 0.0, 1e-5, beyond=True),
        Check("difference in the number of weights", weights, 0, beyond=True),
        Check.yes_or_no("nearest neighbour and the same convolution is the same too", by_copies < 1e-3, "no", beyond=True),
        Check.yes_or_no("max unpooling and the same convolution is the same too", by_position < 1e-3, "no", beyond=True),
    ]


study = Exact(
    claim="F09",
    says="Bad of Nails. 주변에 0을 추가하여 Unpooling 한다. 0으로 평평할 때 Non-zero Region만 바늘처럼 값이 튀기 때문에 이런 "
    "이름으로 불린다.",
    translation="Bed of nails: unpooling by adding zeros around a value. It has its name since, where all is flat at 0, only "
    "the region that is not zero sticks out like a needle.",
    slide="In-network Upsampling, …pdf-0026",
    paper="Badrinarayanan et al. 2017: upsampling with fixed sparse positions “performed quite poorly”.",
    checks=checks,
    deviations=("the identity alone; how well it segments is compared in the study of max unpooling",),
    erratum="The notes call it “Bad of Nails”.",
    amendments=(
        Amendment(
            "2026-11-26",
            "that a bed of nails and a convolution are a transpose convolution lies beyond the lecture, and is a part of its "
            "own; before, it was the verdict on the lecture's sentence",
        ),
    ),
)
