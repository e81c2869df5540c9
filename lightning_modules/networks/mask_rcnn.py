"""Mask R-CNN: Faster R-CNN with a small fully convolutional network on each region, which tells the object's pixels.

CS231n 2017, lecture 11, "Mask R-CNN"; He et al. 2017, "Mask R-CNN". Composed of torchvision's parts; its two functions between
masks and regions are ours, since torchvision's are half a pixel and up to one pixel off, which drawn scenes are too small for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import roi_align

from ..means import Mean, counted, full_precision
from .boxes import RoIAlign, RoIPooling, of_each_image
from .branches import Branch, BranchedRCNN
from .detector import Detections
from .regions import Samples


class MaskChannels(ABC):
    """How the channels of a mask head stand for classes: the loss on them, and the mask that they give."""

    @abstractmethod
    def count(self, num_classes: int) -> int:
        """The number of channels."""

    @abstractmethod
    def loss(self, logits: Tensor, classes: Tensor, targets: Tensor) -> Mean:
        """Over all pixels of R regions.

        Args:
            logits: float (R, channels, m, m).
            classes: int64 (R,), the class of each region's object, from 0.
            targets: float (R, m, m), 1 on the object and 0 off it.
        """

    @abstractmethod
    def probability(self, logits: Tensor, classes: Tensor) -> Tensor:
        """float (R, m, m): that a pixel belongs to the object of this class, from logits (R, channels, m, m)."""


class ClassSigmoids(MaskChannels):
    """A sigmoid for each class, of which only the object's own is trained and read: classes do not compete.

    What is there is left to the class head (section 3, "Mask Representation"; table 2b, "sigmoid").
    """

    def count(self, num_classes: int) -> int:
        return num_classes

    def loss(self, logits: Tensor, classes: Tensor, targets: Tensor) -> Mean:
        return Mean.of(F.binary_cross_entropy_with_logits(_of_class(logits, classes), targets, reduction="none"))

    def probability(self, logits: Tensor, classes: Tensor) -> Tensor:
        return _of_class(logits, classes).sigmoid()


class OneSigmoid(MaskChannels):
    """One sigmoid for objects of any class (section 4.2, "Class-Specific vs. Class-Agnostic Masks")."""

    def count(self, num_classes: int) -> int:
        return 1

    def loss(self, logits: Tensor, classes: Tensor, targets: Tensor) -> Mean:
        return Mean.of(F.binary_cross_entropy_with_logits(logits[:, 0], targets, reduction="none"))

    def probability(self, logits: Tensor, classes: Tensor) -> Tensor:
        return logits[:, 0].sigmoid()


class PixelSoftmax(MaskChannels):
    """A softmax over background and classes at each pixel, as in semantic segmentation: classes compete (table 2b, "softmax").

    A pixel off the object is background, even where it shows another object. The paper does not say how such masks are read;
    here as in semantic segmentation: a pixel is the object's where no other channel is greater. So the probability is that
    against the strongest other channel alone, which passes one half there.
    """

    def count(self, num_classes: int) -> int:
        return 1 + num_classes

    def loss(self, logits: Tensor, classes: Tensor, targets: Tensor) -> Mean:
        return Mean.of(F.cross_entropy(logits, (1 + classes)[:, None, None] * targets.long(), reduction="none"))

    def probability(self, logits: Tensor, classes: Tensor) -> Tensor:
        own = _of_class(logits, 1 + classes)
        others = torch.arange(logits.shape[1], device=logits.device) != 1 + classes[:, None]
        return (own - logits.where(others[:, :, None, None], -torch.inf).amax(1)).sigmoid()


def _of_class(channels: Tensor, classes: Tensor) -> Tensor:
    """(R, m, m): of (R, channels, m, m) the channel of each region's class."""
    return channels[torch.arange(classes.shape[0], device=classes.device), classes]


