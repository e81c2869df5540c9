"""A class for every pixel: which classes are taken for which, and what the mean mask of the training scenes reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.scene import IGNORE, Batch
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.distributed import gather_objects
from lightning_modules.segmentation import Segmentation

from .class_scores import Counts, confusion_sections, share
from .inquiry import Inquiry, MeasuredValues, TrainingSample

LARGEST = 2**24
"""Counts of classes by place that are kept (64 MiB); of larger masks the baseline is one class everywhere."""


class MaskInquiry(Inquiry[Segmentation]):
    """Of :class:`~lightning_modules.segmentation.Segmentation`.

    How wrong an image is: 1 - its mean IoU over the classes that occur in its truth.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.classes = len(self.metadata.mask_classes)
        self.counts: Tensor = torch.zeros(self.classes, self.classes, dtype=torch.long)
        """Pixels of each class (row) that are taken for each (column)."""
        height, width = self.metadata.image_size
        self.places: Tensor | None = None
        """int32 (C + 1, H * W): how many images have each class (the last: none) at each place."""
        if (self.classes + 1) * height * width <= LARGEST:
            self.places = torch.zeros(self.classes + 1, height * width, dtype=torch.int32)

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        found, truth = inputs["preds"].flatten(1).int(), inputs["target"].flatten(1).int()
        truth = truth.where(truth != IGNORE, self.classes)
        self._count_places(truth)
        # All pairs of each image in one histogram; not by bincount, which a GPU would be waited for in.
        size = self.classes + 1
        image = torch.arange(len(truth), device=truth.device, dtype=torch.int32)[:, None]
        pairs = ((image * size + truth) * size + found).flatten()
        counts = torch.zeros(len(truth) * size * size, dtype=torch.int32, device=truth.device)
        counts.index_add_(0, pairs, torch.ones((), dtype=torch.int32, device=truth.device).expand(len(pairs)))
        own = counts.view(-1, size, size)[:, :-1, :-1]
        self.counts = self.counts.to(own.device) + own.sum(0, dtype=torch.long)
        right, there = own.diagonal(dim1=1, dim2=2), own.sum(2)
        iou = right / (there + own.sum(1) - right).clamp(min=1)
        return (1 - (iou * (there > 0)).sum(1) / (there > 0).sum(1).clamp(min=1)).where(there.any(1), 0).tolist()

    def _count_places(self, truth: Tensor) -> None:
        if self.places is None:
            return
        self.places = self.places.to(truth.device)
        pixels = truth.shape[1]
        places = (truth * pixels + torch.arange(pixels, device=truth.device, dtype=torch.int32)).flatten()
        one = torch.ones((), dtype=torch.int32, device=truth.device)
        self.places.view(-1).index_add_(0, places, one.expand(len(places)))

    def gather(self) -> None:
        self.counts = torch.stack(gather_objects(self.counts.cpu())).sum(0)
        if self.places is not None:
            self.places = torch.stack(gather_objects(self.places.cpu())).sum(0, dtype=torch.int32)

    @property
    def confusion(self) -> Counts:
        """(C, C): the same."""
        return self.counts.numpy()

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        names = self.metadata.mask_classes
        constant, name, note = self._constant(training)
        beside = ious(constant)
        truth, found, right = self.confusion.sum(1), self.confusion.sum(0), self.confusion.diagonal()
        columns = ("class", "share of the pixels", "IoU", "IoU of the baseline", "accuracy", "precision")
        each = zip(
            names,
            truth / max(1, truth.sum()),
            ious(self.confusion),
            beside,
            share(right, truth),
            share(right, found),
            strict=True,
        )
        rows = sorted((row for row in each if row[1] or not np.isnan(row[2])), key=lambda row: float(row[2]))
        pixel_accuracy = float(constant.diagonal().sum() / max(1, constant.sum()))
        class_accuracy = float(np.nanmean(share(constant.diagonal(), constant.sum(1)))) if constant.any() else 0.0
        values = {
            "miou": float(np.nanmean(beside)) if constant.any() else 0.0,
            "pixel_accuracy": pixel_accuracy,
            "class_accuracy": class_accuracy,
        }
        return [
            *measured.beside(values, name, note=note),
            TableFinding(title="By class", columns=columns, rows=tuple(rows[:2000]), note=f"Baseline: {name}."),
            *confusion_sections(self.confusion, names, "pixels"),
        ]

    def _constant(self, training: TrainingSample) -> tuple[Counts, str, str]:
        """The confusion of a mask that is the same for every image, what it is, and where it comes from."""
        masks = [scene["mask"].flatten() for scene in training.scenes if "mask" in scene]
        origin = str(training) if masks else "the evaluated images themselves"
        if self.places is None:
            counts = np.zeros(256, np.int64)
            for mask in masks:
                counts += torch.bincount(mask, minlength=256).numpy()
            totals = counts[: self.classes] if masks else self.confusion.sum(1)
            constant = np.zeros_like(self.confusion)
            constant[:, most := int(totals.argmax())] = self.confusion.sum(1)
            return constant, f"{self.metadata.mask_classes[most]} everywhere", f"The most frequent class of {origin}."
        known = torch.zeros_like(self.places) if masks else self.places
        for mask in masks:
            kept = mask.long().clamp(max=self.classes)
            known.view(-1).index_add_(0, kept * len(kept) + torch.arange(len(kept)), torch.ones(len(kept), dtype=torch.int32))
        mean = known[:-1].argmax(0)
        constant = confusion_with_constant(self.places[:-1].numpy(), mean.numpy())
        return constant, "the mean mask", f"At each place the most frequent class there, of {origin}."


def confusion_with_constant(places: NDArray[np.int32], mask: NDArray[np.int64]) -> Counts:
    """(C, C): the confusion of one mask (P,) for all images, whose classes at each place were counted in (C, P)."""
    counts = np.zeros((len(places), len(places)), np.int64)
    for c in np.unique(mask):
        counts[:, c] = places[:, mask == c].sum(1, dtype=np.int64)
    return counts


def ious(confusion: Counts) -> NDArray[np.float64]:
    """(C,): intersection over union; nan where a class occurs neither in truth nor in predictions."""
    right = confusion.diagonal()
    return share(right, confusion.sum(0) + confusion.sum(1) - right)
