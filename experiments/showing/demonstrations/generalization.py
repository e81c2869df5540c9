"""Lecture 1: what narrows the distance between training and test, where images are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from experiments.reports.moving.drawing import Drawing
from experiments.reports.moving.frame import Frame

from .live import digits, error_of, perceptron, race, seeded_nets, trainee

FEW = 150
"""Digits to train on: few enough that a net learns them by heart."""


def _pair(
    nets: dict[str, nn.Module],
    effort: float,
    title: str,
    *,
    decay: float = 0.0,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    weights: bool = False,
) -> Iterator[Frame]:
    """The test error of a plain net and of another, trained on few digits; what is given is the second one's."""
    images, labels, test_images, test_labels = digits()
    few, few_labels = images[:FEW], labels[:FEW]
    second = list(nets)[-1]
    advances = {}
    for name, net in nets.items():
        own = name == second
        optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=decay if own else 0.0)
        advances[name] = trainee(net, few, few_labels, optimizer, augment=augment if own else None, batch=25)
    trained = error_of(nets, few, few_labels)

    def beside(sheet: Drawing, name: str) -> None:
        for i, (key, net) in enumerate(nets.items()):
            wrong = trained(key, 0)
            sheet.text(770, 210 + 90 * i, f"{key}:\ntraining error {wrong:.0f} %", size=18)
            if weights:
                size = torch.cat([p.detach().flatten() for p in net.parameters()]).norm()
                sheet.text(770, 254 + 90 * i, f"‖w‖ = {float(size):.1f}", size=18)

    yield from race(
        advances, error_of(nets, test_images, test_labels), turns=18, steps=40, effort=effort, limits=(0, 60), title=title,
        y_title="test error, %", beside=beside,
    )  # fmt: skip


def weight_decay(effort: float = 1) -> Iterator[Frame]:
    """C03."""
    nets = seeded_nets(dict.fromkeys(("no decay", "decay 0.01"), lambda: perceptron(2, nn.ReLU, 256)))
    return _pair(nets, effort, f"{FEW} digits, a wide net, with and without weight decay", decay=0.01, weights=True)


def dropout(effort: float = 1) -> Iterator[Frame]:
    """C02: a half of the hidden units is left out in each step."""

    def dropped() -> nn.Module:
        plain = list(perceptron(2, nn.ReLU, 256).children())
        return nn.Sequential(*plain[:3], nn.Dropout(0.5), *plain[3:5], nn.Dropout(0.5), plain[5])

    nets = seeded_nets({"no dropout": lambda: perceptron(2, nn.ReLU, 256), "dropout 0.5": dropped})
    return _pair(nets, effort, f"{FEW} digits, a wide net, with and without dropout")


def augmentation(effort: float = 1) -> Iterator[Frame]:
    """C01: digits are moved by up to a pixel, and noise is added."""

    def moved(images: Tensor, rng: torch.Generator) -> Tensor:
        shift = [int(v) for v in torch.randint(-1, 2, (2,), generator=rng)]
        return torch.roll(images, shift, (2, 3)) + 0.05 * torch.randn(images.shape, generator=rng)

    def net() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    nets = seeded_nets(dict.fromkeys(("as they are", "moved, with noise"), net))
    return _pair(nets, effort, f"{FEW} digits, a small ConvNet, with and without augmentation", augment=moved)
