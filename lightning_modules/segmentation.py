"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics import MetricCollection

from datamodules.scene import IGNORE, Batch

from .base import Prediction, Task
from .means import Mean, full_precision
from .metrics.segmentation import SegmentationScores
from .prediction import unstacked


class Segmentation(Task):
    """A class for every pixel, by cross-entropy averaged over the labelled pixels (CS231n 2017, lecture 11).

    The network gives logits (B, C, H, W) of the images' own size. Pixels of value 255 are neither trained on nor scored.
    """

    needs = frozenset({"mask"})
    monitor = "val/miou"

    def outputs(self) -> int:
        return len(self.metadata.mask_classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        target = batch["mask"].long()
        total = F.cross_entropy(full_precision(outputs), target, ignore_index=IGNORE, reduction="sum")
        return {"cross_entropy": Mean(total, (target != IGNORE).sum())}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: Tensor) -> dict[str, Tensor]:
        return {"mask": outputs.argmax(dim=1).to(torch.uint8)}

    def metrics(self) -> MetricCollection:
        return MetricCollection([SegmentationScores(self.metadata.mask_classes)], compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return {"preds": torch.stack([p["mask"] for p in predictions]), "target": batch["mask"]}
