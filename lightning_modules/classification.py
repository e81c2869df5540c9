"""Image classification: one class an image, or any number of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy
from torchvision.ops import sigmoid_focal_loss

from datamodules.scene import Batch

from .base import Prediction, Task
from .class_errors import class_errors, class_weights_of
from .defaults import Metadata
from .means import Mean, full_precision
from .metrics.multilabel import MultiLabelAP, MultiLabelF1
from .mixing import mixed, mixes_of
from .networks.torchvision_nets import TorchvisionNet
from .prediction import unstacked
from .uploads import uploaded


class Classification(Task):
    """One class an image: softmax and cross-entropy (deck "CNN, R-CNN", slide "Loss functions").

    The network gives logits (B, C). Metrics: ``accuracy`` (top 1), ``accuracy_top5`` where there are more than five
    classes, and ``error`` = 1 - accuracy, as the papers print it.

    Args:
        label_smoothing: the part of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7).
        class_weights: what an error on a class counts, by its name, in training and in the losses of evaluation; 1 where
            nothing is said. The weighted sum is divided by the number of images, and not by the sum of their weights.
        focal_gamma: errors are multiplied by (1 - p)^gamma, p being the probability of the true class (Lin et al. 2017).
        mixup: alpha of torchvision's ``MixUp``, which mixes the images of a training batch; 0 mixes none.
        cutmix: alpha of torchvision's ``CutMix``; where both are given each batch takes one of them.
        kwargs: see :class:`Task`.

    Raises:
        InputError: there is no class of a name in ``class_weights``, or a number is out of its range.
    """

    needs = frozenset({"label"})
    monitor = "val/accuracy"
    default_network = "lightning_modules.networks.TorchvisionNet"

    class_weights: Tensor | None

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        label_smoothing: float = 0.0,
        class_weights: dict[str, float] | None = None,
        focal_gamma: float = 0.0,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.label_smoothing, self.focal_gamma = label_smoothing, focal_gamma
        self.register_buffer("class_weights", class_weights_of(class_weights, self.metadata.classes), persistent=False)
        self.mixes = mixes_of(mixup, cutmix, self.outputs())

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        errors = class_errors(
            full_precision(outputs),
            batch["label"],
            weights=self.class_weights,
            label_smoothing=self.label_smoothing,
            focal_gamma=self.focal_gamma,
        )
        return {"cross_entropy": Mean.of(errors)}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if self.mixes:
            images, label = mixed(self.normalized(batch["image"]), batch["label"], self.mixes)
            batch = cast(Batch, {**batch, "label": label, "mixed": images})
        return super().training_step(batch, batch_idx)

    def respond(self, batch: Batch) -> Any:
        images = cast("dict[str, Any]", batch).get("mixed")
        return super().respond(batch) if images is None else self.network(images)

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

    torchvision's SqueezeNet ends in a ReLU, after which no probability is below 0.5: here it is left out.

    Args:
        class_weights: as :class:`Classification`'s: of the errors on a class, shown or absent.
        focal_gamma: errors are multiplied by (1 - p)^gamma, p being the probability of what is true of the class
            (``torchvision.ops.sigmoid_focal_loss``).
        kwargs: see :class:`Task`.
    """

    needs = frozenset({"labels"})
    uses = frozenset({"difficult"})
    on_host = Task.on_host | {"labels"}
    monitor = "val/map"
    default_network = "lightning_modules.networks.TorchvisionNet"

    class_weights: Tensor | None

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        class_weights: dict[str, float] | None = None,
        focal_gamma: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.focal_gamma = focal_gamma
        self.register_buffer("class_weights", class_weights_of(class_weights, self.metadata.classes), persistent=False)
        if isinstance(self.network, TorchvisionNet):
            self.network.leave_out_last_relu()

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        target, logits = self.targets(batch), full_precision(outputs)
        known, shown = target >= 0, target.clamp(min=0).to(logits.dtype)
        losses = F.binary_cross_entropy_with_logits(logits, shown, reduction="none")
        if self.focal_gamma:
            losses = sigmoid_focal_loss(logits, shown, alpha=-1, gamma=self.focal_gamma, reduction="none")
        if self.class_weights is not None:
            losses = losses * self.class_weights
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
