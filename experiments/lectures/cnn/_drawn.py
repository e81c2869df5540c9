"""Drawn scenes as tensors, for measurements that train small nets themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from datamodules import Shapes
from datamodules.base import Split
from datamodules.drawing import Style
from experiments.lectures._tried import TUNING, Tried, best_lr
from experiments.measures.small_training import cross_entropy, error, seeded, train

SIDE = 24
"""Of the scenes, in pixels."""
EASY = Style(image_size=(SIDE, SIDE), objects=(1, 1), object_size=(0.4, 0.7), clutter=0.3, texture=0.3, thin=0.0)
"""One object of six classes, in a place of its own: a net learns it from a few hundred images, and not by heart."""
CLASSES = len(EASY.classes)
CHANCE = 1 - 1 / CLASSES
"""Error of one guess among its classes."""


def drawn(style: Style, split: Split, count: int, seed: int, *fields: str) -> dict[str, Tensor]:
    """The first scenes of a split that ``seed`` draws, of a style with one object a scene, each field stacked.

    Returns:
        ``image`` uint8 (N, 3, H, W), ``label`` int64 (N,), and the other ``fields`` with their N in front.
    """
    data = Shapes(image_size=style.image_size, style=style, data_seed=seed, cache_mib=0, workers=0)
    data.sizes[split] = count
    data.require(frozenset({"label", *fields}))
    scenes = data.scenes(split)
    found: list[dict[str, Any]] = [{**scenes[i]} for i in range(count)]
    return {field: torch.stack([scene[field] for scene in found]) for field in ("image", "label", *fields)}


def with_classes(style: Style, *classes: str) -> Style:
    """The style with other classes."""
    return replace(style, classes=classes)


def digest(*tensors: Tensor) -> str:
    """12 hexadecimal digits that stand for what a measurement saw."""
    return hashlib.sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)).hexdigest()[:12]


Make = Callable[[Tensor], nn.Module]
"""Builds a net for images like these."""


def trained(make: Make, lr: float, seed: int, *, count: int = 2000, steps: int = 400) -> nn.Module:
    """A net, drawn by ``seed``, after a training on so many easy scenes of that seed."""
    data = drawn(EASY, "train", count, seed)
    net = seeded(lambda: make(data["image"]), seed)
    train(net, data["image"], cross_entropy(data["label"]), steps=steps, lr=lr, seed=seed)
    return net


def tuned(make: Make, *, start: float = 0.1, count: int = 2000, steps: int = 400, seeds: Sequence[int] = TUNING) -> Tried:
    """The rate of the least error on 1,000 validation scenes, over tuning seeds."""

    def score(lr: float, seed: int) -> float:
        data = drawn(EASY, "val", 1000, seed)
        return error(trained(make, lr, seed, count=count, steps=steps), data["image"], data["label"])

    return best_lr(score, start, seeds)
