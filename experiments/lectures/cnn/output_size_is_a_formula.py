"""A convolution's output has (W − F)/S + 1 columns and a depth of K; with padding and a remainder the formula needs more.

Deck “CNN, R-CNN”, slide “Convolution Layer”. The whole formula is ⌊(W + 2P − D(F − 1) − 1)/S⌋ + 1 for padding P, dilation D.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check

CASES = 2000


def of_the_slide(width: int, field: int, stride: int) -> float:
    return (width - field) / stride + 1


def whole(width: int, field: int, stride: int, padding: int, dilation: int) -> int:
    return (width + 2 * padding - dilation * (field - 1) - 1) // stride + 1


def measured(height: int, width: int, filters: int, field: int, stride: int, padding: int, dilation: int) -> tuple[int, ...]:
    """The shape (K, H₂, W₂) that torch gives; on the meta device nothing is multiplied."""
    image = torch.empty(1, 3, height, width, device="meta")
    weight = torch.empty(filters, 3, field, field, device="meta")
    return tuple(F.conv2d(image, weight, stride=stride, padding=padding, dilation=dilation).shape[1:])


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    right = simple = simple_right = 0
    for _ in range(CASES):
        field, stride, padding, dilation, filters = (int(rng.integers(low, high)) for low, high in RANGES)
        least = max(dilation * (field - 1) + 1 - 2 * padding, 1)
        height, width = (int(least + rng.integers(0, 60)) for _ in range(2))
        shape = measured(height, width, filters, field, stride, padding, dilation)
        right += shape == (filters, *(whole(side, field, stride, padding, dilation) for side in (height, width)))
        # What the slide has in mind: no padding, and strides that come out even.
        height, width = (int(field + stride * rng.integers(0, 30)) for _ in range(2))
        shape = measured(height, width, filters, field, stride, 0, 1)
        simple += 1
        simple_right += shape == (filters, of_the_slide(height, field, stride), of_the_slide(width, field, stride))
    return [
        Check(f"sizes of {CASES} random convolutions that the whole formula gives", right, CASES, beyond=True),
        Check(f"of {simple} without padding, dilation or remainder that the slide's gives", simple_right, simple),
        Check("columns for W = 32, F = 5, S = 1", measured(32, 32, 6, 5, 1, 0, 1)[2], of_the_slide(32, 5, 1)),
        Check("columns for W = 7, F = 2, S = 2: rounded down", measured(7, 7, 1, 2, 2, 0, 1)[2], 3, lecture="3.5", beyond=True),
        Check(
            "columns of AlexNet's first layer: W = 224, F = 11, S = 4, P = 2",
            measured(224, 224, 96, 11, 4, 2, 1)[2],
            55,
            lecture="54.25",
            beyond=True,
        ),
    ]


RANGES = ((1, 8), (1, 5), (0, 4), (1, 4), (1, 9))
"""From (included) and to (excluded) of F, S, P, D and K."""

study = Exact(
    claim="B08",
    says="Output volume: [W₂, H₂, D₂]; W₂ = (W₁ − F)/S + 1, H₂ = (H₁ − F)/S + 1, D₂ = K",
    slide="Convolution Layer",
    paper="No paper.",
    checks=checks,
    erratum="The slide's formula leaves out padding and rounding down, and so is not a whole number for most real layers.",
    amendments=(
        Amendment("2026-11-26", "padding, dilation and rounding down are beyond the lecture, and no part of its formula"),
    ),
)
