"""YOLO: boxes and classes of all cells of a grid in one forward pass.

CS231n 2017, lecture 11, "Detection without Proposals: YOLO / SSD"; Redmon et al. 2016, "You Only Look Once: Unified,
Real-Time Object Detection" (v1), sections 2 to 2.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torchvision.ops import Conv2dNormActivation, box_convert

from ..means import Mean, counted, full_precision
from ..uploads import numbers
from .backbones import Backbone, ConvBackbone
from .boxes import paired_iou
from .detector import Detections, Detector


class YOLOOutputs(NamedTuple):
    """What YOLO says of B images."""

    grid: Tensor
    """float (B, S, S, 5 * boxes + num_classes): of each cell (x, y, sqrt w, sqrt h, confidence) of each box, then the classes.

    (x, y) is the centre of the box, from the corner of its cell and in cells; w and h are fractions of the image.
    """
    size: tuple[int, int]
    """(H, W) of the images."""


class YOLOHead(nn.Module, ABC):
    """From a backbone's last map to the cells of a grid; built as ``Head(channels, grid, values, ...)``."""

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """From float (B, channels, h, w) to float (B, grid, grid, values)."""


class FullyConnectedHead(YOLOHead):
    """The paper's: a convolution, and two fully connected layers that see the whole image (section 2.1).

    The paper's backbone ends in the grid; here any map is averaged down to it, so that images may have any size. Of its
    head's four convolutions one is left, with batch normalisation. A cell learns from the objects in that cell alone: it
    takes a pretrained backbone or a long training.

    Args:
        width: channels of the convolution.
        hidden: width of the first fully connected layer.
        dropout: after it.
    """

    def __init__(
        self, channels: int, grid: int, values: int, *, width: int = 128, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(grid),
            Conv2dNormActivation(channels, width, 3, activation_layer=_leaky),
            nn.Flatten(),
            nn.Linear(width * grid**2, hidden),
            _leaky(),
            nn.Dropout(dropout),
            nn.Linear(hidden, grid**2 * values),
            nn.Unflatten(1, (grid, grid, values)),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)  # type: ignore[no-any-return]


