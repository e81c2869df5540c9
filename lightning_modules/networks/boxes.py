"""Operations on boxes, xyxy in pixels, that torchvision lacks: paired IoU, the best of many, RoI pooling from any backbone's
maps.

An exported network is one that was traced on a single image, and has to take any number of boxes all the same: what that
demands is here, so that networks need not think of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import nms, roi_align, roi_pool

from ..means import full_precision
from ..uploads import numbers


def paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of each box of ``a`` with the box of ``b`` in the same place: (..., 4) and (..., 4), broadcast, to (...)."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    intersection = (high - low).clamp(min=0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return intersection / (areas - intersection).clamp(min=torch.finfo(a.dtype).tiny)


MIN_SIDE = 1e-2
"""Pixels; boxes that clipping left thinner than this are none."""


def has_area(boxes: Tensor) -> Tensor:
    """bool (N,): which of the boxes (N, 4) are at least ``MIN_SIDE`` wide and high."""
    return ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE).all(1)


def in_format_of(maps: Tensor, values: Tensor) -> Tensor:
    """``values`` (N, C, H, W) in the memory format of ``maps``: torchvision's operators give NCHW whatever they are given.

    For what goes through convolutions next; what is flattened is better left as it is.
    """
    last = torch.channels_last
    return values.contiguous(memory_format=last) if maps.is_contiguous(memory_format=last) else values


def best_first(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The greatest of the scores (N,), at most ``count``, in descending order, and their places, int64."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined]  # topk's number would be that of the traced image
        scores, places = scores.sort(descending=True)
        return scores[:count], places[:count]
    scores, places = scores.topk(min(len(scores), count))
    return scores, places


def first_of_nms(boxes: Tensor, scores: Tensor, groups: Tensor, size: tuple[int, int], threshold: float, count: int) -> Tensor:
    """int64 (M,), M at most ``count``: the first indices that torchvision's ``batched_nms`` gives, in less time.

    What stays of the best boxes does not depend on worse ones, so these are looked at only while too few stay. That matters
    for a thousand boxes and more, of which ``nms`` compares each that stays with all worse ones.

    Args:
        boxes: float (N, 4), inside the image, best first.
        scores: float (N,), descending.
        groups: int64 (N,), a class for one; boxes of different groups do not meet.
        size: (H, W) of the image.
        threshold: of two boxes that overlap by more than this IoU only the better stays.
        count: how many are wanted.
    """
    # Groups are moved apart, as batched_nms does; that one leaves early where there is no box, and a network exported while
    # it saw none would never find any.
    apart = boxes + (groups * (max(size) + 1)).to(boxes)[:, None]
    if torch.jit.is_tracing():  # type: ignore[attr-defined]  # a traced network has no loop that depends on values
        return nms(apart, scores, threshold)[:count]
    looked_at = 2 * count
    while True:
        kept = nms(apart[:looked_at], scores[:looked_at], threshold)
        if len(kept) >= count or looked_at >= len(boxes):
            return kept[:count]
        looked_at *= 2


def of_each_image(rows: Tensor, like: Sequence[Tensor]) -> Sequence[Tensor]:
    """The rows of all images, split into as many as ``like`` has of each.

    Those of a single image are all of them, without a split, which would write their number into an exported network.
    """
    return rows.split([len(part) for part in like]) if len(like) > 1 else [rows]


class RoIPooling(nn.Module, ABC):
    """Cuts regions out of feature maps, all to ``size`` x ``size``: differentiable in the maps.

    Of several maps each region takes the one that fits its size: the coarsest whose stride is at most 16 w / 224, for a
    region of w x w pixels (Lin et al. 2017, "Feature Pyramid Networks", equation 1).
    """

    def __init__(self, size: int = 7) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Sequence[Tensor], strides: Sequence[int], regions: Sequence[Tensor]) -> Tensor:
        """float (R, C, size, size), R regions in all.

        Args:
            maps: float (B, C, h, w) each, all of one C.
            strides: pixels of the image that a step in each map is, ascending.
            regions: float (R_b, 4) for each of the B images, xyxy in pixels.
        """
        boxes = torch.cat(list(regions))
        # full_like, and a product along an axis, would be traced as constants where an exported network saw no region.
        image = torch.cat([part.new_full((part.shape[0], 1), i) for i, part in enumerate(regions)])
        # Coordinates need full precision, and the operators want both arguments of one type.
        maps = [full_precision(features) for features in maps]
        rows = torch.cat([image, boxes], 1).to(maps[0])
        if len(maps) == 1:
            return self.cut(maps[0], rows, 1 / strides[0])
        width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(1)
        side = (width * height).sqrt()
        level = torch.bucketize(16 * side / 224, numbers(strides[1:], boxes), right=True)
        # Map by map and then back in order: an assignment in place would write the number of regions into an exported network.
        here = [(level == i).nonzero()[:, 0] for i in range(len(maps))]
        each = zip(maps, strides, here, strict=True)
        pooled = torch.cat([self.cut(features, rows[chosen], 1 / stride) for features, stride, chosen in each])
        return pooled[torch.cat(here).argsort()]

    @abstractmethod
    def cut(self, features: Tensor, regions: Tensor, scale: float) -> Tensor:
        """From one map (B, C, h, w) and regions (R, 5), (image, x1, y1, x2, y2), to (R, C, size, size)."""


class RoIPool(RoIPooling):
    """Max pooling of regions rounded to whole cells. Girshick 2015, "Fast R-CNN", section 2.1."""

    def cut(self, features: Tensor, regions: Tensor, scale: float) -> Tensor:
        return roi_pool(features, regions, self.size, scale)


class RoIAlign(RoIPooling):
    """Averages of bilinear samples, about one a cell, without any rounding. He et al. 2017, "Mask R-CNN", section 3."""

    def cut(self, features: Tensor, regions: Tensor, scale: float) -> Tensor:
        return roi_align(features, regions, self.size, scale, aligned=True)
