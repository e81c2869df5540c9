"""Lecture 1: ways down a loss, and how deep a net may be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from experiments.reports.moving.drawing import BLUE, GREY, RED, Drawing
from experiments.reports.moving.frame import Frame, frame

from .live import digits, perceptron, race, seeded_nets, shapes, share, trainee


def momentum(effort: float = 1) -> Iterator[Frame]:
    """B16: steps down a long valley with and without momentum."""
    steep, flat = 1.0, 0.02
    start = (-9.0, 2.2)
    paths = {"κ = 0": (0.0, 1.8), "κ = 0.75": (0.75, 1.8)}
    turns, each = share(30, effort, 2), share(3, effort)
    spots = {name: [start] for name in paths}
    state = {name: (torch.tensor(start), torch.zeros(2)) for name in paths}
    for turn in range(1, turns + 1):
        for name, (kappa, lr) in paths.items():
            place, velocity = state[name]
            for _ in range(each):
                gradient = torch.tensor([flat, steep]) * place
                velocity = kappa * velocity + gradient
                place = place - lr * velocity
                spots[name].append((float(place[0]), float(place[1])))
            state[name] = place, velocity
        sheet = Drawing(480)
        for i, (name, path) in enumerate(spots.items()):
            top = 130 + 210 * i
            sheet.text(60, top - 96, name, anchor="start", weight="bold", size=24)
            for level in (0.2, 0.6, 1.2, 2.0):
                a, b = (2 * level / flat) ** 0.5, (2 * level / steep) ** 0.5
                ring = [(a * torch.cos(t), b * torch.sin(t)) for t in torch.linspace(0, 6.2832, 60)]
                sheet.line(*((480 + 30 * float(x), top + 40 * float(y)) for x, y in ring), colour=GREY, width=1, opacity=0.6)
            sheet.line(*((480 + 30 * x, top + 40 * y) for x, y in path), colour=(BLUE, RED)[i], width=2.5)
            x, y = path[-1]
            sheet.circle(480 + 30 * x, top + 40 * y, 7, fill=(BLUE, RED)[i], strength=1, edge="currentColor")
            loss = 0.5 * (flat * x**2 + steep * y**2)
            sheet.text(900, top - 96, f"loss {loss:.2g}", anchor="end", size=24)
        losses = [0.5 * (flat * path[-1][0] ** 2 + steep * path[-1][1] ** 2) for path in spots.values()]
        said = ", ".join(f"{n} has {v:.2g}" for n, v in zip(paths, losses, strict=True))
        yield frame(sheet, f"After {turn * each} steps in a valley fifty times longer than wide, the loss with {said}.")


def decay(effort: float = 1) -> Iterator[Frame]:
    """B17: a constant learning rate, one that falls in steps, and one along a cosine."""
    images, labels, *_ = digits()
    steps = share(20, effort, 2) * share(40, effort)
    falls = {
        "constant": lambda n: 1.0,
        "÷ 10, twice": lambda n: 0.1 ** int(3 * n / (steps + 1)),
        "half a cosine": lambda n: float(0.5 + 0.5 * torch.cos(torch.tensor(3.1416 * min(1.0, n / steps)))),
    }
    nets = seeded_nets(dict.fromkeys(falls, lambda: perceptron(2, nn.ReLU)))
    advances = {}
    for name, net in nets.items():
        optimizer = torch.optim.SGD(net.parameters(), 0.5)
        advances[name] = trainee(net, images, labels, optimizer, schedule=LambdaLR(optimizer, falls[name]), batch=16)
    yield from race(
        advances, lambda name, loss: loss, turns=20, steps=40, effort=effort, limits=(1e-4, 3), log_y=True,
        title="digits, one net, one first learning rate, three schedules", y_title="training loss",
    )  # fmt: skip


def optimizers(effort: float = 1) -> Iterator[Frame]:
    """D15: one net, four optimizers."""
    data = shapes(share(600, max(effort, 0.1)))

    def net() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 6),
        )  # fmt: skip

    nets = seeded_nets(dict.fromkeys(("SGD", "momentum 0.9", "RMSprop", "Adam"), net))
    made = {
        "SGD": torch.optim.SGD(nets["SGD"].parameters(), 0.1),
        "momentum 0.9": torch.optim.SGD(nets["momentum 0.9"].parameters(), 0.02, momentum=0.9),
        "RMSprop": torch.optim.RMSprop(nets["RMSprop"].parameters(), 1e-3),
        "Adam": torch.optim.Adam(nets["Adam"].parameters(), 2e-3),
    }
    advances = {name: trainee(n, data["image"], data["label"], made[name]) for name, n in nets.items()}
    yield from race(
        advances, lambda name, loss: loss, turns=18, steps=15, effort=effort, limits=(0, 2),
        title="drawn shapes, one small ConvNet, four optimizers", y_title="training loss",
    )  # fmt: skip


def degradation(effort: float = 1) -> Iterator[Frame]:
    """D09: plain nets of 8 and 44 layers, and a residual one of 44."""
    from lightning_modules.networks import CifarNet

    data = shapes(share(300, max(effort, 0.1)), 16, object_size=(0.5, 0.9))
    sizes = {"plain, 8 layers": (8, False), "plain, 44 layers": (44, False), "residual, 44 layers": (44, True)}
    nets = seeded_nets({name: partial(CifarNet, 6, depth=d, residual=r, width=8) for name, (d, r) in sizes.items()})
    advances = {
        name: trainee(n, data["image"], data["label"], torch.optim.SGD(n.parameters(), 0.05, momentum=0.9), batch=50)
        for name, n in nets.items()
    }
    yield from race(
        advances, lambda name, loss: loss, turns=16, steps=16, effort=effort, limits=(0, 2),
        title="drawn shapes of 16 × 16, nets of He et al., narrow", y_title="training loss",
    )  # fmt: skip
