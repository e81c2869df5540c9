"""Classifiers beside the main one, which bring a gradient to the middle of a deep network."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn


class WithAuxiliary(NamedTuple):
    """What a network with auxiliary heads gives in training; in evaluation it gives the logits alone."""

    logits: Tensor
    """(B, C), of the main classifier."""
    auxiliary: tuple[Tensor, ...]
    """(B, C) each, of the heads, the one nearest to the image first."""


class AuxiliaryHead(nn.Sequential):
    """A small classifier on a map inside a network (Szegedy et al. 2015, section 5): (B, C, H, W) to logits (B, num_classes).

    Average pooling to 4 x 4, a 1 x 1 convolution, a hidden layer, dropout, the output. The paper pools 5 x 5 windows at a
    stride of 3, which come to 4 x 4 from its 14 x 14 maps; here any map does.
    """

    def __init__(self, inputs: int, num_classes: int, *, channels: int = 128, hidden: int = 1024, dropout: float = 0.7) -> None:
        super().__init__(
            *(nn.AdaptiveAvgPool2d(4), nn.Conv2d(inputs, channels, 1), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(16 * channels, hidden), nn.ReLU(), nn.Dropout(dropout)),
            nn.Linear(hidden, num_classes),
        )
