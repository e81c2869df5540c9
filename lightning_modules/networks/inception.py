"""Inception modules, and small networks of them: Szegedy et al. 2015, "Going deeper with convolutions"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lightning_modules.networks.auxiliary import AuxiliaryHead, WithAuxiliary
from lightning_modules.networks.initialization import Initialization, Kaiming


class ConvReLU(nn.Sequential):
    """A square convolution that keeps the grid (or divides it by ``stride``), and a ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2), nn.ReLU())


class Inception(nn.Module):
    """An inception module (figure 2b): (B, C, H, W) to (B, ``one`` + ``three[1]`` + ``five[1]`` + ``pooled``, H, W).

    Four branches beside one another, whose maps are concatenated: a 1 x 1 convolution; a 3 x 3 and a 5 x 5 one, each
    behind a 1 x 1 convolution that reduces the channels; and a 3 x 3 max pooling with a 1 x 1 convolution behind it.

    Args:
        inputs: C.
        one: maps of the 1 x 1 branch.
        three: maps of the reduction, and of the 3 x 3 convolution behind it.
        five: the same of the 5 x 5 branch.
        pooled: maps of the pooling branch.
    """

    def __init__(self, inputs: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            (
                ConvReLU(inputs, one, 1),
                nn.Sequential(ConvReLU(inputs, three[0], 1), ConvReLU(*three, 3)),
                nn.Sequential(ConvReLU(inputs, five[0], 1), ConvReLU(*five, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, padding=1), ConvReLU(inputs, pooled, 1)),
            )
        )
        self.channels = one + three[1] + five[1] + pooled

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class ScaledInception(Inception):
    """An inception module of ``outputs`` maps in the proportions of GoogLeNet's first, 3a (table 1).

    Of 256 maps 64 come from 1 x 1, 128 from 3 x 3 behind 96, 32 from 5 x 5 behind 16, 32 from the pooling.

    Raises:
        ValueError: ``outputs`` is no multiple of 16.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        if outputs % 16:
            raise ValueError(f"ScaledInception: {outputs} outputs; a multiple of 16 expected, as the branches have 16 parts")
        part = outputs // 16
        super().__init__(inputs, 4 * part, (6 * part, 8 * part), (part, 2 * part), 2 * part)


class InceptionNet(nn.Module):
    """A small network of inception modules, or of another block: images (B, 3, H, W) to logits (B, num_classes).

    A 3 x 3 convolution of ``stem`` channels; a block for each of ``widths``, with a 2 x 2 max pooling in front of it; global
    average pooling; a linear output. ``block`` (inputs, outputs) is called for each width: :class:`ConvReLU` makes the plain
    net of 3 x 3 convolutions beside it. With ``auxiliary``, an :class:`~lightning_modules.networks.auxiliary.AuxiliaryHead`
    stands behind the block in the middle, as wide as that block, and training mode gives
    :class:`~lightning_modules.networks.auxiliary.WithAuxiliary`: for the task
    :class:`~lightning_modules.AuxiliaryClassification`.

    Images of ``2 ** len(widths)`` pixels or more pass it.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        stem: int = 16,
        widths: Sequence[int] = (32, 64, 64),
        block: Callable[[int, int], nn.Module] = ScaledInception,
        auxiliary: bool = False,
        auxiliary_dropout: float = 0.7,
        initialization: Initialization = Kaiming(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__()
        self.stem = ConvReLU(3, stem)
        befores = (stem, *widths)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), block(before, width)) for before, width in zip(befores, widths, strict=False)
        )
        self.middle = (len(widths) - 1) // 2
        self.head = (
            AuxiliaryHead(
                widths[self.middle],
                num_classes,
                channels=widths[self.middle],
                hidden=4 * widths[self.middle],
                dropout=auxiliary_dropout,
            )
            if auxiliary
            else None
        )
        self.output = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(befores[-1], num_classes))
        initialization(self)

    def forward(self, images: Tensor) -> Tensor | WithAuxiliary:
        x, inside = self.stem(images), images
        for i, block in enumerate(self.blocks):
            x = block(x)
            inside = x if i == self.middle else inside
        logits: Tensor = self.output(x)
        return logits if self.head is None or not self.training else WithAuxiliary(logits, (self.head(inside),))
