"""One small net, and the same without one of its stages at as many parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from torch import Tensor, nn

from experiments.lectures._tried import INSIDE, TUNING, Tried
from experiments.measures.small_training import Standardize, error
from experiments.studies.study import Measured

from ._drawn import CLASSES, EASY, digest, drawn, trained, tuned

WHOLE, CONVOLUTION, NONLINEARITY, POOLING, CONNECTION = (
    *("all four", "no convolution", "no nonlinearity", "no pooling", "no full connection"),
)
WITHOUT = (CONVOLUTION, NONLINEARITY, POOLING, CONNECTION)
AVERAGED, LINEAR = "average pooling", "average pooling, no nonlinearity"
"""With a maximum the pooling is itself nonlinear; with an average a net without ReLUs is one linear map."""
WIDTHS = {CONVOLUTION: (74, 74, 74), CONNECTION: (24, 60, CLASSES)}
"""By what is taken out: 1 × 1 filters are many, so that they have as many weights as 16, 32 and 32 of 3 × 3."""
HIDDEN = 64
TEST_ERROR, PARAMETERS = "test error", "parameters"
ALIKE = 0.02
"""Relative difference of two numbers of parameters that counts as none."""


def net_of(kind: str, images: Tensor) -> nn.Module:
    """The net of this kind; the mean over the last map, before the full connection, is in all of them."""
    widths: Sequence[int] = WIDTHS.get(kind, (16, 32, 32))
    size = 1 if kind == CONVOLUTION else 3
    active = nn.Identity if kind in (NONLINEARITY, LINEAR) else nn.ReLU
    layers: list[nn.Module] = [Standardize(images)]
    for inputs, outputs in zip((3, *widths[:-1]), widths, strict=True):
        layers += [nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm2d(outputs)]
        last = kind == CONNECTION and outputs == CLASSES  # the logits themselves
        layers += [nn.Identity() if last else active()]
        if kind != POOLING:
            layers += [nn.AvgPool2d(2) if kind in (AVERAGED, LINEAR) else nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if kind != CONNECTION:
        layers += [nn.Linear(widths[-1], HIDDEN), active(), nn.Linear(HIDDEN, CLASSES)]
    return nn.Sequential(*layers)


@cache
def rate(kind: str) -> Tried:
    return tuned(partial(net_of, kind), seeds=TUNING[:1])


def measure(*, seed: int, folder: Path, kind: str) -> Measured:
    """Test error on 2,000 scenes, and the number of parameters."""
    lr, inside = rate(kind)
    net, test = trained(partial(net_of, kind), lr, seed), drawn(EASY, "test", 2000, seed)
    count = float(sum(parameter.numel() for parameter in net.parameters()))
    values = {TEST_ERROR: error(net, test["image"], test["label"]), PARAMETERS: count, INSIDE: inside, "lr": lr}
    return Measured(values, data=digest(test["image"]))
