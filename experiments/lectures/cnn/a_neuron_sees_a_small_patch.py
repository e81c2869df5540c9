"""A neuron of a convolution has 75 weights, 5 × 5 × 3, where a fully connected one has 3,072: local in space, full in depth.

Deck “CNN, R-CNN”, slide “Convolution Layer”: “1. Local connectivity”.
"""

from __future__ import annotations

import torch
from torch import nn

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def checks() -> list[Check]:
    torch.manual_seed(0)
    full, conv = nn.Linear(32 * 32 * 3, 1), nn.Conv2d(3, 1, 5)
    image = torch.randn(1, 3, 32, 32, requires_grad=True)
    # The pixels that one output depends on are those at which its gradient is not zero.
    touched = torch.autograd.grad(conv(image)[0, 0, 10, 20], image)[0][0] != 0
    channels, rows, columns = (touched.nonzero()[:, i] for i in range(3))
    everywhere = torch.autograd.grad(full(image.flatten(1))[0, 0], image)[0] != 0
    return [
        Check("weights of a fully connected neuron on 32 × 32 × 3", full.weight.numel(), 3072),
        Check("weights of a neuron of a 5 × 5 convolution", conv.weight.numel(), 75),
        Check("pixels and channels that a fully connected output depends on", int(everywhere.sum()), 3072),
        Check("and an output of the convolution", int(touched.sum()), 75),
        Check("rows, of the output at (10, 20)", f"{int(rows.min())} to {int(rows.max())}", "10 to 14"),
        Check("columns", f"{int(columns.min())} to {int(columns.max())}", "20 to 24"),
        Check("channels", len(channels.unique()), 3),
    ]


study = Exact(
    claim="B09",
    says="before: fully connected: 32x32x3 weights; now: one neuron will connect to, e.g., 5x5x3 chunk (receptive field) "
    "and only "
    "have 5x5x3 weights; connectivity is: local in space (5x5 instead of 32x32) but full in depth (all 3 depth channels)",
    slide="Convolution Layer",
    paper="No paper; 32 · 32 · 3 = 3,072 and 5 · 5 · 3 = 75.",
    checks=checks,
)
