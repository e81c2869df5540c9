"""Semantic segmentation, from one confusion matrix: mean IoU and accuracies; and accuracy in a band at the borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.scene import IGNORE

from .gather import CountMetric, ratio

_VALUES = 256
"""Of a byte: what a mask may hold."""


class SegmentationScores(CountMetric):
    """Mean IoU, pixel accuracy and mean class accuracy over all pixels of a split (Long et al. 2015, section 5).

    ``compute`` returns float32 scalars: ``miou``, the mean over the classes that occur in the truth or in the
    predictions; ``pixel_accuracy``, the share of pixels that are right; ``class_accuracy``, the mean over the classes
    that occur in the truth of the share of their pixels that are right; and ``iou/<class>``, nan where a class
    occurs in neither. Pixels whose truth is 255 are passed over.

    Args:
        classes: the names of the C classes that a mask counts, the background among them if there is one.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True

    def __init__(self, classes: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = tuple(classes)
        self.add_count("confusion", len(self.classes), len(self.classes))  # (truth, prediction)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add B images.

        Args:
            preds: integers (B, H, W), the predicted class of each pixel, from 0 to C - 1.
            target: integers (B, H, W), the true one, or 255 = ignore.

        Raises:
            ValueError: where the shapes differ or a value is no class.
        """
        _check(preds, target)
        size = len(self.classes)
        # One histogram of all pairs of bytes: cheaper than picking out the ignored pixels, and it shows strange ones. Not by
        # bincount, which a GPU would be waited for in.
        (truth, no_truth), (found, no_class) = _bytes(target), _bytes(preds)
        places = (truth.int() * _VALUES + found.int()).flatten()
        one = torch.ones((), dtype=torch.long, device=places.device)
        counts = torch.zeros(_VALUES**2, dtype=torch.long, device=places.device)
        pairs = counts.index_add_(0, places, one.expand(len(places))).view(_VALUES, _VALUES)
        strange = torch.stack([no_truth, no_class, pairs[size:IGNORE].any(), pairs[:, size:].any()])
        if strange.any():
            raise ValueError(f"a mask has a class out of range: classes are 0 to {size - 1}, and {IGNORE} is ignore")
        self.increase("confusion", pairs[:size, :size])

    def compute(self) -> dict[str, Tensor]:
        """The scores over all pixels: see the class."""
        right, truth, predicted = self.confusion.diagonal(), self.confusion.sum(1), self.confusion.sum(0)
        iou = ratio(right, truth + predicted - right)
        return {
            "miou": iou.nanmean(),
            "pixel_accuracy": ratio(right.sum(), truth.sum()),
            "class_accuracy": ratio(right, truth).nanmean(),
            **{f"iou/{name}": value for name, value in zip(self.classes, iou, strict=True)},
        }


class BandAccuracy(CountMetric):
    """The share of pixels that are right among those near a border between two classes of the truth.

    A pixel is near a border where the square of 2 * radius + 1 pixels around it holds another class than its own (255
    is no class). So measured, a method that is right inside objects but blurs their outline shows it: Kohli et al.
    2009, "Robust Higher Order Potentials for Enforcing Label Consistency". nan where there is no border.

    Args:
        radius: in pixels.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True

    def __init__(self, radius: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.radius = radius
        self._counts = f"within_{radius}px"
        self.add_count(self._counts, 2)  # right, all

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add B images.

        Args:
            preds: integers (B, H, W), the predicted class of each pixel.
            target: integers (B, H, W), the true one, or 255 = ignore.

        Raises:
            ValueError: where the shapes differ.
        """
        _check(preds, target)
        band = near_border(target, self.radius)
        self.increase(self._counts, torch.stack([(band & (preds == target)).sum(), band.sum()]))

    def compute(self) -> Tensor:
        """float32 (): the share over all pixels near a border."""
        right, total = getattr(self, self._counts)
        return ratio(right, total)


def near_border(target: Tensor, radius: int) -> Tensor:
    """bool (B, H, W): the pixels with a class other than their own within ``radius`` rows and columns of ``target``."""
    classes, ignored = target.float(), target == IGNORE
    highest = _highest(classes.masked_fill(ignored, -torch.inf), radius)
    lowest = -_highest((-classes).masked_fill(ignored, -torch.inf), radius)
    return ((highest > classes) | (lowest < classes)) & ~ignored


def _highest(values: Tensor, radius: int) -> Tensor:
    # Rows, then columns: as many comparisons as the square is wide, not as it has pixels.
    width = 2 * radius + 1
    rows = F.max_pool2d(values[:, None], (width, 1), stride=1, padding=(radius, 0))
    return F.max_pool2d(rows, (1, width), stride=1, padding=(0, radius))[:, 0]


def _bytes(values: Tensor) -> tuple[Tensor, Tensor]:
    """The values, those that no byte can hold as its least or greatest; and bool (), whether there was such a one."""
    if values.dtype == torch.uint8:
        return values, torch.zeros((), dtype=torch.bool, device=values.device)
    return values.clamp(0, _VALUES - 1), ((values < 0) | (values >= _VALUES)).any()


def _check(preds: Tensor, target: Tensor) -> None:
    if preds.shape != target.shape or target.ndim != 3:
        raise ValueError(f"preds are {tuple(preds.shape)}, target is {tuple(target.shape)}: (B, H, W) expected of both")
