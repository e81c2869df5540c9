"""Small convnets that a measurement trains by itself, and the images that it trains them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datamodules import ImageFolder, Shapes
from datamodules.base import DataModule, PreparedScenes, Split
from datamodules.drawing import Style
from datamodules.loading import collate
from experiments.measures.small_training import minimise

CIFAR_SOURCE = "CIFAR-10 as an image folder: train/<class>/*.png and test/<class>/*.png"
"""Where the photographs are to be had."""
BATCH = 64
RATES = (0.0316, 0.1, 0.316)
"""Peak learning rates that are tried."""


class ImageSplit(NamedTuple):
    """Images of one size with a class each."""

    images: Tensor
    """uint8 (N, 3, H, W)."""
    labels: Tensor
    """int64 (N,)."""


class Splits(NamedTuple):
    """What a net is trained on, what is chosen by, and what is judged."""

    train: ImageSplit
    validation: ImageSplit
    test: ImageSplit


@lru_cache(maxsize=2)
def photographs(seed: int, train: int, validation: int, root: str) -> Splits:
    """CIFAR-10's, 32 × 32: of the training images a random part of ``train``, and ``validation`` others; all test images."""
    data = ImageFolder(root, image_size=32, workers=0, hold_out=0)  # what is held out is drawn below
    known, test = _all(data, "train"), _all(data, "test")
    order = torch.randperm(len(known.labels), generator=torch.Generator().manual_seed(seed))
    if len(order) < train + validation:
        raise ValueError(f"{root}: {len(order)} training images, {train + validation} expected")
    first, then = (
        ImageSplit(known.images[part], known.labels[part]) for part in (order[:train], order[train : train + validation])
    )
    return Splits(first, then, test)


@lru_cache(maxsize=2)
def drawn(seed: int, train: int, validation: int, test: int, style: Style) -> Splits:
    """Scenes of :class:`~datamodules.Shapes`, drawn anew for each seed, with the class of their main object."""
    sizes = {"train": train, "val": validation, "test": test}
    data = Shapes(style=style, image_size=style.image_size, data_seed=seed, workers=0, cache_mib=0, **sizes)
    return Splits(_all(data, "train"), _all(data, "val"), _all(data, "test"))


def _all(data: DataModule, split: Split) -> ImageSplit:
    data.require(frozenset({"label"}))
    scenes = PreparedScenes(data, split, augment=False)
    batch = collate([scenes[(0, i)] for i in range(len(scenes))])
    assert batch is not None
    return ImageSplit(batch["image"], batch["label"])


def stage(inputs: int, outputs: int, kernel: int = 3, pool: int = 2) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU, and max pooling where ``pool`` is more than 1; (H, W) to (H, W) / ``pool``."""
    layers = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.MaxPool2d(pool)] if pool > 1 else []))


class PlainNet(nn.Module):
    """Stages of convolution, and one linear layer on all of the last map: images (B, 3, H, W) to logits (B, classes).

    ``stages`` are given as (outputs, kernel, pool).
    """

    def __init__(self, classes: int, stages: Sequence[tuple[int, int, int]], size: int) -> None:
        super().__init__()
        widths = [3, *(outputs for outputs, _, _ in stages)]
        made = [stage(i, o, kernel, pool) for (i, o), (_, kernel, pool) in zip(pairwise(widths), stages, strict=True)]
        self.features = nn.Sequential(*made)
        for _, _, pool in stages:
            size //= pool
        self.classes = nn.Linear(widths[-1] * size * size, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classes(self.features(images).flatten(1))
        return logits


def normalised(images: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) to float32 of about −2 to 2, in the memory format in which convolutions are faster."""
    return ((images.float() - 128) / 64).contiguous(memory_format=torch.channels_last)


def train(net: nn.Module, data: ImageSplit, steps: int, lr: float, seed: int) -> None:
    """SGD with momentum 0.9 and weight decay 5e-4, cross-entropy, batches of 64; the rate rises to ``lr`` and falls again.

    Every epoch has an order of its own, which ``seed`` decides; nothing is augmented. The net is then in evaluation mode.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.2)
    batches = _batches(len(data.labels), seed)

    def loss() -> Tensor:
        chosen = next(batches)
        return F.cross_entropy(net(normalised(data.images[chosen])), data.labels[chosen])

    net.train()
    minimise(loss, optimizer, schedule, steps)
    net.eval()


def _batches(count: int, seed: int) -> Iterator[Tensor]:
    rng = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(count, generator=rng)[: count // BATCH * BATCH].split(BATCH)


def tuned_rate(make: Callable[[], nn.Module], data: Splits, steps: int, seed: int) -> float:
    """Of :data:`RATES` the one after which the net has the fewest validation errors, the least where several have."""
    errors = {}
    for lr in RATES:
        torch.manual_seed(seed)
        net = make()
        train(net, data.train, steps, lr, seed)
        errors[lr] = error(net, data.validation)
    return min(RATES, key=lambda lr: errors[lr])


def settle(net: nn.Module, images: Tensor) -> None:
    """Gives the batch normalisation of a net that is not trained the statistics of these images; then in evaluation mode."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over batches
    net.train()
    answers(net, images)
    net.eval()


def answers(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What a net, or a part of one, makes of images (N, 3, H, W): batch by batch, without gradients."""
    with torch.no_grad():
        return torch.cat([function(normalised(part)) for part in images.split(256)])


def error(net: nn.Module, data: ImageSplit) -> float:
    """The share of images whose class is not the net's first guess."""
    return float((answers(net, data.images).argmax(1) != data.labels).float().mean())
