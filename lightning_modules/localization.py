"""Classification and localization: the class of an image's main object, and its box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection
from torchvision.ops import generalized_box_iou_loss

from datamodules.scene import Batch

from .base import Prediction, Task
from .defaults import Metadata
from .means import Mean, counted, full_precision
from .metrics.localization import LocalizationScores
from .networks.heads import ClassAndBoxOutputs
from .prediction import unstacked
from .uploads import numbers, uploaded


class GIoULoss(nn.Module):
    """1 - GIoU of paired boxes, averaged (Rezatofighi et al. 2019); coordinates in any one unit, (N, 4) xyxy.

    Corners in the wrong order are exchanged first: the head is linear, and may well begin with them.
    """

    def forward(self, boxes: Tensor, target: Tensor) -> Tensor:
        first, second = boxes.split(2, dim=1)
        ordered = torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=1)
        return generalized_box_iou_loss(ordered, target, reduction="mean")


class MainObjects(NamedTuple):
    """The largest object of each image that has one."""

    rows: Tensor
    """int64 (M,), the places of those images in the batch."""
    labels: Tensor
    """int64 (M,)."""
    boxes: Tensor
    """float32 (M, 4), xyxy in pixels."""


def main_objects(batch: Batch) -> MainObjects:
    """The largest object of each image, by area of its box; those marked ``difficult`` or ``crowd`` are passed over."""
    rows, labels, boxes = [], [], []
    for row, candidates in enumerate(batch["boxes"]):
        sides = candidates[:, 2:] - candidates[:, :2]
        area = sides.prod(dim=1)
        for field in ("difficult", "crowd"):
            if field in batch:
                area = area.masked_fill(batch[field][row], -1)  # type: ignore[literal-required]
        if len(area) and bool(area.max() > 0):
            best = int(area.argmax())
            rows.append(row)
            labels.append(batch["labels"][row][best])
            boxes.append(candidates[best])
    device = batch["image"].device
    if not rows:
        none = torch.zeros(0, dtype=torch.long, device=device)
        return MainObjects(none, none, torch.zeros(0, 4, device=device))
    found = (torch.tensor(rows), torch.stack(labels), torch.stack(boxes))
    return MainObjects(*(uploaded(values, device) for values in found))


class Localization(Task):
    """The class and the box of the largest object, from one backbone (CS231n 2017, lecture 11, "Classification +
    Localization").

    The loss is cross-entropy + ``box_weight`` times the box loss; the box is in parts of the image's sides, so that the
    weight means the same at any image size. An image without objects trains neither head and is not scored.

    Args:
        box_loss: the mean over paired boxes (M, 4), M > 0: ``torch.nn.MSELoss`` (the lecture's L2), ``torch.nn.L1Loss``,
            ``torch.nn.SmoothL1Loss`` or ``GIoULoss``.
        box_weight: between the two losses; the lecture says to choose it by a metric and not by the loss.
        kwargs: see :class:`Task`; the network gives :class:`ClassAndBoxOutputs`.
    """

    needs = frozenset({"boxes", "labels"})
    uses = frozenset({"difficult", "crowd"})
    on_host = Task.on_host | {"boxes", "labels"}
    monitor = "val/localization_error"
    mode = "min"
    default_network = "lightning_modules.networks.ClassAndBox"

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        box_loss: Callable[[], nn.Module] = nn.MSELoss,
        box_weight: float = 20.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.box_loss, self.box_weight = box_loss(), box_weight

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: ClassAndBoxOutputs, batch: Batch) -> dict[str, Mean]:
        rows, labels, boxes = main_objects(batch)
        logits, predicted = full_precision(outputs.logits[rows]), full_precision(pick(outputs.boxes[rows], labels))
        count = counted(len(rows), predicted)
        box = predicted.sum()  # 0 where there is no object, whose mean loss would be NaN
        if len(rows):
            box = self.box_weight * len(rows) * self.box_loss(predicted, (boxes / self._sides(boxes)).to(predicted))
        return {"class": Mean(F.cross_entropy(logits, labels, reduction="sum"), count), "box": Mean(box, count)}

    def predict(self, outputs: ClassAndBoxOutputs) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: ClassAndBoxOutputs) -> dict[str, Tensor]:
        scores = outputs.logits.float().softmax(dim=1)
        labels = scores.argmax(dim=1)
        boxes = pick(outputs.boxes, labels).float()
        return {"label": labels, "scores": scores, "boxes": (boxes * self._sides(boxes))[:, None]}

    def metrics(self) -> MetricCollection:
        return MetricCollection([LocalizationScores()], compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        rows, labels, boxes = main_objects(batch)
        label = torch.stack([p["label"] for p in predictions])
        box = torch.cat([p["boxes"] for p in predictions])
        return {"label": label[rows], "box": box[rows], "target_label": labels, "target_box": boxes}

    def _sides(self, like: Tensor) -> Tensor:
        height, width = self.metadata.image_size
        return numbers([width, height, width, height], like)


def pick(boxes: Tensor, labels: Tensor) -> Tensor:
    """(M, 4): of the boxes (M, 1 or C, 4) of each image the one for its class."""
    place = labels.clamp(max=boxes.shape[1] - 1)
    return boxes.gather(1, place[:, None, None].expand(-1, 1, 4))[:, 0]
