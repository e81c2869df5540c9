"""Nets that differ in how their maps are pooled, and what pooling is, beside plain loops."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.lectures._tried import INSIDE, TUNING, Tried
from experiments.measures.small_training import Standardize, error, outputs, stage
from experiments.studies.study import Measured

from ._drawn import CLASSES, EASY, digest, drawn, trained, tuned

MAX, AVERAGE, MIN, FIRST, IDENTITIES = "max", "average", "min", "min, before the ReLU", "identities"
TEST_ERROR = "test error"
WIDTHS = (16, 32, 32)


class MinPool(nn.Module):
    """The minimum of each 2 × 2 window: (N, C, H, W) to (N, C, H / 2, W / 2)."""

    def forward(self, maps: Tensor) -> Tensor:
        return -F.max_pool2d(-maps, 2)


POOLS = {MAX: nn.MaxPool2d(2), AVERAGE: nn.AvgPool2d(2), MIN: MinPool(), FIRST: MinPool()}


def stages(pool: str) -> nn.Sequential:
    """Three stages of convolution, normalisation, ReLU and pooling; in the order that ``pool`` asks for."""
    made = [stage(i, o, pool=POOLS[pool]) for i, o in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True)]
    if pool == FIRST:
        made = [nn.Sequential(*(layers[i] for i in (0, 1, 3, 2))) for layers in made]
    return nn.Sequential(*made)


def net_with(pool: str, images: Tensor) -> nn.Module:
    return nn.Sequential(
        Standardize(images), stages(pool), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], CLASSES)
    )


@cache
def rate(pool: str) -> Tried:
    return tuned(partial(net_with, pool), seeds=TUNING[:1])


def measure(*, seed: int, folder: Path, pool: str) -> Measured:
    """Test error, the share of classes that a shift by one pixel changes, and the share of zeros in the first pooled map."""
    lr, inside = rate(pool)
    net, test = trained(partial(net_with, pool), lr, seed), drawn(EASY, "test", 2000, seed)
    images = test["image"]
    found, moved = (outputs(net, shown).argmax(1) for shown in (images, images.roll(1, dims=3)))
    with torch.inference_mode():
        pooled = net[1][0](net[0](images[:200]))  # type: ignore[index]
    values = {
        TEST_ERROR: error(net, images, test["label"]),
        "changed by a shift": float((found != moved).float().mean()),
        "zeros": float((pooled == 0).float().mean()),
        INSIDE: inside,
        "lr": lr,
    }
    return Measured(values, data=digest(images))


def identities(*, seed: int, folder: Path) -> Measured:
    """Greatest differences from plain loops over windows, and the pooled map's side."""
    maps = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    windows = [[maps[:, :, i : i + 2, j : j + 2].flatten(2) for j in range(0, 8, 2)] for i in range(0, 8, 2)]

    def looped(of_window: object) -> Tensor:
        return torch.stack([torch.stack([of_window(w) for w in row], -1) for row in windows], -2)  # type: ignore[operator]

    greatest, mean, least = looped(lambda w: w.amax(2)), looped(lambda w: w.mean(2)), looped(lambda w: w.amin(2))
    return Measured(
        {
            "max": float((POOLS[MAX](maps) - greatest).abs().max()),
            "average": float((POOLS[AVERAGE](maps) - mean).abs().max()),
            "min": float((POOLS[MIN](maps) - least).abs().max()),
            "side": float(POOLS[MAX](maps).shape[-1]),
        }
    )
