"""The net of the studies of activations and of regularisation: three convolutions and an output, on small scenes."""

from __future__ import annotations

from typing import Any

from datamodules import CIFAR10
from experiments.studies.lazy import L

RECIPE = "classification/cuda_convnet_shapes"
CHANCE = 5 / 6
"""Error of one guess among six classes."""
TRAINING_ERROR, TEST_ERROR = "trainset/error", "test/error"
DEVIATIONS = ("16, 16 and 32 filters in place of 32, 32 and 64", "drawn scenes of 16 × 16 pixels in place of CIFAR-10")
PHOTOGRAPHS = L(CIFAR10)(root="data", batch_size=128, workers=8)
MNIST_SOURCE = 'torchvision.datasets.MNIST("data/mnist", download=True)'
"""Where the digits are to be had."""
CUDA_CONVNET = {"data": PHOTOGRAPHS, "model.network.widths": [32, 32, 64]}
"""What the scale ``gpu`` changes in every variant: real photographs, and cuda-convnet's own widths."""


def units(activation: Any, initialization: Any) -> dict[str, Any]:
    """Changes: what the units compute, and how their weights are drawn."""
    return {"model.network.activation": activation, "model.network.initialization": initialization}
