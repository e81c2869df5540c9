"""Activations that torch.nn lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ScaledTanh(nn.Module):
    """``amplitude * tanh(slope * x)``, elementwise.

    The defaults are LeNet-5's squashing function (LeCun et al. 1998, appendix A): f(1) = 1 and f(-1) = -1.
    ``ScaledTanh(0.5, 0.5)`` is the logistic sigmoid less one half: the sigmoid centred at zero.
    """

    def __init__(self, amplitude: float = 1.7159, slope: float = 2 / 3) -> None:
        super().__init__()
        self.amplitude = amplitude
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.tanh(self.slope * x)

    def extra_repr(self) -> str:
        return f"amplitude={self.amplitude:g}, slope={self.slope:g}"
