"""Image classification: one class an image, or any number of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

from datamodules.scene import Batch

from .base import Prediction, Task
from .means import Mean, full_precision
from .metrics.multilabel import MultiLabelAP, MultiLabelF1
from .prediction import unstacked
from .uploads import uploaded


class Classification(Task):
    """One class an image: softmax and cross-entropy (deck "CNN, R-CNN", slide "Loss functions").

    The network gives logits (B, C). Metrics: ``accuracy`` (top 1), ``accuracy_top5`` where there are more than five
    classes, and ``error`` = 1 - accuracy, as the papers print it.

    Args:
        label_smoothing: the part of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7).
        kwargs: see :class:`Task`.
    """

    needs = frozenset({"label"})
    monitor = "val/accuracy"

    def __init__(self, *, network: Callable[[int], nn.Module], label_smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(network=network, **kwargs)
        self.label_smoothing = label_smoothing

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        smoothing, logits = self.label_smoothing, full_precision(outputs)
        errors = F.cross_entropy(logits, batch["label"], reduction="none", label_smoothing=smoothing)
        return {"cross_entropy": Mean.of(errors)}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: Tensor) -> dict[str, Tensor]:
        scores = outputs.float().softmax(dim=1)
        return {"label": scores.argmax(dim=1), "scores": scores}

    def metrics(self) -> MetricCollection:
        classes = len(self.metadata.classes)
        collection: dict[str, Any] = {
            "accuracy": MulticlassAccuracy(classes, average="micro", validate_args=False),
            "error": Error(classes, average="micro", validate_args=False),
        }
        if classes > 5:
            collection["accuracy_top5"] = MulticlassAccuracy(classes, average="micro", top_k=5, validate_args=False)
        return MetricCollection(collection, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return {"preds": torch.stack([p["scores"] for p in predictions]), "target": batch["label"]}


class Error(MulticlassAccuracy):  # type: ignore[misc]
    """1 - accuracy."""

    def compute(self) -> Tensor:
        return 1 - cast(Tensor, super().compute())


class MultiLabelClassification(Task):
    """Which classes an image shows, any number of them: one sigmoid and binary cross-entropy a class.

    The truth is the set of classes of a scene's objects; of objects marked ``difficult`` a class neither counts as shown
    nor as absent where nothing else shows it, as in PASCAL VOC's classification task. The network gives logits (B, C).
    Metrics: ``map`` (mean over classes of the area under precision and recall), ``f1`` at a probability of 0.5; classes that
    no judged image shows are left out of both.
    """

    needs = frozenset({"labels"})
    uses = frozenset({"difficult"})
    on_host = Task.on_host | {"labels"}
    monitor = "val/map"

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        target, logits = self.targets(batch), full_precision(outputs)
        known = target >= 0
        losses = F.binary_cross_entropy_with_logits(logits, target.clamp(min=0).to(logits.dtype), reduction="none")
        return {"binary_cross_entropy": Mean((losses * known).sum(), known.sum())}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        scores = outputs.float().sigmoid()
        shown = (scores > 0.5).cpu()  # one wait for a GPU, and not one an image
        labels = [uploaded(row.nonzero().flatten(), scores.device) for row in shown]
        return [{"scores": p, "labels": own} for p, own in zip(scores, labels, strict=True)]

    def metrics(self) -> MetricCollection:
        classes = len(self.metadata.classes)
        collection: dict[str, Any] = {
            "map": MultiLabelAP(),
            "f1": MultiLabelF1(classes),
        }
        return MetricCollection(collection, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        scores = torch.stack([p["scores"] for p in predictions])
        return {"preds": scores, "target": self.targets(batch), "index": batch["index"]}

    def targets(self, batch: Batch) -> Tensor:
        """int64 (B, C): 1 shown, 0 absent, -1 not to be judged."""
        target = torch.zeros(len(batch["labels"]), self.outputs(), dtype=torch.long)
        for row, labels in enumerate(batch["labels"]):
            if "difficult" in batch:
                target[row, labels[batch["difficult"][row]]] = -1
                labels = labels[~batch["difficult"][row]]
            target[row, labels] = 1
        return uploaded(target, self.device)
