"""YOLO as the lecture's words describe it: base boxes in each cell, whose offsets are predicted.

CS231n 2017, lecture 11, "Detection without Proposals: YOLO / SSD"; the base boxes are those of Redmon & Farhadi 2017,
"YOLO9000" (v2), section 2. YOLO v1, which the lecture names, has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ..means import Mean, counted
from .boxes import paired_iou
from .yolo import YOLO, YOLOOutputs, _corners


class AnchorYOLO(YOLO):
    """In each cell of the grid some base boxes; predicted are how far each is to be moved and stretched, and a confidence.

    The tensor is the lecture's, ``grid x grid x (5 B + C)``: a cell has one distribution over the classes for all of its
    boxes, where v2 has one for each. Of an object's cell the base box of the most similar shape is responsible, and not, as in
    v1, the box that is best at the moment. All else is :class:`YOLO`'s.

    Args:
        base_boxes: (width, height) of each as fractions of the image: a wide, a tall and a square one, as on the slide.
        kwargs: see :class:`YOLO`, whose ``boxes`` is their number.

    Raises:
        ValueError: there is no base box, or one without area.
    """

    priors: Tensor

    def __init__(
        self,
        num_classes: int,
        *,
        base_boxes: Sequence[tuple[float, float]] = ((0.45, 0.2), (0.2, 0.45), (0.3, 0.3)),
        **kwargs: Any,
    ) -> None:
        if not base_boxes or min(min(box) for box in base_boxes) <= 0:
            raise ValueError(f"AnchorYOLO: base_boxes are {list(base_boxes)}: widths and heights above 0 expected")
        super().__init__(num_classes, boxes=len(base_boxes), **kwargs)
        self.register_buffer("priors", torch.tensor(base_boxes, dtype=torch.float32))

    def losses(
        self, outputs: YOLOOutputs, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """The terms of v1's equation 3; ``coordinates`` are the centre's and, in place of the roots of the sides, the
        logarithms of the sides over those of the base box (v2, section 2)."""
        predicted, classes = self._split(outputs.grid.flatten(0, 2))
        cell, place, side, label, learned = self._assign(boxes, labels, outputs.size)
        best = self._most_similar(side)
        responsible = predicted[cell, best]
        truth = torch.cat([place / self.grid, side], -1)
        decoded = self._decode(predicted[cell])[torch.arange(len(cell), device=cell.device), best]
        iou = paired_iou(_corners(decoded), _corners(truth)).detach()
        empty = torch.ones_like(predicted[..., 4]).flatten()
        empty = empty.scatter_reduce(0, cell * self.boxes + best, 1 - learned, "amin").view_as(predicted[..., 4])
        target = torch.cat([place, (side / self.priors[best]).log()], -1)
        errors = {
            "coordinates": self.coordinate_weight * learned[:, None] * (responsible[:, :4] - target) ** 2,
            "confidence_object": learned * (responsible[:, 4] - iou) ** 2,
            "confidence_empty": self.empty_weight * empty * predicted[..., 4] ** 2,
            "class": learned[:, None] * (classes[cell] - F.one_hot(label, self.num_classes)) ** 2,
        }
        images = counted(len(boxes), predicted)
        return {name: Mean(error.sum(), images) for name, error in errors.items()}

    def _most_similar(self, side: Tensor) -> Tensor:
        """int64 (N,): of objects (N, 2) as fractions of the image, the base box of the greatest IoU at the same centre."""
        shared = torch.minimum(side[:, None], self.priors).prod(-1)
        return (shared / (side.prod(-1)[:, None] + self.priors.prod(-1) - shared)).argmax(1)

    def _decode(self, predicted: Tensor) -> Tensor:
        # Bounded: before anything is learned, e to the power of an output may be infinite.
        side = self.priors * predicted[..., 2:4].clamp(max=4).exp()
        return torch.cat([predicted[..., :2] / self.grid, side], -1)
