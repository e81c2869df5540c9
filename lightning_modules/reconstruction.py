"""Reconstruction: an image from itself, through whatever the network has between."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import MetricCollection

from datamodules.scene import Batch

from .base import Prediction, Task
from .means import Mean, full_precision
from .metrics.psnr import PSNR
from .prediction import unstacked

CHANNELS = 3
"""Of an image: red, green, blue."""


class Reconstruction(Task):
    """An image from itself: what an autoencoder is trained for (Hinton & Salakhutdinov 2006). It needs no annotation.

    The network is called with the 3 channels of an image, and gives float (B, 3, H, W), normalised as its input is. The loss is
    the mean squared error of these values. A prediction is an ``image``, uint8 (3, H, W). Metric: ``psnr`` in dB, of all values
    of a split together.
    """

    needs = frozenset()
    monitor = "val/psnr"
    default_network = "lightning_modules.networks.UNet"

    def outputs(self) -> int:
        return CHANNELS

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        target = (batch["image"] - self.mean) / self.std
        return {"squared_error": Mean.of((full_precision(outputs) - target).square())}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: Tensor) -> dict[str, Tensor]:
        values = full_precision(outputs) * self.std + self.mean
        return {"image": values.round().clamp(0, 255).to(torch.uint8)}

    def metrics(self) -> MetricCollection:
        return MetricCollection({"psnr": PSNR()}, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return {"preds": torch.stack([p["image"] for p in predictions]), "target": batch["image"]}
