"""Stacks of convolutions of one width: what is deep or shallow by the number of its layers, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def _stage(inputs: int, width: int, depth: int, kernel_size: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for i in range(depth):
        layers += [nn.Conv2d(width if i else inputs, width, kernel_size, padding=kernel_size // 2), nn.ReLU()]
    return layers


class StackClassifier(nn.Sequential):
    """Stages of convolutions and a pooling each, then a linear layer: images (B, 3, H, W) to logits (B, num_classes).

    Args:
        num_classes: of the logits.
        width: channels of every convolution.
        stages: convolutions in each stage.
        kernel_size: of every convolution; odd.
        pooling: side and stride of the max pooling at each stage's end.
    """

    def __init__(
        self, num_classes: int, width: int = 16, stages: Sequence[int] = (2, 2), kernel_size: int = 3, pooling: int = 2
    ) -> None:
        layers: list[nn.Module] = []
        for i, depth in enumerate(stages):
            layers += [*_stage(width if i else 3, width, depth, kernel_size), nn.MaxPool2d(pooling)]
        super().__init__(*layers, nn.Flatten(), nn.LazyLinear(num_classes))


class StackFilter(nn.Sequential):
    """Hidden convolutions and one to the output, at the image's own size: images (B, 3, H, W) to (B, num_outputs, H, W).

    Args:
        num_outputs: channels of the output.
        width: channels of every hidden convolution.
        depth: hidden convolutions.
        kernel_size: of the hidden convolutions; odd. That of the output is 3.
    """

    def __init__(self, num_outputs: int, width: int = 16, depth: int = 4, kernel_size: int = 3) -> None:
        super().__init__(*_stage(3, width, depth, kernel_size), nn.Conv2d(width, num_outputs, 3, padding=1))
