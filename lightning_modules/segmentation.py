"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection

from datamodules.scene import IGNORE, Batch

from .base import Prediction, Task
from .class_errors import class_errors, class_weights_of
from .defaults import Metadata
from .means import Mean, full_precision
from .metrics.segmentation import SegmentationScores
from .prediction import unstacked


class Segmentation(Task):
    """A class for every pixel, by cross-entropy averaged over the labelled pixels (CS231n 2017, lecture 11).

    The network gives logits (B, C, H, W) of the images' own size. Pixels of value 255 are neither trained on nor scored.

    Args:
        class_weights: what an error on a pixel of a class counts, by the class's name, in training and in the losses of
            evaluation; 1 where nothing is said. The weighted sum is divided by the number of pixels, and not by the sum of
            their weights.
        label_smoothing: the part of the target that is spread evenly over all classes.
        focal_gamma: errors are multiplied by (1 - p)^gamma, p being the probability of the true class (Lin et al. 2017).
        kwargs: see :class:`Task`.

    Raises:
        InputError: there is no class of a name in ``class_weights``, or a weight is not above 0.
    """

    needs = frozenset({"mask"})
    monitor = "val/miou"
    default_network = "lightning_modules.networks.FCN"

    class_weights: Tensor | None

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        class_weights: dict[str, float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.label_smoothing, self.focal_gamma = label_smoothing, focal_gamma
        self.register_buffer("class_weights", class_weights_of(class_weights, self.metadata.mask_classes), persistent=False)

    def outputs(self) -> int:
        return len(self.metadata.mask_classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        target, logits = batch["mask"].long(), full_precision(outputs)
        weights, smoothing, gamma = self.class_weights, self.label_smoothing, self.focal_gamma
        if gamma:
            options: Any = {"weights": weights, "label_smoothing": smoothing, "focal_gamma": gamma}
            total = class_errors(logits, target, ignore=IGNORE, **options).sum()
        else:  # summed at once, which no error of a single pixel is kept for
            total = F.cross_entropy(logits, target, weights, ignore_index=IGNORE, reduction="sum", label_smoothing=smoothing)
        return {"cross_entropy": Mean(total, (target != IGNORE).sum())}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: Tensor) -> dict[str, Tensor]:
        return {"mask": outputs.argmax(dim=1).to(torch.uint8)}

    def metrics(self) -> MetricCollection:
        return MetricCollection([SegmentationScores(self.metadata.mask_classes)], compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return {"preds": torch.stack([p["mask"] for p in predictions]), "target": batch["mask"]}
