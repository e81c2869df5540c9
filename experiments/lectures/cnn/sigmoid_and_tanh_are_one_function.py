"""Sigmoid lies between 0 and 1 and is never steeper than ¼; tanh is the same curve, centred and stretched: 2σ(2x) − 1.

Deck “CNN, R-CNN”, slides “Nonlinearity – Activation function” and “Sigmoid function”.
"""

from __future__ import annotations

import torch

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def checks() -> list[Check]:
    x = torch.linspace(-30, 30, 600_001, dtype=torch.float64, requires_grad=True)
    sigmoid, tanh = torch.sigmoid(x), torch.tanh(x)
    slope = torch.autograd.grad(sigmoid.sum(), x)[0]
    x, sigmoid, tanh = x.detach(), sigmoid.detach(), tanh.detach()
    inside = bool(((sigmoid > 0) & (sigmoid < 1)).all())
    at_most = bool((slope <= 0.25).all())
    return [
        Check.yes_or_no("σ lies strictly between 0 and 1 for |x| ≤ 30", inside, "yes"),
        Check("greatest |σ(x) − 1/(1 + e⁻ˣ)|", float((sigmoid - 1 / (1 + torch.exp(-x))).abs().max()), 0.0, 1e-15),
        Check("greatest |tanh x − (2σ(2x) − 1)|", float((tanh - (2 * torch.sigmoid(2 * x) - 1)).abs().max()), 0.0, 1e-15),
        Check("greatest |σ(x) + σ(−x) − 1|", float((sigmoid + torch.sigmoid(-x) - 1).abs().max()), 0.0, 1e-15),
        Check("greatest |σ′ − σ(1 − σ)|", float((slope - sigmoid * (1 - sigmoid)).abs().max()), 0.0, 1e-15),
        Check.yes_or_no("σ′ exceeds ¼ nowhere", at_most, "yes"),
        Check("σ′(0)", float(slope[len(x) // 2]), 0.25, 1e-15),
        Check("mean of tanh over a symmetric range (zero-centred)", float(tanh.mean()), 0.0, 1e-12),
        Check("mean of σ over a symmetric range", float(sigmoid.mean()), 0.5, 1e-12),
    ]


study = Exact(
    claim="A12",
    says="sigmoid: σ(x) = 1/(1 + e⁻ˣ), tanh: tanh(x) = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ). Sigmoid: squashes numbers to range [0,1]; "
    "outputs are not zero-centered",
    slide="Nonlinearity – Activation function; Nonlinearity – Sigmoid function",
    paper="No paper.",
    checks=checks,
    erratum="The range is open: 0 and 1 are never reached, but by rounding.",
)
