"""Every object's class and box: precision by class and by score, errors by type, and what a constant answer reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.scene import Batch, scales_of
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.detection import Detection
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.detections import DetectionMetric
from lightning_modules.metrics.matching import Arrays, Matched, together
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.metrics.voc import BoxAP
from lightning_modules.transfer import fields_on_cpu

from .class_scores import calibration, confusion_sections
from .constant_objects import ConstantObjects, TrueObjects
from .detection_errors import ImageObjects, confusion_of_image, errors_of
from .detection_tables import Errors, best_threshold, error_table, precision_curves, precisions_by_class, right_at_half
from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged

MOST = 100
"""Detections of an image that are looked at, as in COCO's measures."""
KINDS: dict[str, type[DetectionMetric]] = {"boxes": BoxAP, "masks": CocoAP, "keypoints": KeypointAP}
"""Of metrics whose matching is looked at, by what is measured."""


class ObjectInquiry(Inquiry[Detection]):
    """Of :class:`~lightning_modules.detection.Detection` and all that derives from it, by boxes.

    Which detections are right is what the task's own metric has matched. How wrong an image is: 1 - F1, where each detection
    counts by its score and what is found counts as far as its score goes, so that no threshold has to be chosen.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        metric = self.metric(BoxAP)
        assert metric is not None
        self.boxes_metric, self.classes = metric, metric.classes
        self.judged = {name: own for name, kind in KINDS.items() if (own := self.metric(kind)) is not None}
        self.records: dict[int, ImageObjects] = {}
        self.truth: dict[int, TrueObjects] = {}
        self.matched: dict[str, dict[int, Matched]] = {}
        """By what is measured: boxes, and masks and keypoints where there are any."""
        self.threshold: float | None = None

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        fields = ("boxes", "labels", "difficult", "crowd", "area", *(name for name in self.judged if name != "boxes"))
        truth: list[Any] = [{f: batch[f][i] for f in fields if f in batch} for i in range(len(predictions))]  # type: ignore[literal-required]
        own: list[Any] = [{f: p[f] for f in ("boxes", "labels", "scores") if f in p} for p in predictions]  # type: ignore[literal-required]
        (found, there), (index,) = fields_on_cpu([own, truth], (*fields, "scores"), batch["index"])
        scales = scales_of(batch) or [(1.0, 1.0)] * len(predictions)
        for place, detections, objects, scale in zip(index.tolist(), found, there, scales, strict=True):
            self.records[place] = image = objects_of(detections, objects)
            self.truth[place] = true_objects_of(image, objects, scale)
        return [_softly_wrong(self.boxes_metric.records[place]) for place in index.tolist()]

    def take(self) -> None:
        self.matched = {name: dict(metric.records) for name, metric in self.judged.items()}

    def gather(self) -> None:
        self.records, self.truth = merged(self.records), merged(self.truth)
        self.matched = {name: merged(images) for name, images in self.matched.items()}
        self.threshold = best_threshold(self._table("boxes"))

    @property
    def least_score(self) -> float | None:
        return self.threshold

    def _table(self, what: str) -> Matched:
        return together(list(self.matched.get(what, {}).values()))

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        table = self._table("boxes")
        constant = ConstantObjects(list(self.judged.values()), list(self.truth.values()), training)
        errors = self._errors()
        others = {what: precisions_by_class(self._table(what), len(self.classes)) for what in self.matched if what != "boxes"}
        right, counts = right_at_half(table.found)
        scores = table.found["score"][counts].astype(np.float64)
        curve = calibration(scores, right[counts], "Scores of detections", "precision at IoU 0.5")
        note = self._note()
        return [
            *constant.sections(measured),
            error_table(table, errors, len(self.classes), note),
            self._by_class(table, errors, others, constant.matched_to(self.boxes_metric), note),
            *confusion_sections(errors.confusion, (*self.classes, "background"), "objects", note),
            precision_curves(table, self.classes),
            *([curve] if curve else []),
        ]

    def _note(self) -> str:
        if self.threshold is None:
            return "No detection is right."
        return f"Of detections with a score of {self.threshold:.3g} and more, where F1 at IoU 0.5 is the best."

    def _errors(self) -> Errors:
        """The errors of all images, of detections that reach the threshold."""
        errors = Errors.none(len(self.classes))
        for place, image in self.records.items():
            matched = self.matched["boxes"][place]
            right, counts = (flags[: len(image.labels)] for flags in right_at_half(matched.found))
            scores = matched.found["score"][: len(image.labels)]
            reach = int((scores >= self.threshold).sum()) if self.threshold is not None else 0
            kept = image._replace(boxes=image.boxes[:reach], labels=image.labels[:reach])
            found = errors_of(kept, right[:reach], counts[:reach])
            pairs = confusion_of_image(kept, found, len(self.classes))
            errors.add(found, image, pairs, len(matched.found))
        return errors

    def _by_class(
        self,
        table: Matched,
        errors: Errors,
        others: dict[str, NDArray[np.float64]],
        constant: Matched,
        note: str,
    ) -> TableFinding:
        own, beside = (precisions_by_class(images, len(self.classes)) for images in (table, constant))
        objects = np.bincount(table.there["label"][table.there["counts"][:, 0]], minlength=len(self.classes))
        right = errors.confusion.diagonal()[:-1]
        truth, found = errors.confusion.sum(1)[:-1], errors.confusion.sum(0)[:-1]
        further = {"masks": "mask AP", "keypoints": "keypoint AP"}
        columns = (
            "class",
            "objects",
            "AP",
            "AP50",
            *(further[what] for what in others),
            "recall",
            "precision",
            "AP50 of constant boxes",
        )
        rows = [
            (
                name,
                int(objects[c]),
                own[c, 0],
                own[c, 1],
                *(values[c, 0] for values in others.values()),
                right[c] / truth[c] if truth[c] else None,
                right[c] / found[c] if found[c] else None,
                beside[c, 1],
            )
            for c, name in enumerate(self.classes)
            if objects[c] or found[c]
        ]
        rows.sort(key=lambda row: float(np.nan_to_num(row[2], nan=2)))
        return TableFinding(
            title="By class",
            columns=columns,
            rows=tuple(rows[:2000]),
            note=f"Recall and precision are those {note[0].lower()}{note[1:]}" if self.threshold is not None else note,
        )


def objects_of(detections: dict[str, torch.Tensor], objects: dict[str, torch.Tensor]) -> ImageObjects:
    """What is kept of an image; detections without a class, and regions, are all of class 0."""
    order = torch.argsort(-detections["scores"].float(), stable=True)[:MOST].numpy()
    boxes, true_boxes = (fields["boxes"].float().numpy().reshape(-1, 4) for fields in (detections, objects))
    labels, true_labels = (
        fields["labels"].numpy() if "labels" in fields else np.zeros(len(fields["boxes"]), np.int64)
        for fields in (detections, objects)
    )
    ignored = np.zeros(len(true_boxes), bool)
    for flag in ("difficult", "crowd"):
        if flag in objects:
            ignored |= objects[flag].numpy().astype(bool)
    return ImageObjects(boxes[order], labels[order], true_boxes, true_labels, ignored)


def true_objects_of(image: ImageObjects, objects: dict[str, torch.Tensor], scale: Sequence[float]) -> TrueObjects:
    """What a constant answer is judged by; ``scale`` is that of :func:`~datamodules.scene.scales_of`."""
    arrays: Arrays = {"boxes": image.true_boxes, "labels": image.true_labels, "difficult": image.ignored}
    return TrueObjects.of({**objects, "scale": torch.tensor(scale, dtype=torch.float64)}, arrays)


def _softly_wrong(image: Matched) -> float:
    right, counts = right_at_half(image.found)
    scores = image.found["score"].clip(0, 1).astype(np.float64)
    found, false = float(scores[right].sum()), float(scores[counts & ~right].sum())
    missed = int(image.there["counts"][:, 0].sum()) - found
    whole = 2 * found + false + missed
    return 1 - 2 * found / whole if whole else 0.0
