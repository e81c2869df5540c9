"""A fully connected layer is a convolution whose kernel is as large as its input, and softmax makes its scores sum to 1.

Deck “CNN, R-CNN”, slide “Fully Connected Layer”; Long et al. 2015, section 3, builds fully convolutional networks on it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check
from lightning_modules.networks.fcn import convolutional


def checks() -> list[Check]:
    torch.manual_seed(0)
    linear = nn.Linear(8 * 5 * 5, 10, dtype=torch.float64)
    features = torch.randn(4, 8, 5, 5, dtype=torch.float64)
    with torch.no_grad():
        scores = linear(features.flatten(1))
        by_conv = F.conv2d(features, linear.weight.view(10, 8, 5, 5), linear.bias)
        wide = convolutional(linear, 5)(F.pad(features, (3, 3, 3, 3)))
        p = F.softmax(scores, 1)
    order = bool((p.argsort(1) == scores.argsort(1)).all())
    return [
        Check("vectorise and multiply less a 5 × 5 convolution", float((scores - by_conv.flatten(1)).abs().max()), 0.0, 1e-12),
        Check("size of that convolution's output", str(tuple(by_conv.shape[2:])), "(1, 1)"),
        Check(
            "the same layer slid over a larger map, at its middle",
            float((wide[:, :, 5, 5] - scores).abs().max()),
            0.0,
            1e-12,
            beyond=True,
        ),
        Check("softmax sums to 1: greatest error", float((p.sum(1) - 1).abs().max()), 0.0, 1e-12),
        Check.yes_or_no("softmax keeps the order of the scores", order, "yes"),
    ]


study = Exact(
    claim="B20",
    says="'Fully Connected' : 'Vectorization' → 입력으로 받은 데이터를 1열로 쭉 나열. "
    "보통 Fully Connected layer 이후에 Softmax를 activation으로 사용: "
    "입력 데이터가 각 클래스에 속할 확률 계산",
    translation="Fully connected: vectorization lines up the input data in one row. Softmax is usually the activation after "
    "the fully connected layer: it computes the probability that the input belongs to each class.",
    slide="Fully Connected Layer",
    paper="Long et al. 2015, section 3.",
    checks=checks,
    amendments=(Amendment("2026-11-26", "that the layer slides over a larger map (Long et al.) is beyond the lecture"),),
    deviations=("whether these numbers are frequencies (calibration) is a matter of training and not of this identity",),
)
