"""A small encoder that learns from digits without labels: as an autoencoder, or by telling how they were turned."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.studies.study import TUNING_SEED

from ._few_digits import BATCH, CLASSES, SIDE, Digits, descend, digits, error, taken

AUTOENCODER, ROTATION, RANDOM = "autoencoder", "rotation pretext", "random"
STEPS, LABELLED_STEPS, FOLDS = 1000, 300, 3
LRS = (1e-3, 3e-3, 1e-2)
FEATURES, CODE = 32 * 4 * 4, 32
TUNED_ON, VALIDATION = 5000, 1000


def encoder() -> nn.Sequential:
    """Digits (B, 1, 14, 14) to features (B, 512)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten()),
    )


def head_of(pretext: str) -> nn.Module:
    """From features to the digit itself, through 32 numbers, or to logits of the four turns."""
    if pretext == ROTATION:
        return nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, 4))
    return nn.Sequential(nn.Linear(FEATURES, CODE), nn.Linear(CODE, 256), nn.ReLU(), nn.Linear(256, SIDE**2))


def pretext_loss(pretext: str, net: nn.Module, images: Tensor, rng: torch.Generator) -> Tensor:
    if pretext == AUTOENCODER:
        return F.mse_loss(net(images), images.flatten(1))
    turns = torch.arange(len(images)) % 4  # as many of each
    order = turns[torch.randperm(len(images), generator=rng)]
    turned = torch.stack([image.rot90(int(k), (1, 2)) for image, k in zip(images, order, strict=True)])
    return F.cross_entropy(net(turned), order)


def pretrained(pretext: str, unlabelled: Digits, lr: float, seed: int) -> nn.Sequential:
    """The encoder and its head, trained on the pretext."""
    torch.manual_seed(seed)
    net = nn.Sequential(encoder(), head_of(pretext))
    images = unlabelled.images
    descend(net, lambda rows, rng: pretext_loss(pretext, net, images[rows], rng), len(images), STEPS, lr, seed)
    return net


@cache
def chosen(pretext: str) -> float:
    """The learning rate of the least pretext loss on validation digits of the tuning seed; no label has a say in it."""
    train, validation = taken(digits(train=True), TUNING_SEED, TUNED_ON, VALIDATION)

    def score(lr: float) -> float:
        net, rng = pretrained(pretext, train, lr, TUNING_SEED), torch.Generator().manual_seed(0)
        with torch.no_grad():
            return float(torch.stack([pretext_loss(pretext, net, x, rng) for x in validation.images.split(BATCH)]).mean())

    return min(LRS, key=score)


def encoder_of(pretext: str, unlabelled: Digits, seed: int) -> nn.Module:
    """The encoder after the pretext; as it was drawn where there is none."""
    if pretext == RANDOM:
        torch.manual_seed(seed)
        return encoder().eval()
    return pretrained(pretext, unlabelled, chosen(pretext), seed)[0]


def shuffled(unlabelled: Digits) -> Digits:
    """The same digits with their pixels in another order, one for all."""
    order = torch.from_numpy(np.random.default_rng(0).permutation(SIDE**2))
    images = unlabelled.images.flatten(1)[:, order].view_as(unlabelled.images)
    return Digits(images, unlabelled.labels)


def fine_tuned(start: nn.Module, labelled: Digits, seed: int) -> nn.Module:
    """The encoder and a linear output, both trained on labelled digits; the learning rate by three-fold cross-validation."""

    def trained(on: Digits, lr: float) -> nn.Module:
        torch.manual_seed(seed)
        net = nn.Sequential(deepcopy(start), nn.Linear(FEATURES, CLASSES))
        loss = nn.CrossEntropyLoss()
        descend(net, lambda rows, rng: loss(net(on.images[rows]), on.labels[rows]), len(on.images), LABELLED_STEPS, lr, seed)
        return net

    fold = torch.arange(len(labelled.images)) % FOLDS

    def score(lr: float) -> float:
        held = [fold == k for k in range(FOLDS)]
        return sum(error(trained(_rows(labelled, ~out), lr), _rows(labelled, out)) for out in held)

    return trained(labelled, min(LRS, key=score))


def _rows(of_all: Digits, rows: Tensor) -> Digits:
    return Digits(of_all.images[rows], of_all.labels[rows])
