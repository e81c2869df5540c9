"""Lecture 1: activations, and what becomes of a net that has them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import nn

from experiments.reports.moving.drawing import Drawing
from experiments.reports.moving.frame import Frame, frame

from .live import SEED, digits, error_of, perceptron, race, seeded_nets, shapes, share, trainee


def relu(effort: float = 1) -> Iterator[Frame]:
    """A17: one small ConvNet with three activations, at one learning rate."""
    data = shapes(share(600, max(effort, 0.1)))

    def net(activation: type[nn.Module]) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2), activation(), nn.Conv2d(16, 32, 3, 2, 1), activation(),
            nn.Conv2d(32, 32, 3, 2, 1), activation(), nn.Flatten(), nn.Linear(512, 6),
        )  # fmt: skip

    nets = seeded_nets({"ReLU": lambda: net(nn.ReLU), "tanh": lambda: net(nn.Tanh), "sigmoid": lambda: net(nn.Sigmoid)})
    optimizers = {name: torch.optim.SGD(n.parameters(), 0.02, momentum=0.9) for name, n in nets.items()}
    advances = {name: trainee(n, data["image"], data["label"], optimizers[name]) for name, n in nets.items()}
    yield from race(
        advances, error_of(nets, data["image"], data["label"]), turns=20, steps=15, effort=effort, limits=(0, 100),
        title="one small ConvNet, one learning rate, three activations", y_title="training error, %",
    )  # fmt: skip


def sigmoid_depth(effort: float = 1) -> Iterator[Frame]:
    """A14: sigmoid nets of one to six hidden layers, and a ReLU net of six."""
    images, labels, *_ = digits()
    nets = seeded_nets(
        {f"sigmoid, {d} hidden": partial(perceptron, d, nn.Sigmoid) for d in (1, 2, 4, 6)}
        | {"ReLU, 6 hidden": lambda: perceptron(6, nn.ReLU)}
    )
    advances = {
        n: trainee(net, images, labels, torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)) for n, net in nets.items()
    }
    yield from race(
        advances, error_of(nets, images, labels), turns=15, steps=60, effort=effort, limits=(0, 100),
        title="digits, fully connected nets of growing depth", y_title="training error, %",
    )  # fmt: skip


def dead_units(effort: float = 1) -> Iterator[Frame]:
    """A18: the share of units that no image excites, at growing learning rates."""
    images, labels, *_ = digits()
    rates = (0.1, 0.3, 1.0, 3.0)
    dead: dict[str, dict[str, float]] = {"ReLU": {}, "leaky ReLU": {}}
    for lr in rates:
        nets = seeded_nets({"ReLU": lambda: perceptron(2, nn.ReLU), "leaky ReLU": lambda: perceptron(2, nn.LeakyReLU)})
        for name, net in nets.items():
            trainee(net, images, labels, torch.optim.SGD(net.parameters(), lr, momentum=0.9))(share(300, effort))
            hidden, still = images, []
            with torch.inference_mode():
                for layer in net.children():
                    before, hidden = hidden, layer(hidden)
                    if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                        slope = (before > 0).float() if isinstance(layer, nn.ReLU) else torch.ones_like(before)
                        still.append((slope.sum(0) == 0).float().mean())
            dead[name][f"rate {lr:g}"] = 100 * float(torch.stack(still).mean())
            sheet = Drawing()
            for i, (kind, values) in enumerate(dead.items()):
                sheet.text(260 + 460 * i, 40, kind, weight="bold", size=26)
                sheet.bars(60 + 460 * i, 100, 400, values, most=100, unit="%")
            sheet.text(480, 370, "units whose gradient is zero for every image", size=22)
            yield frame(
                sheet, f"{name} at a learning rate of {lr:g}: {dead[name][f'rate {lr:g}']:.0f} % of the hidden units are dead."
            )


def feature_maps(effort: float = 1) -> Iterator[Frame]:
    """A02: first filters and maps of a small net, while it learns."""
    data = shapes(share(600, max(effort, 0.1)))
    nets = seeded_nets(
        {
            "net": lambda: nn.Sequential(
                nn.Conv2d(3, 12, 7, 2, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24),
                nn.ReLU(), nn.Conv2d(24, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 6),
            )
        }
    )  # fmt: skip
    net = nets["net"]
    advance = trainee(net, data["image"], data["label"], torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05))
    measured = error_of(nets, data["image"], data["label"])
    for turn in range(share(20, effort) + 1):
        if turn:
            advance(share(25, effort))
        error = measured("net", 0)
        net.eval()
        sheet = Drawing(480)
        sheet.image(data["image"][3].permute(1, 2, 0).numpy(), 30, 60, 170, 170)
        sheet.text(115, 30, "image", weight="bold")
        sheet.text(115, 290, f"{turn * share(25, effort)} steps\nerror {error:.0f} %", size=22)
        hidden = data["image"][3:4]
        sheet.text(330, 30, "first filters", weight="bold")
        for k, weight in enumerate(next(net.parameters()).detach()):
            pixels = (weight - weight.min()) / (weight.max() - weight.min())
            sheet.image(pixels.permute(1, 2, 0).numpy(), 230 + 70 * (k % 3), 56 + 70 * (k // 3), 64, 64)
        with torch.inference_mode():
            for layer, child in enumerate(net.children()):
                hidden = child(hidden)
                if layer in (2, 5, 8):
                    column = (2, 5, 8).index(layer)
                    sheet.text(540 + 165 * column, 30, f"maps, layer {column + 1}", weight="bold")
                    for k, values in enumerate(hidden[0, :10].numpy()):
                        shown = values / (float(values.max()) or 1)
                        sheet.image(np.asarray(shown), 470 + 165 * column + 72 * (k % 2), 56 + 72 * (k // 2), 66, 66)
        yield frame(sheet, f"After {turn * share(25, effort)} steps the training error is {error:.0f} %.")


def gradient_noise(effort: float = 1) -> Iterator[Frame]:
    """B15: gradients of mini-batches, and how far they lie from the gradient of all images."""
    images, labels, *_ = digits()
    net = seeded_nets({"net": lambda: perceptron(1, nn.ReLU)})["net"]
    weights = list(net.parameters())

    def gradient(chosen: torch.Tensor) -> torch.Tensor:
        loss = nn.functional.cross_entropy(net(images[chosen]), labels[chosen])
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])

    full = gradient(torch.arange(len(images)))
    rng = torch.Generator().manual_seed(SEED)
    points: dict[str, list[tuple[float, float]]] = {"measured": [], "as 1 / |S|": []}
    for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        drawn = [gradient(torch.randint(len(images), (size,), generator=rng)) for _ in range(share(60, effort))]
        variance = float(torch.stack([(g - full).square().sum() for g in drawn]).mean() / full.square().sum())
        points["measured"].append((float(size), variance))
        points["as 1 / |S|"].append((float(size), points["measured"][0][1] / size))
        sheet = Drawing(440)
        sheet.text(30, 24, "gradients of mini-batches against that of all 1,200 digits", anchor="start", weight="bold")
        sheet.curves(
            90, 76, 480, 280, points, limits=(1, 1000, 1e-3, 100), log_x=True, log_y=True, x_title="images in a batch, |S|",
            y_title="variance, relative to the gradient",
        )  # fmt: skip
        yield frame(sheet, f"A batch of {size}: variance {variance:.3g} of the gradient's squared length.")
