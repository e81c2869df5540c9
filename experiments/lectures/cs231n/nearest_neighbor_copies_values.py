"""Nearest-neighbour unpooling copies each value into a 2 × 2 block, and nothing else.

CS231n 2017, lecture 11, “In-network Upsampling”.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules.networks.upsampling import nearest_neighbor


def by_blocks(x: Tensor) -> Tensor:
    return torch.kron(x, torch.ones(2, 2))


def checks() -> list[Check]:
    torch.manual_seed(0)
    slide = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    x = torch.randn(2, 3, 5, 7)
    odd = nearest_neighbor(x, (9, 13))
    by_conv = F.conv_transpose2d(x, torch.ones(3, 1, 2, 2), stride=2, groups=3)
    bilinear = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return [
        Check(
            "the slide's 2 × 2 example",
            str(nearest_neighbor(slide)[0, 0].int().tolist()),
            "[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]",
        ),
        Check(
            "5 × 7 values less their blocks, greatest difference", float((nearest_neighbor(x) - by_blocks(x)).abs().max()), 0.0
        ),
        Check("cut to an odd size: less the blocks, cut", float((odd - by_blocks(x)[..., :9, :13]).abs().max()), 0.0),
        Check("less a transpose convolution of ones, 2 × 2, stride 2", float((nearest_neighbor(x) - by_conv).abs().max()), 0.0),
        Check("average pooling undoes it", float((F.avg_pool2d(nearest_neighbor(x), 2) - x).abs().max()), 0.0, 1e-6),
        Check.yes_or_no("bilinear interpolation copies as well", torch.equal(bilinear, by_blocks(x)), "no"),
    ]


study = Exact(
    claim="F08",
    says="Nearest Neighbor. 똑같은 값의 이웃을 만들어 Unpooling 한다.",
    translation="Nearest neighbor: unpooling by making neighbours of the same value.",
    slide="In-network Upsampling, …pdf-0026",
    paper="No paper.",
    checks=checks,
)
