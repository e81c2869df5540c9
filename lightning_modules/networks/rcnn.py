"""R-CNN: each region is cut out of the image, warped to a square, and sent through the whole backbone.

CS231n 2017, lecture 11, "R-CNN"; Girshick et al. 2014, "Rich feature hierarchies for accurate object detection and semantic
segmentation".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from ..means import full_precision
from .backbones import Backbone, ConvBackbone
from .boxes import in_format_of
from .region_heads import RegionHead, StagedHead
from .regions import RegionDetector

CONTEXT = 16 / 227
"""Border of a warped region that shows what is around it, as a part of the crop's side (appendix A: 16 pixels of 227)."""


def warp(images: Tensor, regions: Tensor, crop: int, context: float = CONTEXT) -> Tensor:
    """Regions with some context around them, each stretched to a square: float (R, 3, crop, crop).

    The region itself fills the crop up to a border of ``context`` x crop pixels on each side (appendix A, "warp"). What lies
    outside the image is 0, the mean of normalised images. A pixel of the crop is one bilinear sample, as in the authors' code:
    a region that is larger than its crop is not smoothed before.

    Args:
        images: float (B, 3, H, W), normalised.
        regions: float (R, 5): the image's place in the batch, and xyxy in pixels.
        crop: side of the squares, in pixels.
        context: border of each side, as a part of ``crop``.
    """
    pixels = full_precision(images)
    image, low, high = regions.to(pixels).split((1, 2, 2), dim=1)
    centre, half = (low + high) / 2, (high - low) / (2 * (1 - 2 * context))
    grown = torch.cat([image, centre - half, centre + half], 1)
    return in_format_of(images, roi_align(pixels, grown, crop, sampling_ratio=1, aligned=True).to(images))


class RCNN(RegionDetector):
    """R-CNN: the backbone sees every region by itself; nothing is computed for an image as a whole.

    Background is whatever overlaps objects by less than half (section 2.3).

    Args:
        backbone: builds the backbone, whose last map is used, averaged to ``grid`` x ``grid`` cells where it has more.
        crop: side in pixels that regions are warped to (227 in the paper).
        grid: cells in a row of the map of a region (6 for AlexNet, 7 for VGG-16, after their last pooling).
        at_once: regions that go through the backbone together; memory grows with it.
        head: a stage after another.
        kwargs: see :class:`RegionDetector`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        crop: int = 32,
        grid: int = 4,
        at_once: int = 256,
        head: Callable[[int, int], RegionHead] = StagedHead,
        background: tuple[float, float] = (0.0, 0.5),
        **kwargs: Any,
    ) -> None:
        maps = backbone()
        width = maps.channels[-1] * grid**2
        super().__init__(num_classes, backbone=maps, width=width, head=head, background=background, **kwargs)
        self.pooling = nn.AdaptiveAvgPool2d(grid)
        self.crop, self.at_once = crop, at_once

    def share(self, images: Tensor) -> list[Tensor]:
        return [images]

    def features(self, shared: list[Tensor], regions: list[Tensor]) -> Tensor:
        (images,) = shared
        image = torch.cat([torch.full_like(boxes[:, :1], i) for i, boxes in enumerate(regions)])
        rows = torch.cat([image, torch.cat(regions)], 1)
        pooled = [
            self.pooling(self.backbone(warp(images, some, self.crop))[-1]).flatten(1) for some in rows.split(self.at_once)
        ]
        return torch.cat(pooled)
