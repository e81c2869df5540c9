"""R-CNN's SVMs with C chosen on images that they are not fitted to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import batched_nms

from lightning_modules.feature_store import ImageFeatures
from lightning_modules.linear_svms import Images, LinearSVMs, margins
from lightning_modules.metrics.voc import Voc2007AP

CS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Around the authors' 10⁻³; features of other lengths and numbers want others."""


class ChosenSVMs(LinearSVMs):
    """Fits the SVMs of each C to four fifths of the images, takes the C of the best AP on the last, and fits that to all.

    What works for features of one length and number need not for others: with the authors' C and few images SVMs lost to the
    softmax that they replace.

    Args:
        cs: the values of C.
        held_out: of so many images one is held out.
        nms_threshold: of two boxes of a class that overlap by more only the better stays.
        kwargs: see :class:`LinearSVMs`.
    """

    def __init__(self, *, cs: Sequence[float] = CS, held_out: int = 5, nms_threshold: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cs, self.held_out, self.nms_threshold = tuple(cs), held_out, nms_threshold

    def fit(self, images: Images, num_classes: int) -> npt.NDArray[np.float64]:
        """float64 (num_classes, 1 + D), as :meth:`LinearSVMs.fit`; of equal Cs the least is taken."""
        taught, judged = partial(self._part, images, held_out=False), partial(self._part, images, held_out=True)
        found = {}
        for c in self.cs:
            self.c = c
            found[c] = self.average_precision(super().fit(taught, num_classes), judged())
        self.c = max(self.cs, key=lambda c: (found[c], -c))
        return super().fit(images, num_classes)

    def _part(self, images: Images, *, held_out: bool) -> Iterable[ImageFeatures]:
        return (image for place, image in enumerate(images()) if (place % self.held_out == self.held_out - 1) is held_out)

    def average_precision(self, svms: npt.NDArray[np.float64], images: Iterable[ImageFeatures]) -> float:
        """VOC 2007's AP of SVMs (num_classes, 1 + D) among the proposals of images, boxes unmoved; 0 where no object is."""
        metric, place = Voc2007AP([str(c) for c in range(len(svms))]), -1
        for place, image in enumerate(images):
            objects = len(image.labels)
            scores = torch.from_numpy(np.stack([margins(svm, image.features[objects:]) for svm in svms], 1)).float()
            boxes = torch.from_numpy(np.array(image.boxes[objects:])).repeat_interleave(len(svms), 0)
            labels = torch.arange(len(svms)).repeat(len(scores))
            kept = batched_nms(boxes, scores.flatten(), labels, self.nms_threshold)
            found = {"boxes": boxes[kept], "labels": labels[kept], "scores": scores.flatten()[kept].sigmoid()}
            there = {
                "boxes": torch.from_numpy(np.array(image.boxes[:objects])),
                "labels": torch.from_numpy(np.array(image.labels)),
            }
            metric.update([found], [there], torch.tensor([place]))
        value = float(metric.compute()["mAP_voc07"]) if place >= 0 else 0.0
        return 0.0 if math.isnan(value) else value