class ConvHead(YOLOHead):
    """In place of the fully connected layers a 1 x 1 convolution, as from YOLO v2 on: all cells share what they learn.

    Args:
        width: channels of the 3 x 3 convolution before it.
    """

    def __init__(self, channels: int, grid: int, values: int, *, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(grid),
            Conv2dNormActivation(channels, width, 3, activation_layer=_leaky),
            nn.Conv2d(width, values, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class YOLO(Detector):
    """YOLO v1: each cell of a ``grid`` x ``grid`` raster predicts ``boxes`` boxes and one distribution over the classes.

    The lecture speaks of base boxes whose offsets are predicted; those are YOLO v2's and SSD's. In v1 a box is predicted
    outright, and the boxes of a cell differ by nothing but what they have learned. As in the paper a cell is responsible
    for one object at most: where several centres fall into a cell, the first in the list is learned.

    Args:
        backbone: builds the backbone, whose last map is used.
        head: builds what stands on it; the paper's is ``FullyConnectedHead``.
        grid: S, cells in a row and in a column.
        boxes: B, boxes of a cell.
        coordinate_weight: lambda_coord.
        empty_weight: lambda_noobj.
        kwargs: see :class:`Detector`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        head: Callable[[int, int, int], YOLOHead] = ConvHead,
        grid: int = 7,
        boxes: int = 2,
        coordinate_weight: float = 5.0,
        empty_weight: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, **kwargs)
        self.grid, self.boxes = grid, boxes
        self.coordinate_weight, self.empty_weight = coordinate_weight, empty_weight
        self.backbone = backbone()
        self.head = head(self.backbone.channels[-1], grid, 5 * boxes + num_classes)

    def forward(self, images: Tensor) -> YOLOOutputs:
        grid = full_precision(self.head(self.backbone(images)[-1]))
        return YOLOOutputs(grid, (images.shape[-2], images.shape[-1]))

    def losses(
        self, outputs: YOLOOutputs, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """The terms of the paper's equation 3, each a sum over an image, averaged over the images.

        ``coordinates`` is the equation's first two lines; ``confidence_object``, ``confidence_empty`` and ``class`` are the
        other three. Of a cell's boxes the one with the highest IoU is responsible; the first, while none overlaps the object.
        """
        predicted, classes = self._split(outputs.grid.flatten(0, 2))
        cell, place, side, label, learned = self._assign(boxes, labels, outputs.size)
        truth = torch.cat([place / self.grid, side], -1)
        ious = paired_iou(_corners(self._decode(predicted[cell])), _corners(truth)[:, None]).detach()
        iou, best = ious.max(1)
        responsible = predicted[cell, best]
        # Of a cell's objects the first decides; a minimum, since the others hold a 1 for what may be the same box.
        empty = torch.ones_like(predicted[..., 4]).flatten()
        empty = empty.scatter_reduce(0, cell * self.boxes + best, 1 - learned, "amin").view_as(predicted[..., 4])
        errors = {
            # The paper predicts the roots of the sides: no root is taken of what the network says, which may be negative.
            "coordinates": learned[:, None]
            * (self.coordinate_weight * (responsible[:, :4] - torch.cat([place, side.sqrt()], -1)) ** 2),
            "confidence_object": learned * (responsible[:, 4] - iou) ** 2,
            "confidence_empty": self.empty_weight * empty * predicted[..., 4] ** 2,
            "class": learned[:, None] * (classes[cell] - F.one_hot(label, self.num_classes)) ** 2,
        }
        images = counted(len(boxes), predicted)
        return {name: Mean(error.sum(), images) for name, error in errors.items()}

    def predict(self, outputs: YOLOOutputs) -> list[Detections]:
        """Each box's score for a class is its confidence times the cell's probability of the class (section 2)."""
        predicted, classes = self._split(outputs.grid)
        height, width = outputs.size
        step = torch.arange(self.grid, device=predicted.device)
        corner = torch.stack(torch.meshgrid(step, step, indexing="xy"), -1)[:, :, None]
        relative = self._decode(predicted)
        relative[..., :2] += corner / self.grid
        boxes = _corners(relative) * numbers([width, height, width, height], relative)
        # What is regressed on probabilities may leave [0, 1] a little; two negative factors must not make a good score.
        scores = predicted[..., 4:].clamp(0, 1) * classes.clamp(0, 1).unsqueeze(-2)
        return [
            self.select(b.reshape(-1, 4), s.reshape(-1, self.num_classes), outputs.size)
            for b, s in zip(boxes, scores, strict=True)
        ]

    def _split(self, grid: Tensor) -> tuple[Tensor, Tensor]:
        """Cells (..., 5B + C) to boxes (..., B, 5) and classes (..., C)."""
        boxes, classes = grid.split([5 * self.boxes, self.num_classes], -1)
        return boxes.unflatten(-1, (self.boxes, 5)), classes

    def _decode(self, predicted: Tensor) -> Tensor:
        """Boxes (..., 5) to (x, y, w, h) in fractions of the image, x and y from the corner of the cell."""
        return torch.cat([predicted[..., :2] / self.grid, predicted[..., 2:4] ** 2], -1)

    def _assign(
        self, boxes: list[Tensor], labels: list[Tensor], size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """The N objects in the order of their cells: the cell's place among all images', (x, y) in it, (w, h), the label, and 1
        where it is learned, 0 where one before it has the cell. (Were those left out, a GPU would be waited for.)"""
        height, width = size
        every = torch.cat(boxes)
        relative = box_convert(every / numbers([width, height, width, height], every), "xyxy", "cxcywh")
        place = relative[:, :2] * self.grid
        column, row = place.long().clamp(0, self.grid - 1).unbind(-1)
        image = torch.cat([torch.full_like(classes, i) for i, classes in enumerate(labels)])
        cell = (image * self.grid + row) * self.grid + column
        cells, order = cell.sort(stable=True)
        learned = torch.cat([torch.ones_like(cells[:1]), cells.diff() != 0]).to(every)
        return cells, (place - torch.stack([column, row], -1))[order], relative[order, 2:], torch.cat(labels)[order], learned


def _corners(boxes: Tensor) -> Tensor:
    return box_convert(boxes, "cxcywh", "xyxy")


def _leaky(inplace: bool = True) -> nn.LeakyReLU:
    return nn.LeakyReLU(0.1, inplace=inplace)
