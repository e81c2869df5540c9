"""Every object's class and box: precision by class and by score, errors by type, and what a constant answer reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.scene import Batch
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.detection import Detection
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.detections import DetectionMetric
from lightning_modules.metrics.matching import Arrays, Matched, ranking, together
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.metrics.voc import BoxAP
from lightning_modules.transfer import fields_on_cpu

from .class_scores import calibration, confusion_sections
from .detection_errors import ImageObjects, confusion_of_image, errors_of
from .detection_tables import Errors, best_threshold, error_table, precision_curves, precisions_by_class, right_at_half
from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged

MOST = 100
"""Detections of an image that are looked at, as in COCO's measures."""
BOXES = 20
"""Classes that the constant answer has a box of: the most frequent of the training scenes."""


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
        self.records: dict[int, ImageObjects] = {}
        self.matched: dict[str, dict[int, Matched]] = {}
        """By what is measured: boxes, and masks and keypoints where there are any."""
        self.threshold: float | None = None

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        fields = ("boxes", "labels", "difficult", "crowd")
        truth: list[Any] = [{f: batch[f][i] for f in fields if f in batch} for i in range(len(predictions))]  # type: ignore[literal-required]
        own: list[Any] = [{f: p[f] for f in ("boxes", "labels", "scores") if f in p} for p in predictions]  # type: ignore[literal-required]
        (found, there), (index,) = fields_on_cpu([own, truth], (*fields, "scores"), batch["index"])
        for place, detections, objects in zip(index.tolist(), found, there, strict=True):
            self.records[place] = objects_of(detections, objects)
        return [_softly_wrong(self.boxes_metric.records[place]) for place in index.tolist()]

    def take(self) -> None:
        kinds = {"boxes": BoxAP, "masks": CocoAP, "keypoints": KeypointAP}
        for name, kind in kinds.items():
            if isinstance(metric := self.metric(kind), DetectionMetric):
                self.matched[name] = dict(metric.records)

    def gather(self) -> None:
        self.records = merged(self.records)
        self.matched = {name: merged(images) for name, images in self.matched.items()}
        self.threshold = best_threshold(self._table("boxes"))

    @property
    def least_score(self) -> float | None:
        return self.threshold

    def _table(self, what: str) -> Matched:
        return together(list(self.matched.get(what, {}).values()))

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        table = self._table("boxes")
        constant = self._constant(training)
        errors = self._errors()
        others = {what: precisions_by_class(self._table(what), len(self.classes)) for what in self.matched if what != "boxes"}
        right, counts = right_at_half(table.found)
        scores = table.found["score"][counts].astype(np.float64)
        curve = calibration(scores, right[counts], "Scores of detections", "precision at IoU 0.5")
        note = self._note()
        return [
            *self._beside(measured, constant, training),
            error_table(table, errors, len(self.classes), note),
            self._by_class(table, errors, others, constant, note),
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

    def _constant(self, training: TrainingSample) -> Matched:
        """The matching of the same boxes for every image: of each class its mean box, by how often it occurs."""
        truth = [(image.true_boxes, image.true_labels) for image in self.records.values()]
        known = [_boxes_and_labels(scene) for scene in training.scenes] or truth
        boxes, labels = (
            (np.concatenate(part) for part in zip(*known, strict=True)) if known else (np.zeros((0, 4)), np.zeros(0))
        )
        frequency = np.bincount(labels.astype(np.int64), minlength=len(self.classes))
        chosen = np.argsort(-frequency, kind="stable")[:BOXES]
        chosen = chosen[frequency[chosen] > 0]
        means = [boxes[labels == c].mean(0) for c in chosen]
        answer = {
            "boxes": np.array(means, np.float32).reshape(-1, 4),
            "labels": chosen.astype(np.int64),
            "scores": (frequency[chosen] / max(1, frequency.sum())).astype(np.float32),
        }
        metric, images = BoxAP(self.classes), []
        for image in self.records.values():
            target: Arrays = {"boxes": image.true_boxes, "labels": image.true_labels, "difficult": image.ignored}
            images.append(metric.record(ranking(answer), target))
        return together(images)

    def _beside(self, measured: MeasuredValues, constant: Matched, training: TrainingSample) -> list[Finding]:
        # What is told apart by area is left out: areas of the annotation are not kept.
        values = {n: v for n, v in BoxAP(self.classes).values(constant).items() if not n.endswith(("small", "medium", "large"))}
        origin = training if training.scenes else "the evaluated images themselves"
        note = f"The mean box of each class (at most {BOXES} of them), the same for every image, of {origin}."
        return [*measured.beside(values, "constant boxes", note=note)]


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


def _boxes_and_labels(scene: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    boxes = scene["boxes"].numpy().reshape(-1, 4)
    return boxes, scene["labels"].numpy() if "labels" in scene else np.zeros(len(boxes), np.int64)


def _softly_wrong(image: Matched) -> float:
    right, counts = right_at_half(image.found)
    scores = image.found["score"].clip(0, 1).astype(np.float64)
    found, false = float(scores[right].sum()), float(scores[counts & ~right].sum())
    missed = int(image.there["counts"][:, 0].sum()) - found
    whole = 2 * found + false + missed
    return 1 - 2 * found / whole if whole else 0.0
