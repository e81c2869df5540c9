"""A transpose convolution of stride 2 is a convolution of stride ½, which makes two pixels of one; it is no deconvolution.

CS231n 2017, lecture 11, “Learning Upsampling: Transpose Convolution”; other names on the slide are upconvolution, fractionally
strided and backward strided convolution, and, wrongly, deconvolution.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def half_stride(x: Tensor, weight: Tensor, padding: int) -> Tensor:
    """A convolution that moves by half a pixel of ``x`` (B, C, h, w): between pixels it finds zeros.

    ``weight`` (C, K, k, k) is the transpose convolution's, turned round here.
    """
    k = weight.shape[-1]
    between = x.new_zeros(*x.shape[:2], 2 * x.shape[2] - 1, 2 * x.shape[3] - 1)
    between[..., ::2, ::2] = x
    return F.conv2d(between, weight.transpose(0, 1).flip(2, 3), padding=k - 1 - padding)


def checks() -> list[Check]:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    rows = []
    for k, padding in ((2, 0), (3, 1), (4, 1)):
        weight = torch.randn(3, 4, k, k, dtype=torch.float64)
        difference = (half_stride(x, weight, padding) - F.conv_transpose2d(x, weight, stride=2, padding=padding)).abs().max()
        rows.append(Check(f"stride ½ less the transpose convolution, kernel {k}", float(difference), 0.0, 1e-12))
    weight = torch.randn(3, 4, 4, 4, dtype=torch.float64)
    up = F.conv_transpose2d(x, weight, stride=2, padding=1)
    # “Backward strided convolution”: it is what the backward pass of a convolution of stride 2 does.
    large = torch.zeros(2, 4, 12, 14, dtype=torch.float64, requires_grad=True)
    back = torch.autograd.grad(F.conv2d(large, weight, stride=2, padding=1), large, x)[0]
    image = torch.randn(2, 4, 12, 14, dtype=torch.float64)
    there_and_back = F.conv_transpose2d(F.conv2d(image, weight, stride=2, padding=1), weight, stride=2, padding=1)
    undone = bool((there_and_back - image).abs().max() < 1e-6)
    return [
        *rows,
        Check("input : output", f"{x.shape[2]} : {up.shape[2]}, {x.shape[3]} : {up.shape[3]}", "6 : 12, 7 : 14"),
        Check("less the gradient of a convolution of stride 2", float((back - up).abs().max()), 0.0, 1e-12),
        Check.yes_or_no("it undoes a convolution with the same kernel (“deconvolution”)", undone, "no"),
    ]


study = Exact(
    claim="F16",
    says="“Stride 1/2 Convolution” … Input과 Output의 크기 비율이 1 : 2이기 때문이다.",
    translation="“Stride ½ convolution” … since the sizes of input and output are as 1 : 2.",
    slide="Learning Upsampling: Transpose Convolution, question after …pdf-0043",
    paper="Radford et al. 2016: fractionally strided convolutions, “wrongly called deconvolutions”.",
    checks=checks,
    deviations=("“backward strided convolution” and “deconvolution” are from the slide's image, not from the notes",),
)
