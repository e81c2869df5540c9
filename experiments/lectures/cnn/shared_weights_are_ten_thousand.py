"""With weights shared over the image, 100 filters of 10 × 10 are 10,000 weights: 160,000 times fewer than fully connected.

Deck “CNN, R-CNN”, slide “Idea background for CNN” (after M. Ranzato's slides); LeCun et al. 1998.
"""

from __future__ import annotations

import torch
from torch import nn

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def checks() -> list[Check]:
    filters = nn.Conv2d(1, 100, 10, device="meta").weight.numel()
    local = 200 * 200 * nn.Conv2d(1, 1, 10, device="meta").weight.numel()
    full = nn.Linear(200 * 200, 40_000, device="meta").weight.numel()
    layer = nn.Conv2d(1, 100, 10, device="meta")
    small, large = (layer(torch.empty(1, 1, side, side, device="meta")).shape[-1] for side in (50, 200))
    return [
        Check("weights of 100 filters of 10 × 10", filters, 10_000),
        Check("fully connected : convolution", full / filters, 160_000),
        Check("locally connected : convolution", local / filters, 400),
        Check("the same filters on 50 and on 200 pixels: outputs a row", f"{small} and {large}", "41 and 191"),
    ]


study = Exact(
    claim="B05",
    says="Connect each hidden unit to a small input patch and share the weight across space. This is called convolution layer "
    "(10K parameters: slide image, from Ranzato's slide)",
    slide="Idea background for CNN",
    paper="Ranzato's slide: 100 filters of 10 × 10, 10K parameters (from memory; the deck's figure is an image).",
    checks=checks,
)
