"""Pooling that torch.nn lacks."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class MinPool2d(nn.MaxPool2d):
    """The least value of each window, ``-max(-x)``: (B, C, H, W) to (B, C, H', W').

    After a ReLU it is nearly all zeros: a window keeps its value only where no pixel of it was cut off.
    """

    def forward(self, x: Tensor) -> Tensor:
        return -cast(Tensor, super().forward(-x))
