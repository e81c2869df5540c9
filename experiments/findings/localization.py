"""The class and the box of an image's main object: which of the two is wrong, by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torchvision.ops import box_iou

from datamodules.scene import Batch
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.localization import Localization, main_objects
from lightning_modules.metrics.localization import MIN_IOU, LocalizationScores

from .class_scores import calibration, confusion_of, confusion_sections, share
from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged, values_of


class Located(NamedTuple):
    """What is kept of an image's main object."""

    truth: int
    found: int
    confidence: float
    iou: float
    box: tuple[float, ...]
    """The true one."""


class BoxInquiry(Inquiry[Localization]):
    """Of :class:`~lightning_modules.localization.Localization`.

    How wrong an image is: 1 - IoU; where its class is wrong too, 1 and how sure of it the network was.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.records: dict[int, Located] = {}

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        rows = main_objects(batch).rows.tolist()
        truth, found, box = inputs["target_label"].tolist(), inputs["label"].tolist(), inputs["target_box"].float()
        iou = box_iou(inputs["box"].float(), box).diagonal().nan_to_num(0).tolist()
        wrong = [0.0] * len(predictions)
        for k, row in enumerate(rows):
            confidence = float(predictions[row]["scores"].max())
            index = int(batch["index"][row])
            self.records[index] = Located(truth[k], found[k], confidence, iou[k], tuple(box[k].tolist()))
            wrong[row] = 1 - iou[k] if truth[k] == found[k] else 1 + confidence
        return wrong

    def gather(self) -> None:
        self.records = merged(self.records)

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        names = self.metadata.classes
        truth, found = (np.array(values_of(self.records, column), np.int64) for column in (0, 1))
        confidence, iou = (np.array(values_of(self.records, column), np.float64) for column in (2, 3))
        right, near = truth == found, iou >= MIN_IOU
        rows = list[tuple[str, int, float, float, float]]()
        for c, name in enumerate(names):
            own = truth == c
            if own.any():
                both = float((right & near)[own].mean())
                rows.append((name, int(own.sum()), float(right[own].mean()), float(iou[own].mean()), both))
        rows.sort(key=lambda row: row[-1])
        errors = [
            ("class and box right", right & near),
            ("class right, box wrong", right & ~near),
            ("class wrong, box right", ~right & near),
            ("both wrong", ~right & ~near),
        ]
        counts = [(name, int(chosen.sum()), float(share(chosen.sum(), np.array(len(truth))))) for name, chosen in errors]
        note = f"A box is right from an IoU of {MIN_IOU} on."
        curve = calibration(confidence, right, "Calibration of the class", "accuracy")
        columns = ("class", "images", "accuracy", "mean IoU", "both right")
        return [
            *self._baselines(truth, measured, training),
            TableFinding(title="Errors by type", columns=("what", "images", "share"), rows=tuple(counts), note=note),
            TableFinding(title="By class", columns=columns, rows=tuple(rows[:2000]), note=note),
            *confusion_sections(confusion_of(truth, found, len(names)), names, "images"),
            *([curve] if curve else []),
        ]

    def _baselines(self, truth: np.ndarray, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        """The most frequent class, and the mean of the training scenes' boxes, for every image."""
        labels, boxes = torch.from_numpy(truth), torch.tensor(values_of(self.records, 4)).reshape(-1, 4)
        known_labels, known_boxes = labels, boxes
        if training.scenes:
            known = main_objects(training.batch())
            known_labels, known_boxes = known.labels, known.boxes
        if not len(labels) or not len(known_labels):
            return []
        most = int(torch.bincount(known_labels).argmax())
        scores = LocalizationScores()
        constant = known_boxes.mean(0).expand(len(labels), -1)
        scores.update(torch.full_like(labels, most), constant, labels, boxes)
        values = {name: float(value) for name, value in scores.compute().items() if not name.startswith("iou_")}
        name = f"the class {self.metadata.classes[most]} and the mean box"
        note = f"Of {training if training.scenes else 'the evaluated images themselves'}."
        return [*measured.beside(values, name, ("class_error", "localization_error"), note)]
