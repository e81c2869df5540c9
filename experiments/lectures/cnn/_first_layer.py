"""The first layer of a small net that is trained on photographs, and how much of its filters are Gabors."""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules import ImageFolder
from experiments.measures.gabor import gabor_fit
from experiments.studies.study import TUNING_SEED, Measured

from ._explained import Origin, accuracy, digest_of, draw_filters, net, normalised, scenes, shuffled, train

SIDE, CLASSES, STEPS = 32, 10, 250
WIDTHS, FILTER = (32, 32, 32), 7
LRS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""That are tried for each way of training; the one of the least training loss with the tuning seed is taken."""
R2 = "Gabor R²"


@cache
def photographs(root: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    data = ImageFolder(root, image_size=SIDE, workers=0, hold_out=0)  # nothing is chosen by validation
    batches = [scenes(data, split, 10**6, frozenset({"label"})) for split in ("train", "test")]
    (a, b), (c, d) = ((normalised(batch["image"], data), batch["label"]) for batch in batches)
    return a, b, c, d


def trained(weights: Origin, seed: int, lr: float, root: str) -> tuple[nn.Module, float, float, str]:
    """A net, its last training loss and its accuracy on the test images, and what stands for its images.

    The seed decides weights, order, labels, permutation, and which nine tenths of the training images are seen.
    """
    images, labels, test, truth = photographs(root)
    rng = torch.Generator().manual_seed(seed)
    kept = torch.randperm(len(images), generator=rng)[: len(images) * 9 // 10]
    images, labels = images[kept], labels[kept]
    if weights == "permuted pixels":
        order = torch.randperm(SIDE * SIDE, generator=rng)
        images, test = (part.flatten(2)[:, :, order].view_as(part) for part in (images, test))
    if weights == "random labels":
        labels = shuffled(labels, seed)
    torch.manual_seed(seed)
    network, loss = net(CLASSES, WIDTHS, FILTER), float("nan")
    if weights != "random":
        loss = train(network, images, labels, steps=STEPS, lr=lr, seed=seed)
    return network.eval(), loss, accuracy(network, test, truth), digest_of(images)


@cache
def best_lr(weights: Origin, root: str) -> float:
    return min(LRS, key=lambda lr: trained(weights, TUNING_SEED, lr, root)[1])


def first_layer(*, seed: int, folder: Path, weights: Origin, root: str) -> Measured:
    """The Gabor fits of a net's 32 first filters."""
    lr = LRS[0] if weights == "random" else best_lr(weights, root)
    network, loss, right, digest = trained(weights, seed, lr, root)
    draw_filters(network, folder)
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    fits = sorted(gabor_fit(filter_).r2 for filter_ in first.weight.detach().numpy())
    values = {
        R2: statistics.median(fits),
        "test/accuracy": right,
        "train/loss": loss,
        "lr": lr,
        "lr inside": float(lr in LRS[1:-1]),
    }
    return Measured(values, {"filters": list(enumerate(reversed(fits), 1))}, digest)
