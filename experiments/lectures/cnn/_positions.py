"""Nets that have seen objects in the middle of a window, shown them moved and turned."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.lectures._tried import INSIDE, TUNING, Tried, best_lr
from experiments.measures.small_training import Standardize, classifier, cross_entropy, error, seeded, train
from experiments.studies.study import Measured

from ._drawn import digest
from ._views import UPRIGHT, WINDOW, patches, views

CONVNET, TURNED, FULL = "ConvNet", "ConvNet, trained on turned objects", "fully connected"
STILL, MOVED, QUARTER, EXCHANGED = "accuracy", "accuracy at ±4 pixels", "accuracy at ±90°", "shift and net exchanged"
CLASSES, STEPS = len(UPRIGHT.classes), 400


def net_of(variant: str, images: Tensor) -> nn.Module:
    if variant != FULL:
        return classifier(images, CLASSES)
    layers = (nn.Flatten(), nn.Linear(3 * WINDOW**2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    return nn.Sequential(Standardize(images), *layers)


def fit(variant: str, lr: float, seed: int) -> nn.Module:
    """A net that has seen objects in the middle of the window: upright, or turned by any angle."""
    images, labels = patches("train", 2000, seed)

    upright = views(images)
    net = seeded(lambda: net_of(variant, upright), seed)
    shown, augment = (images, any_angle) if variant == TURNED else (upright, None)
    train(net, shown, cross_entropy(labels), steps=STEPS, lr=lr, seed=seed, augment=augment)
    return net


def any_angle(batch: Tensor, rng: torch.Generator) -> Tensor:
    return views(batch, 360 * torch.rand(len(batch), generator=rng))


@cache
def rate(variant: str) -> Tried:
    def score(lr: float, seed: int) -> float:
        images, labels = patches("val", 500, seed)
        return error(fit(variant, lr, seed), views(images), labels)

    return best_lr(score, 0.01 if variant == FULL else 0.1, TUNING[:1])


def equivariance(seed: int) -> float:
    """Greatest difference of the maps of a shifted image from the shifted maps: on a torus, for a shift by the net's stride."""

    def layer(inputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, 8, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.MaxPool2d(2)]

    net = seeded(lambda: nn.Sequential(*layer(3), *layer(8)).double(), seed)
    image = torch.randn(1, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return float((net(image.roll((4, 8), (2, 3))) - net(image).roll((1, 2), (2, 3))).abs().max())


def measure(*, seed: int, folder: Path, variant: str) -> Measured:
    """Accuracy on 1,000 test objects in the middle, moved by up to 6 pixels, and turned by up to 180 degrees."""
    lr, inside = rate(variant)
    net, (images, labels) = fit(variant, lr, seed), patches("test", 1000, seed)

    def right(*seen: Tensor) -> float:
        return 1 - sum(error(net, shown, labels) for shown in seen) / len(seen)

    def moved(by: int) -> float:
        return right(*(views(images, 0, x, y) for x, y in ((by, 0), (-by, 0), (0, by), (0, -by))))

    def turned(by: float) -> float:
        return right(views(images, by), views(images, -by))

    shifts = [(float(by), moved(by)) for by in range(0, 7, 2)]
    angles = [(float(by), turned(by)) for by in range(0, 181, 30)]
    values = {STILL: shifts[0][1], MOVED: shifts[2][1], QUARTER: angles[3][1], INSIDE: inside, "lr": lr}
    curves = {"accuracy by shift, pixels": shifts, "accuracy by angle, degrees": angles}
    return Measured(values | {EXCHANGED: equivariance(seed)}, curves, data=digest(images))