class MaskBranch(Branch):
    """Convolutions at the resolution of the pooled regions, one transpose convolution that doubles it, and the masks.

    A pixel belongs to the object from a probability of one half on.

    Args:
        channels: of the backbone's maps.
        num_classes: of the data set.
        masks: how the mask's channels stand for classes.
        pooling: cuts the regions out of the maps, given ``size``; ``RoIPool`` for table 2c.
        size: cells in a row of a pooled region; the mask has twice as many.
        layers: widths of the 3 x 3 convolutions (four of 256 in the paper).
        hidden: width of the transpose convolution (256 in the paper).
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        *,
        masks: Callable[[], MaskChannels] = ClassSigmoids,
        pooling: Callable[[int], RoIPooling] = RoIAlign,
        size: int = 14,
        layers: Sequence[int] = (64, 64),
        hidden: int = 64,
    ) -> None:
        kind = masks()
        convolutions = MaskRCNNHeads(channels, list(layers), dilation=1)
        predictor = MaskRCNNPredictor((channels, *layers)[-1], hidden, kind.count(num_classes))
        super().__init__(pooling(size), nn.Sequential(convolutions, predictor))
        self.masks = kind

    def loss(self, logits: Tensor, samples: list[Samples], objects: list[Tensor]) -> Mean:
        if not len(logits):
            return Mean(logits.sum(), counted(0, logits))
        each = zip(objects, samples, strict=True)
        targets = [
            cut_out(masks, sample.regions, sample.matched, logits.shape[-1]) for masks, sample in each if len(sample.regions)
        ]
        classes = torch.cat([sample.classes for sample in samples]) - 1
        return self.masks.loss(logits, classes, torch.cat(targets).to(logits))

    def read(self, logits: Tensor, found: list[Detections], size: tuple[int, int]) -> list[Tensor]:
        labels = [detections["labels"] for detections in found]
        masks = of_each_image(self.masks.probability(logits, torch.cat(labels)), labels)
        return [
            (paste(each, detections["boxes"], size) >= 0.5).to(torch.uint8)
            for each, detections in zip(masks, found, strict=True)
        ]


def cut_out(masks: Tensor, regions: Tensor, matched: Tensor, side: int) -> Tensor:
    """What a region shows of its object's mask, at the resolution of the mask head: float (R, side, side), 0 or 1.

    torchvision's ``project_masks_on_boxes`` takes it half a pixel to the right and below, and leaves it grey.

    Args:
        masks: uint8 (N, H, W) of one image.
        regions: float (R, 4), xyxy in pixels.
        matched: int64 (R,), the mask of each region.
        side: of what is cut out, in cells.
    """
    rows = full_precision(torch.cat([matched[:, None].to(regions), regions], 1))
    return (roi_align(masks[:, None].to(rows), rows, side, aligned=True)[:, 0] >= 0.5).to(rows)


def paste(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks (N, m, m), each resized to its box and put in its place in an image of ``size`` (H, W): float (N, H, W).

    Bilinear between the cells' centres, constant towards the box's rim, and 0 where a pixel's centre lies outside the box
    (N, 4), xyxy in pixels. torchvision's ``paste_masks_in_image`` rounds the boxes to whole pixels, one by one.
    """
    low, high = boxes.split(2, 1)
    (height, width), cells = size, masks.shape[-1]
    across = _interpolation(low[:, 0], high[:, 0], cells, width)
    along = _interpolation(low[:, 1], high[:, 1], cells, height)
    with torch.autocast(boxes.device.type, enabled=False):  # half precision would round where a pixel lies
        return along @ masks @ across.transpose(1, 2)


def _interpolation(low: Tensor, high: Tensor, cells: int, pixels: int) -> Tensor:
    """float (N, pixels, cells): what each of the cells between ``low`` and ``high`` (N,) adds to a pixel of the row."""
    centres = torch.arange(pixels, device=low.device) + 0.5
    part = (centres - low[:, None]) / (high - low)[:, None]
    inside = (part > 0) & (part < 1)
    place = (part * cells - 0.5).clamp(0, cells - 1)
    weights = (1 - (place[..., None] - torch.arange(cells, device=low.device)).abs()).clamp(min=0)
    return weights * inside[..., None]


class MaskRCNN(BranchedRCNN):
    """Mask R-CNN: Faster R-CNN and, for each region, a mask. The loss has one term more, ``roi_masks``.

    Args:
        masks: builds the mask branch, given the channels of the backbone's maps and the number of classes.
        kwargs: see :class:`FasterRCNN`.
    """

    def __init__(self, num_classes: int, *, masks: Callable[[int, int], MaskBranch] = MaskBranch, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        self.branches["masks"] = masks(self.backbone.channels[0], num_classes)
