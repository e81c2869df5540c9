"""One class an image: what is taken for what, and how sure of it the network is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datamodules.scene import Batch
from experiments.runs.findings import Finding
from lightning_modules.base import Prediction
from lightning_modules.classification import Classification

from .class_scores import by_class, calibration, confusion_of, confusion_sections
from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged, values_of


class ClassInquiry(Inquiry[Classification]):
    """Of :class:`~lightning_modules.classification.Classification` and what derives from it.

    How wrong an image is: -log of the probability of its true class, where another one is found.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.records: dict[int, tuple[int, int, float]] = {}
        """Of each image the true class, the one found and its probability."""

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        scores, truth = inputs["preds"].float().cpu(), inputs["target"].cpu()
        confidence, found = scores.max(1)
        rows = zip(truth.tolist(), found.tolist(), confidence.tolist(), strict=True)
        self.records.update(zip(batch["index"].tolist(), rows, strict=True))
        surprise = -scores.gather(1, truth[:, None])[:, 0].clamp(min=1e-12).log()
        return surprise.where(found != truth, 0).tolist()

    def gather(self) -> None:
        self.records = merged(self.records)

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        truth, found = (np.array(values_of(self.records, column), np.int64) for column in (0, 1))
        confidence = np.array(values_of(self.records, 2), np.float64)
        names = self.metadata.classes
        counts = confusion_of(truth, found, len(names))
        curve = calibration(confidence, truth == found, "Calibration", "accuracy")
        return [
            *self._baselines(truth, measured, training),
            by_class(counts, names, "images"),
            *confusion_sections(counts, names, "images"),
            *([curve] if curve else []),
        ]

    def _baselines(self, truth: np.ndarray, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        known = [int(scene["label"]) for scene in training.scenes if "label" in scene]
        # A pretext task makes its labels itself.
        own = type(self.task).needs >= {"label"} and known
        counts = np.bincount(known if own else truth, minlength=len(self.metadata.classes))
        order = np.argsort(-counts, kind="stable")
        accuracy, top5 = float((truth == order[0]).mean()), float(np.isin(truth, order[:5]).mean())
        name = f"the most frequent class, {self.metadata.classes[order[0]]}"
        note = f"The most frequent in {training if own else 'the evaluated images themselves'}."
        return [
            *measured.beside({"accuracy": accuracy, "error": 1 - accuracy}, name, ("error",), note),
            *measured.beside({"accuracy_top5": top5}, "the five most frequent classes", note=note),
        ]
