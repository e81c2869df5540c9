"""In a transpose convolution each value weighs a copy of the kernel, the stride moves the copies, and overlaps are summed.

CS231n 2017, lecture 11, “Learning Upsampling: Transpose Convolution”. Its output has (W − 1)S − 2P + D(F − 1) + O + 1 columns.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

from ._overlaps import inner_counts, overlap_counts

CASES = 500


def by_copies(x: np.ndarray, kernel: np.ndarray, stride: int, padding: int, extra: int) -> np.ndarray:
    """(C, H, W) and (C, K, k, k) to (K, H', W'): copies are added where they fall, then ``padding`` is cut off each side."""
    k, (_, height, width) = kernel.shape[-1], x.shape
    out = np.zeros((kernel.shape[1], (height - 1) * stride + k + extra, (width - 1) * stride + k + extra))
    for c in range(len(x)):
        for i in range(height):
            for j in range(width):
                out[:, i * stride : i * stride + k, j * stride : j * stride + k] += x[c, i, j] * kernel[c]
    return out[:, padding : out.shape[1] - padding, padding : out.shape[2] - padding]


def columns(inputs: int, field: int, stride: int, padding: int, dilation: int, extra: int) -> int:
    return (inputs - 1) * stride - 2 * padding + dilation * (field - 1) + extra + 1


def right_sizes() -> int:
    """How many of random layers have the size of the formula; on the meta device nothing is multiplied."""
    rng, right = np.random.default_rng(0), 0
    for _ in range(CASES):
        field, stride, dilation, width = (int(rng.integers(*r)) for r in ((1, 8), (1, 5), (1, 4), (2, 40)))
        padding = int(rng.integers(0, (dilation * (field - 1)) // 2 + 1))
        extra = int(rng.integers(0, max(stride, dilation)))  # torch allows less than the greater of the two
        x, weight = torch.empty(1, 2, width, width, device="meta"), torch.empty(2, 3, field, field, device="meta")
        shape = F.conv_transpose2d(x, weight, stride=stride, padding=padding, output_padding=extra, dilation=dilation).shape
        right += shape[2:] == (columns(width, field, stride, padding, dilation, extra),) * 2
    return right


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 5, 6))
    settings = [(3, 2, 1, 0), (3, 2, 1, 1), (4, 2, 1, 0), (2, 2, 0, 0), (3, 1, 1, 0), (5, 3, 2, 2)]
    differences = []
    for k, stride, padding, extra in settings:
        kernel = rng.normal(size=(3, 4, k, k))
        own = by_copies(x, kernel, stride, padding, extra)
        theirs = F.conv_transpose2d(
            torch.from_numpy(x)[None], torch.from_numpy(kernel), stride=stride, padding=padding, output_padding=extra
        )
        differences.append(float(np.abs(own - theirs[0].numpy()).max()))
    # The lecture's figure in one dimension: two values, a kernel of three, stride 2.
    line = F.conv_transpose1d(torch.tensor([[[10.0, 100.0]]]), torch.tensor([[[1.0, 2.0, 3.0]]]), stride=2)
    return [
        Check(
            "the slide's example with a, b = 10, 100 and x, y, z = 1, 2, 3",
            str(line[0, 0].int().tolist()),
            "[10, 20, 130, 200, 300]",
        ),
        *(
            Check(f"copies, kernel {k}, stride {s}, padding {p}, output padding {o}: difference", d, 0.0, 1e-12)
            for (k, s, p, o), d in zip(settings, differences, strict=True)
        ),
        Check(
            "copies summed where two rows and two columns of them meet, kernel 3, stride 2",
            int(overlap_counts(4, 3, 2).max()),
            4,
        ),
        Check("numbers of copies that occur, kernel 4, stride 2", str(inner_counts(4, 2)), "[4]"),
        Check(f"sizes of {CASES} random layers that the formula gives", right_sizes(), CASES),
    ]


study = Exact(
    claim="F12",
    says="1개의 Scalar Pixel에 Filter Vector를 곱해 출력에 넣는다. 입력 값 Scalar Pixel은 가중치 역할을 한다. Stride로 움직여 "
    "Image Size를 키운다. 겹치는 부분은 모두 더한다.",
    translation="Multiply the filter by one scalar pixel and put it into the output. The input's scalar pixel is the weight. "
    "Moving by the stride enlarges the image. Where copies overlap, all are added.",
    slide="Learning Upsampling: Transpose Convolution, …pdf-0039",
    paper="Dumoulin & Visin 2016, relationship 14.",
    checks=checks,
    erratum="The slide names stride and pad but not output padding, without which 3 × 3 and stride 2 make 2n − 1 of n pixels.",
)
