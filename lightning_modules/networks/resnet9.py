"""ResNet-9: a shallow, wide residual net that learns CIFAR-10 in seconds."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """A 3 x 3 convolution, batch normalisation with a shift alone, and CELU: (B, C, H, W) to (B, C', H, W).

    A scale behind each of the convolutions, whose own is free, teaches nothing: it stays 1. CELU is smooth where a ReLU has its
    kink, which a short training gains by.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        norm = nn.BatchNorm2d(outputs)
        norm.weight.requires_grad_(False)
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), norm, nn.CELU(0.075))


class Residual(nn.Sequential):
    """x + two convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__(ConvNorm(channels, channels), ConvNorm(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x)
        return x + y


class ResNet9(nn.Sequential):
    """The net of Page 2018, "How to train your ResNet" (DAWNBench), nine layers deep: (B, 3, H, W) to logits (B, num_classes).

    A convolution with ``width`` channels; three that double them, each with pooling, the first and the last with a residual
    block behind it; the greatest value of each channel; a linear output. With ``width`` 64 it has 6.6 million weights.
    His later tricks are here but for whitening (the first layer's filters from the data) and the mean of weights over steps.
    Memory is laid out channels last, in which a GPU's half precision is fast.

    Args:
        width: channels of the first convolution.
        scale: factor on the logits, which are confident too early otherwise.
    """

    def __init__(self, num_classes: int, *, width: int = 64, scale: float = 0.125) -> None:
        w = width
        super().__init__(
            ConvNorm(3, w),
            *(_pooled(w, 2 * w), Residual(2 * w)),
            _pooled(2 * w, 4 * w),
            *(_pooled(4 * w, 8 * w), Residual(8 * w)),
            *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8 * w, num_classes, bias=False)),
        )
        self.scale = scale
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = super().forward(images)
        return self.scale * logits


def _pooled(inputs: int, outputs: int) -> nn.Sequential:
    """A convolution and the greatest of each 2 x 2 of its values; what follows is then a quarter of the work."""
    convolution, norm, activation = ConvNorm(inputs, outputs)
    return nn.Sequential(convolution, nn.MaxPool2d(2), norm, activation)
