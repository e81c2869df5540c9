"""A fully connected layer on a 200 × 200 image has 1.6 billion weights.

Deck “CNN, R-CNN”, slide “Idea background for CNN”: 200 × 200 pixels, 40,000 hidden units, “~2B parameters!!!”.
"""

from __future__ import annotations

from torch import nn

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check


def checks() -> list[Check]:
    # On the meta device a layer has shapes and no memory: the real one would take 6.4 GB.
    layer = nn.Linear(200 * 200, 40_000, device="meta")
    count = sum(parameter.numel() for parameter in layer.parameters())
    return [
        Check("weights of the layer", layer.weight.numel(), 1_600_000_000, lecture="~2B parameters", wrong=True),
        Check("weights and biases", count, 1_600_040_000, lecture="~2B parameters", wrong=True),
        Check(
            "memory of the weights in float32, GB",
            layer.weight.numel() * layer.weight.element_size() / 1e9,
            6.4,
            1e-12,
            beyond=True,
        ),
    ]


study = Exact(
    claim="B03",
    says="Example: 200x200 image, 40K hidden units → ~2B parameters!!!",
    slide="Idea background for CNN",
    paper="No paper; 200² · 40,000 = 1.6 · 10⁹ weights.",
    checks=checks,
    erratum="They are 1.6 billion, which the slide gives as “~2B”.",
    amendments=(Amendment("2026-11-26", "“~2B” is an erratum, and not a rounding in passing; memory is beyond the lecture"),),
)
