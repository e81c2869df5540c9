"""A convolution is a matrix product Xa, the transpose convolution is Xᵀa: with stride 1 a convolution again, with 2 not.

CS231n 2017, lecture 11, “Learning Upsampling: Transpose Convolution”.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def matrix(kernel: np.ndarray, inputs: int, stride: int, padding: int) -> np.ndarray:
    """X (outputs, inputs) with X @ a the cross-correlation of ``a``, padded with zeros, and ``kernel`` (k,)."""
    outputs = (inputs + 2 * padding - len(kernel)) // stride + 1
    rows = np.zeros((outputs, inputs + 2 * padding))
    for i in range(outputs):
        rows[i, i * stride : i * stride + len(kernel)] = kernel
    return rows[:, padding : padding + inputs]


def matrix_2d(kernel: np.ndarray, side: int, stride: int, padding: int) -> np.ndarray:
    """The same for square images, flattened row by row, and a ``kernel`` (k, k)."""
    k, outputs = len(kernel), (side + 2 * padding - len(kernel)) // stride + 1
    rows = np.zeros((outputs, outputs, side + 2 * padding, side + 2 * padding))
    for i in range(outputs):
        for j in range(outputs):
            rows[i, j, i * stride : i * stride + k, j * stride : j * stride + k] = kernel
    cut = rows[..., padding : padding + side, padding : padding + side]
    return cut.reshape(outputs**2, side**2)


def patterns(x: np.ndarray) -> int:
    """How many rows differ in the weights that are not zero, away from the border: 1 for a convolution."""
    return len({tuple(row[np.flatnonzero(row)]) for row in x[3:-3]})


def conv(a: np.ndarray, kernel: np.ndarray, stride: int, padding: int, *, transposed: bool = False) -> np.ndarray:
    function = F.conv_transpose1d if transposed else F.conv1d
    out = function(torch.from_numpy(a)[None, None], torch.from_numpy(kernel.copy())[None, None], stride=stride, padding=padding)
    return out[0, 0].numpy()


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    kernel = np.array([2.0, 3.0, 5.0])
    x1, x2 = (matrix(kernel, 13, stride, padding=1) for stride in (1, 2))
    a, b1, b2 = rng.normal(size=13), rng.normal(size=len(x1)), rng.normal(size=len(x2))
    differences = {
        "stride 1: Xa less the convolution": x1 @ a - conv(a, kernel, 1, 1),
        "stride 2: Xa less the convolution": x2 @ a - conv(a, kernel, 2, 1),
        "stride 1: Xᵀb less the transpose convolution": x1.T @ b1 - conv(b1, kernel, 1, 1, transposed=True),
        "stride 2: Xᵀb less the transpose convolution": x2.T @ b2 - conv(b2, kernel, 2, 1, transposed=True),
        "stride 1: Xᵀb less the convolution with the kernel turned round": x1.T @ b1 - conv(b1, kernel[::-1], 1, 1),
    }
    image, k2 = rng.normal(size=(7, 7)), rng.normal(size=(3, 3))
    m = matrix_2d(k2, 7, 2, 1)
    y = F.conv2d(torch.from_numpy(image)[None, None], torch.from_numpy(k2)[None, None], stride=2, padding=1)
    z = F.conv_transpose2d(y, torch.from_numpy(k2)[None, None], stride=2, padding=1)
    differences["7 × 7 pixels, 3 × 3, stride 2: Xa less the convolution"] = m @ image.ravel() - y.numpy().ravel()
    differences["and Xᵀy less the transpose convolution"] = m.T @ y.numpy().ravel() - z.numpy().ravel()
    inverse = np.abs(x1.T @ x1 - np.eye(13)).max() < 1e-6
    return [
        *(Check(what, float(np.abs(difference).max()), 0.0, 1e-10) for what, difference in differences.items()),
        Check("stride 1: kinds of rows in Xᵀ", patterns(x1.T), 1),
        Check("stride 2: kinds of rows in Xᵀ (more than one is no convolution)", patterns(x2.T), 2),
        Check("stride 2: X maps 13 values to, and Xᵀ back to", f"{len(x2)}, {len(x2.T)}", "7, 13"),
        Check.yes_or_no("Xᵀ is the inverse of X (“deconvolution”)", inverse, "no"),
    ]


study = Exact(
    claim="F13",
    says="Convolution을 Matrix Multiplication으로 표현할 수 있다. … Stride 1 → 일반 Conv나 Transpose Conv나 큰 차이가 없다. "
    "Stride > 1 → Transpose Convolution은 차원을 확장하는 모습이 보이고, 근본적으로 다른 연산이 된다.",
    translation="Convolution can be written as a matrix multiplication. … Stride 1 → convolution and transpose convolution "
    "hardly differ. Stride > 1 → the transpose convolution is seen to expand, and becomes a fundamentally different operation.",
    slide="Learning Upsampling: Transpose Convolution, …pdf-0041 and …pdf-0043",
    paper="Dumoulin & Visin 2016, chapter 4.",
    checks=checks,
    deviations=("what networks call a convolution is a cross-correlation: the kernel is not turned round",),
)
