"""Images of a batch mixed with each other: mixup and CutMix, as torchvision has them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.transforms import v2

from datamodules.scene import InputError


def mixes_of(mixup: float, cutmix: float, classes: int) -> list[v2.Transform]:
    """The ways to mix a batch, of which each batch takes one at random.

    Args:
        mixup: alpha of ``torchvision.transforms.v2.MixUp`` (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization");
            0 leaves it out.
        cutmix: alpha of ``torchvision.transforms.v2.CutMix`` (Yun et al. 2019); 0 leaves it out.
        classes: C.

    Raises:
        InputError: one of them is below 0.
    """
    for name, alpha in {"mixup": mixup, "cutmix": cutmix}.items():
        if alpha < 0:
            raise InputError(f"model.{name} is {alpha}: 0, or the alpha of a beta distribution, such as 0.2 or 1, expected")
    kinds = ((v2.MixUp, mixup), (v2.CutMix, cutmix))
    return [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha]


def mixed(images: Tensor, labels: Tensor, mixes: Sequence[v2.Transform]) -> tuple[Tensor, Tensor]:
    """Each image with part of its neighbour in the batch, and the parts of the classes, float (B, C).

    It is drawn from torch's own generator, which a run of Lectern seeds at each step.

    Args:
        images: float (B, 3, H, W).
        labels: int64 (B,).
        mixes: of :func:`mixes_of`, one or more.
    """
    chosen = mixes[int(torch.randint(len(mixes), ()))] if len(mixes) > 1 else mixes[0]
    images, labels = chosen(images, labels)
    return images, labels
