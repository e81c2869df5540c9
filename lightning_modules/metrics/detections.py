"""What the metrics of detections share: what they are given, and that it is matched at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .gather import GatheredMetric
from .matching import Arrays, Matched, Objects, area_of, matched_boxes, ranking, together

_EXTRAS = ("difficult", "crowd", "area")
"""What a target may have beside its place and its label."""


class DetectionMetric(GatheredMetric[Matched]):
    """A metric over the detections and the objects of each image, which are matched when they are given: boxes, here.

    Args:
        classes: the names of the classes that labels count.
        per_class: report each class's own value too.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True
    geometry: tuple[str, ...] = ("boxes",)
    """The fields that tell where an object is: ``boxes``, ``masks`` or ``keypoints``."""
    most: ClassVar[Sequence[int]] = (1, 10, 100)
    """Detections of a class and image that count in COCO's measures, by which recall is told apart; VOC counts all."""

    def __init__(self, classes: Sequence[str], *, per_class: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = tuple(classes)
        self.per_class = per_class

    def record(self, prediction: Arrays, target: Arrays) -> Matched:
        """The image's detections, matched; ``prediction`` holds them by descending score."""
        pixel = pixel_of(target)
        areas = area_of(target["boxes"].reshape(-1, 4)) / pixel
        return matched_boxes(prediction, target, self.objects(target, areas), self.most[-1], pixel)

    def objects(self, target: Arrays, areas: NDArray[np.float64]) -> Objects:
        """What matching asks of an image's objects; ``areas`` (G,) are theirs where the data set gives none."""
        none = np.zeros(len(target["labels"]), bool)
        passed_over = np.logical_or(target.get("crowd", none), target.get("difficult", none))
        return Objects(target["labels"], target.get("area", areas).astype(np.float64), passed_over, passed_over)

    @abstractmethod
    def values(self, images: Matched) -> dict[str, float]:
        """The metric's values by name, over all images in one table."""

    def compute(self) -> dict[str, Tensor]:
        """The metric over all images: see the class."""
        values = self.values(together(self.in_order()))
        return {key: torch.tensor(value, dtype=torch.float32, device=self.device) for key, value in values.items()}

    def update(self, predictions: Sequence[dict[str, Tensor]], targets: Sequence[dict[str, Tensor]], index: Tensor) -> None:
        """Add B images.

        Args:
            predictions: for each image ``boxes`` (N, 4) float xyxy in pixels, ``labels`` (N,) int64 from 0, ``scores``
                (N,) float, and ``masks`` (N, H, W) uint8 or ``keypoints`` (N, K, 3) float where those are evaluated. Any
                device, any order.
            targets: for each image ``boxes`` (M, 4), ``labels`` (M,) and, where there are any, ``difficult`` (M,) bool,
                ``crowd`` (M,) bool, ``area`` (M,) float in square pixels, ``masks`` (M, H, W) uint8, ``keypoints`` (M, K, 3);
                and where both were resized ``scale`` (2,) float64, the pixels in one of the annotation, across and down. What
                is measured in pixels is then measured in the annotation's, in which ``area`` is given.
            index: int64 (B,), the place of each image in its split.

        Raises:
            ValueError: where a field is missing or has not one entry an object, a label is no class's, or an image
                comes twice.
        """
        if not len(predictions) == len(targets) == len(index):
            raise ValueError(
                f"{type(self).__name__}.update: one entry an image expected, got {len(predictions)} predictions,"
                f" {len(targets)} targets, {len(index)} indices"
            )
        for place, prediction, target in zip(index.tolist(), predictions, targets, strict=True):
            found = self._arrays(prediction, (*self.geometry, "labels", "scores"), f"prediction of sample {place}")
            there = self._arrays(target, (*self.geometry, "labels"), f"target of sample {place}")
            if "scale" in target:
                there["scale"] = _array(target["scale"])
            self.add(place, self.record(ranking(found), there))

    def _arrays(self, values: dict[str, Tensor], needed: tuple[str, ...], where: str) -> Arrays:
        if missing := [key for key in needed if key not in values]:
            raise ValueError(f"{where} lacks {missing[0]}: {type(self).__name__} needs {', '.join(needed)}")
        arrays = {key: _array(values[key]) for key in (*needed, *_EXTRAS) if key in values}
        counts = {key: len(array) for key, array in arrays.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"{where}: one entry an object expected in each field, got {counts}")
        labels = arrays["labels"]
        if (strange := labels[(labels < 0) | (labels >= len(self.classes))]).size:
            raise ValueError(f"{where}: label {strange[0]} is out of range, the classes are 0 to {len(self.classes) - 1}")
        return arrays


def pixel_of(target: Arrays) -> float:
    """How many square pixels of an image are one of its annotation: 1 where it was not resized."""
    return float(target["scale"].prod()) if "scale" in target else 1.0


def _array(value: Tensor) -> NDArray[Any]:
    if value.dtype in (torch.bfloat16, torch.float16):  # mixed precision leaves it in boxes and scores; NumPy has no bfloat16
        value = value.float()
    return value.detach().cpu().numpy()
