"""LeNet-5: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition"."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightning_modules.networks.activations import ScaledTanh
from lightning_modules.networks.initialization import Initialization, LeCun

CONNECTIONS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
"""The maps of S2 that each of the 16 maps of C3 sees (table I)."""


class SparseConvolution(nn.Module):
    """C3, 5 x 5 filters on chosen maps only: (B, 6, H, W) to (B, 16, H - 4, W - 4).

    Maps with the same number of inputs are one grouped convolution over the gathered inputs, so that every
    parameter is a connection that exists, and an initialization sees the true fan-in.
    """

    def __init__(self) -> None:
        super().__init__()
        groups = [list(maps) for _, maps in groupby(CONNECTIONS, key=len)]
        self.inputs = [[i for inputs in maps for i in inputs] for maps in groups]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(len(maps) * len(maps[0]), len(maps), 5, groups=len(maps)) for maps in groups
        )

    def forward(self, x: Tensor) -> Tensor:
        parts = zip(self.convolutions, self.inputs, strict=True)
        return torch.cat([convolution(x[:, inputs]) for convolution, inputs in parts], dim=1)


class Subsampling(nn.Module):
    """S2 and S4, the sum of each 2 x 2 window times a coefficient plus a bias, both trained, one pair a map.

    The coefficient is drawn as the weights of the paper are, uniform in ±2.4/fan_in, and a unit has four inputs.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1).uniform_(-0.6, 0.6))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2, divisor_override=1) * self.coefficient + self.bias


class LeNet5(nn.Module):
    """LeNet-5: images (B, 3, H, W) of at most 32 x 32 pixels to logits (B, num_classes).

    Every layer below the output is the paper's (section II.B), 60,000 trainable parameters in all. Deviations:

    - the output is a linear layer for softmax and cross-entropy, in place of Euclidean RBF units with fixed codes;
    - the image is the mean of its three channels, its luminance as near as normalised channels tell;
    - smaller images (MNIST's 28 x 28) grow to 32 x 32 by their border pixels, which are the background, whatever
      value normalisation gave it;
    - weights have the variance 1/fan_in of the authors' "Efficient BackProp". The paper's ±2.4/fan_in fades the signal
      from layer to layer and leaves it to second-order learning rates to recover: an epoch of SGD with momentum on
      20,000 digits left the net at chance with rates of 0.01 and 0.03 (at 0.1 it got away).

    ``activation=nn.ReLU, pooling=nn.MaxPool2d, initialization=Kaiming()`` is the modern form: ``pooling`` (kernel,
    stride) replaces the trainable subsampling and the squashing that follows it.

    Raises:
        ValueError: an image has more than 32 x 32 pixels.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        activation: Callable[[], nn.Module] = ScaledTanh,
        pooling: Callable[[int, int], nn.Module] | None = None,
        initialization: Initialization = LeCun(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__()

        def subsample(channels: int) -> nn.Module:
            return pooling(2, 2) if pooling else nn.Sequential(Subsampling(channels), activation())

        self.layers = nn.Sequential(
            OrderedDict(
                c1=nn.Sequential(nn.Conv2d(1, 6, 5), activation()),
                s2=subsample(6),
                c3=nn.Sequential(SparseConvolution(), activation()),
                s4=subsample(16),
                c5=nn.Sequential(nn.Conv2d(16, 120, 5), activation(), nn.Flatten()),
                f6=nn.Sequential(nn.Linear(120, 84), activation()),
                output=nn.Linear(84, num_classes),
            )
        )
        initialization(self)

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if height > 32 or width > 32:
            raise ValueError(f"LeNet5 sees at most 32 x 32 pixels, got images of {height} x {width} (H x W)")
        left, top = (32 - width) // 2, (32 - height) // 2
        border = (left, 32 - width - left, top, 32 - height - top)
        logits: Tensor = self.layers(F.pad(images.mean(dim=1, keepdim=True), border, mode="replicate"))
        return logits
