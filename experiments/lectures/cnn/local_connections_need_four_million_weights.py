"""Connected to 10 × 10 pixels each, 40,000 hidden units have 4 million weights in place of 1.6 billion.

Deck “CNN, R-CNN”, slide “Idea background for CNN” (after M. Ranzato's slides).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

SIDE, FIELD = 200, 10


def locally_connected(image: Tensor, weight: Tensor) -> Tensor:
    """One output at each place, each with a filter of its own.

    Args:
        image: float (B, C, H, W).
        weight: float (places, C, k, k), the places row by row.

    Returns:
        float (B, H - k + 1, W - k + 1).
    """
    k = weight.shape[-1]
    patches = F.unfold(image, k)  # (B, C · k · k, places)
    return torch.einsum("bcp,pc->bp", patches, weight.flatten(1)).view(len(image), image.shape[2] - k + 1, -1)


def tied(image: Tensor, kernel: Tensor) -> Tensor:
    """The same with one filter (C, k, k) at all places."""
    places = (image.shape[2] - kernel.shape[1] + 1) * (image.shape[3] - kernel.shape[2] + 1)
    return locally_connected(image, kernel.expand(places, *kernel.shape))


def checks() -> list[Check]:
    weight = torch.empty(SIDE * SIDE, 1, FIELD, FIELD, device="meta")  # a unit for each of the 40,000 pixels
    full = torch.empty(SIDE * SIDE, SIDE * SIDE, device="meta")
    torch.manual_seed(0)
    image, kernel = torch.randn(2, 3, 14, 15, dtype=torch.float64), torch.randn(3, 4, 4, dtype=torch.float64)
    conv = F.conv2d(image, kernel[None])[:, 0]
    own = torch.randn(11 * 12, 3, 4, 4, dtype=torch.float64)
    apart = float((locally_connected(image, own) - conv).abs().max())
    return [
        Check("weights of 40,000 units with a field of 10 × 10", weight.numel(), 4_000_000),
        Check("fully connected : locally connected", full.numel() / weight.numel(), 400),
        Check(
            "with the weights tied it is a convolution: greatest difference",
            float((tied(image, kernel) - conv).abs().max()),
            0.0,
            1e-12,
        ),
        Check.yes_or_no("with weights of its own at each place it is one too", apart < 1e-6, "no"),
    ]


study = Exact(
    claim="B04",
    says="Connect each hidden unit to a small input patch (4M parameters: slide image, from Ranzato's slide)",
    slide="Idea background for CNN",
    paper="Ranzato's slide: 40K hidden units, fields of 10 × 10, 4M parameters (from memory; the deck's figure is an image).",
    checks=checks,
    deviations=(
        "a field at the border counts as a whole one, as on the slide; without padding there are 191² and not 200² places",
    ),
)
