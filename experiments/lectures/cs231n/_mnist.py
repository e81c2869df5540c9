"""Digits of MNIST at 14 × 14 pixels: what is easy enough for seeds to differ by less than half a point."""

from __future__ import annotations

from typing import Any

from datamodules import MNIST
from experiments.lectures._length import steps
from experiments.studies.lazy import L
from lightning_modules.networks import MapsNet, SharedConnection

SOURCE = 'torchvision.datasets.MNIST("data/mnist", download=True)'
SIZE = (14, 14)


def digits(count: int) -> dict[str, Any]:
    """Changes: a net of two strided convolutions learns 4,000 digits, other ones for each seed, in so many steps of 50."""
    return {
        "data": L(MNIST)(root="data/mnist", image_size=14, batch_size=50, train_samples=4000),
        "model.network": L(MapsNet)(image_size=SIZE, connection=SharedConnection),
        **steps(count),
    }
