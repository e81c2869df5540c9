"""Detectors that classify regions which are given to them: what R-CNN, SPP-net and Fast R-CNN have in common.

CS231n 2017, lecture 11, "R-CNN" to "Fast R-CNN"; deck "CNN, R-CNN". The three differ in two methods of a few lines, ``share``
and ``features``: what is computed once an image, and what for each region.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torchvision.ops import box_iou

from ..means import Mean
from ..uploads import uploaded
from .backbones import Backbone
from .boxes import of_each_image
from .detector import Detections, Detector
from .region_heads import RegionHead


class RegionOutputs(NamedTuple):
    """What is known of B images before their regions are looked at."""

    shared: list[Tensor]
    """What all regions of an image share, float (B, ...) each: maps of the backbone, or in R-CNN the images themselves."""
    proposals: list[Tensor]
    """float (P, 4) for each image, xyxy in pixels."""
    size: tuple[int, int]
    """(H, W) of the images."""


class Samples(NamedTuple):
    """The regions of one image that enter the losses."""

    regions: Tensor
    """float (R, 4), xyxy in pixels."""
    classes: Tensor
    """int64 (R,), 0 for background, and from 1 the classes."""
    boxes: Tensor
    """float (R, 4), the object of each region; of a region of background, whatever it overlaps most."""
    matched: Tensor
    """int64 (R,), the place of that object among those of the image; 0 where there is none."""

    def on_objects(self) -> Samples:
        """Those of them that are examples of an object."""
        objects = self.classes.nonzero()[:, 0]
        return Samples(*(values[objects] for values in self))


class RegionDetector(Detector):
    """Classifies the regions of an image that a proposer found, and moves them onto the objects.

    A region whose best IoU with an object is at least ``foreground`` is an example of that object's class, and one whose
    best IoU lies in ``background`` an example of background; others are not trained on. The objects' own boxes count as
    proposals. An image that has none in that range of background (one without objects, for instance) gives what lies below
    it, where the papers leave such an image out.

    Args:
        backbone: the convolutional network that all of them share.
        width: numbers that ``features`` gives of a region.
        head: builds the head, given ``width`` and the number of classes.
        samples: regions of an image that enter the losses (64 in Fast R-CNN).
        positive_fraction: the largest part of them that are examples of an object (0.25 in Fast R-CNN).
        foreground: IoU from which on a region is an example of an object.
        background: the least IoU of a region of background, and the one that it stays below. That of Fast R-CNN (section
            2.3), which Ren et al. 2015 take over; from 0 on in R-CNN and in Mask R-CNN (He et al. 2017, section 3.1).
        nms_threshold: see :class:`Detector`.
        kwargs: see :class:`Detector`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Backbone,
        width: int,
        head: Callable[[int, int], RegionHead],
        samples: int = 64,
        positive_fraction: float = 0.25,
        foreground: float = 0.5,
        background: tuple[float, float] = (0.1, 0.5),
        nms_threshold: float = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, nms_threshold=nms_threshold, **kwargs)
        self.backbone = backbone
        self.head = head(width, num_classes)
        self.samples, self.positive_fraction = samples, positive_fraction
        self.foreground, self.background = foreground, tuple(background)

    @abstractmethod
    def share(self, images: Tensor) -> list[Tensor]:
        """What is computed once for all regions of the images (B, 3, H, W)."""

    @abstractmethod
    def features(self, shared: list[Tensor], regions: list[Tensor]) -> Tensor:
        """float (R, width) from what :meth:`share` gave and the regions (R_b, 4) of each image, R in all."""

    def forward(self, images: Tensor, proposals: list[Tensor]) -> RegionOutputs:  # type: ignore[override]
        """From float (B, 3, H, W), normalised, and float (P, 4) for each image, xyxy in pixels."""
        return RegionOutputs(self.share(images), proposals, (images.shape[-2], images.shape[-1]))

    def losses(
        self, outputs: Any, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """``roi_class`` and, where the head is trained to place boxes, ``roi_box``."""
        return self.sampled_losses(outputs, boxes, labels, rngs)[0]

    def sampled_losses(
        self, outputs: Any, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> tuple[dict[str, Mean], list[Samples]]:
        """The losses of the regions, and the regions of each image that they were taken on."""
        own: Sequence[Generator | None] = rngs or [None] * len(boxes)
        judged = [self._judge(*arguments) for arguments in zip(outputs.proposals, boxes, strict=True)]
        kinds = torch.cat([kind for _, _, kind in judged], 1).cpu()  # of all images in one copy, which is waited for
        each = kinds.split([kind.shape[1] for _, _, kind in judged], 1)
        samples = [
            self._draw(regions, nearest, kind, objects, classes, rng)
            for (regions, nearest, _), kind, objects, classes, rng in zip(judged, each, boxes, labels, own, strict=True)
        ]
        features = self.features(outputs.shared, [sample.regions for sample in samples])
        regions, classes, objects, _ = (torch.cat(parts) for parts in zip(*samples, strict=True))
        return self.head.losses(features, regions, classes, objects), samples

    @torch.no_grad()
    def sample(self, proposals: Tensor, boxes: Tensor, labels: Tensor, rng: Generator | None = None) -> Samples:
        """Examples of objects and of background from one image, drawn at random."""
        regions, nearest, kinds = self._judge(proposals, boxes)
        return self._draw(regions, nearest, kinds.cpu(), boxes, labels, rng)

    @torch.no_grad()
    def _judge(self, proposals: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One image's regions (R, 4), the object nearest to each (R,), and bool (3, R): whether it is an example of that
        object, one of background, and nearer to none than background should be."""
        regions = torch.cat([boxes.to(proposals), proposals])
        overlap, nearest = regions.new_zeros(len(regions)), torch.zeros(len(regions), dtype=torch.long, device=regions.device)
        if len(boxes):
            overlap, nearest = box_iou(regions, boxes.to(regions)).max(1)
        least, below = self.background
        far = overlap < least
        return regions, nearest, torch.stack([overlap >= self.foreground, ~far & (overlap < below), far])

    @torch.no_grad()
    def _draw(
        self, regions: Tensor, nearest: Tensor, kinds: Tensor, boxes: Tensor, labels: Tensor, rng: Generator | None
    ) -> Samples:
        """Examples of what :meth:`_judge` found, whose last is on the CPU, where they are drawn."""
        objects, background, far = (kind.nonzero()[:, 0] for kind in kinds)
        objects = draw(objects, int(self.samples * self.positive_fraction), rng)
        background = draw(background if len(background) else far, self.samples - len(objects), rng)
        chosen = uploaded(torch.cat([objects, background]), regions.device)
        classes, matched = torch.zeros_like(chosen), nearest[chosen]
        classes[: len(objects)] = 1 + labels[matched[: len(objects)]]
        return Samples(regions[chosen], classes, boxes[matched] if len(boxes) else regions[chosen], matched)

    def predict(self, outputs: Any) -> list[Detections]:
        boxes, scores = self.head(self.features(outputs.shared, outputs.proposals), torch.cat(outputs.proposals))
        each = zip(*(of_each_image(rows, outputs.proposals) for rows in (boxes, scores)), strict=True)
        return [self.select(b, s, outputs.size) for b, s in each]


def draw(indices: Tensor, count: int, rng: Generator | None = None) -> Tensor:
    """At most ``count`` of the indices, drawn at random; ``rng`` is on the CPU, so that every device draws the same."""
    return indices[uploaded(torch.randperm(len(indices), generator=rng)[:count], indices.device)]


def one_width(backbone: Backbone, network: str) -> int:
    """The channels of a backbone's maps.

    Raises:
        ValueError: they are not of one width.
    """
    if len(set(backbone.channels)) > 1:
        raise ValueError(
            f"{network} needs maps of one width, got channels {backbone.channels}: take one map, or wrap the backbone in FPN"
        )
    return backbone.channels[0]
