"""Plain regression to a fixed number of boxes: what the lecture calls inconvenient, and what makes it work after all.

CS231n 2017, lecture 11, "Object Detection as Regression?": an image needs 4 numbers for a cat, 16 for two dogs and a cat, many
for ducks. The counter-example is the set prediction of Carion et al. 2020, "End-to-End Object Detection with Transformers"
(DETR), section 3.1, without its transformer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Generator, Tensor, nn
from torchvision.ops import box_convert, generalized_box_iou

from ..means import Mean, counted, full_precision
from ..uploads import numbers, uploaded
from .backbones import Backbone, ConvBackbone
from .detector import Detections, Detector


class Slots(NamedTuple):
    """What the network says of B images, in K slots each."""

    logits: Tensor
    """float (B, K, 1 + num_classes); the first is "no object"."""
    boxes: Tensor
    """float (B, K, 4), (x, y, w, h) of centre and sides as fractions of the image."""
    size: tuple[int, int]
    """(H, W) of the images."""


class SlotAssignment(ABC):
    """Decides which slot has to say which object of an image."""

    @abstractmethod
    def __call__(self, logits: Tensor, boxes: Tensor, true_labels: Tensor, true_boxes: Tensor) -> Tensor:
        """int64 (N,), a slot for each object, on the CPU; all different.

        Args:
            logits, boxes: of one image, (K, 1 + num_classes) and (K, 4), without gradients, on the CPU.
            true_labels, true_boxes: int64 (N,) and float (N, 4) as fractions of the image, N not above K.
        """


class FromLeftToRight(SlotAssignment):
    """The first slot says the leftmost object, the second the next: the order of plain regression."""

    def __call__(self, logits: Tensor, boxes: Tensor, true_labels: Tensor, true_boxes: Tensor) -> Tensor:
        slots = torch.empty(len(true_boxes), dtype=torch.long)
        slots[true_boxes[:, 0].argsort(stable=True)] = torch.arange(len(true_boxes))
        return slots


class BestMatching(SlotAssignment):
    """The assignment of least total cost, by the Hungarian method (DETR, equation 1).

    An object costs a slot ``- p(class) + 5 |box - box'|₁ - 2 GIoU`` (DETR, appendix A.4, with the weights of its code).
    """

    def __call__(self, logits: Tensor, boxes: Tensor, true_labels: Tensor, true_boxes: Tensor) -> Tensor:
        distance = torch.cdist(boxes, true_boxes, p=1)
        overlap = generalized_box_iou(*(box_convert(b, "cxcywh", "xyxy") for b in (boxes, true_boxes)))
        cost = -logits.softmax(-1)[:, 1 + true_labels] + 5 * distance - 2 * overlap
        slots, objects = linear_sum_assignment(torch.nan_to_num(cost, nan=1e6).numpy())
        found = torch.empty(len(true_boxes), dtype=torch.long)
        found[torch.from_numpy(objects)] = torch.from_numpy(slots)
        return found


class SetRegressor(Detector):
    """A backbone, two fully connected layers, and ``slots`` boxes with a class each, "no object" being one.

    No anchor, no grid, no proposal: all slots see the whole image. Which slot is to say which object, the ``assignment``
    decides; by it alone plain regression and DETR's set prediction differ here.

    Args:
        backbone: builds the backbone, whose last map is used.
        slots: K, objects that can be found; of an image with more, the largest are learned.
        assignment: of objects to slots.
        grid: the map is averaged to so many cells a side.
        hidden: width of the fully connected layer.
        empty_weight: of "no object" in the loss of the classes (DETR, section 3.1).
        kwargs: see :class:`Detector`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        slots: int = 6,
        assignment: Callable[[], SlotAssignment] = BestMatching,
        grid: int = 6,
        hidden: int = 256,
        empty_weight: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, **kwargs)
        self.slots, self.empty_weight, self.assign = slots, empty_weight, assignment()
        self.backbone = backbone()
        self.head = nn.Sequential(
            nn.Conv2d(self.backbone.channels[-1], 64, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(grid),
            nn.Flatten(),
            nn.Linear(64 * grid**2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, slots * (5 + num_classes)),
            nn.Unflatten(1, (slots, 5 + num_classes)),
        )

    def forward(self, images: Tensor) -> Slots:
        values = full_precision(self.head(self.backbone(images)[-1]))
        logits, boxes = values.split([1 + self.num_classes, 4], -1)
        return Slots(logits, boxes.sigmoid(), (images.shape[-2], images.shape[-1]))

    def losses(
        self, outputs: Slots, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """``class``: cross-entropy over all slots; ``box`` 5 times the L1 distance and ``giou`` 2 (1 - GIoU), over the objects.

        Each is a sum over an image, averaged over the images.
        """
        logits, predicted, (height, width) = outputs
        image, slot, truth, classes = [], [], [], []
        # Two copies for all images, of what was said and of what is there: assignments are made on the CPU.
        said = torch.cat([logits, predicted], -1).detach().cpu().split([logits.shape[-1], 4], -1)
        there = torch.cat([torch.cat(boxes).to(predicted), torch.cat(labels)[:, None].to(predicted)], 1).detach().cpu()
        for row, objects in enumerate(there.split([len(own) for own in boxes])):
            own, label = objects[:, :4], objects[:, 4].long()
            largest = (own[:, 2:] - own[:, :2]).prod(1).argsort(descending=True, stable=True)[: self.slots].sort().values
            relative = box_convert(own[largest] / own.new_tensor([width, height, width, height]), "xyxy", "cxcywh")
            slot.append(self.assign(said[0][row], said[1][row], label[largest], relative))
            image.append(torch.full_like(slot[-1], row))
            truth.append(relative)
            classes.append(label[largest])
        place = tuple(uploaded(torch.cat(each), logits.device) for each in (image, slot))
        target = torch.zeros(logits.shape[:2], dtype=torch.long, device=logits.device)
        target[place] = 1 + uploaded(torch.cat(classes), logits.device)
        weight = torch.ones_like(logits[0, 0])
        weight[0] = self.empty_weight
        found, there_boxes = predicted[place], uploaded(torch.cat(truth), logits.device).to(predicted)
        overlap = generalized_box_iou(*(box_convert(b, "cxcywh", "xyxy") for b in (found, there_boxes))).diagonal()
        images = counted(len(boxes), predicted)
        totals = {
            "class": F.cross_entropy(logits.flatten(0, 1), target.flatten(), weight, reduction="sum"),
            "box": 5 * (found - there_boxes).abs().sum(),
            "giou": 2 * (1 - overlap).sum(),
        }
        return {name: Mean(total, images) for name, total in totals.items()}

    def predict(self, outputs: Slots) -> list[Detections]:
        height, width = outputs.size
        boxes = box_convert(outputs.boxes, "cxcywh", "xyxy") * numbers([width, height, width, height], outputs.boxes)
        scores = outputs.logits.softmax(-1)[..., 1:]
        return [self.select(b, s, outputs.size) for b, s in zip(boxes, scores, strict=True)]
