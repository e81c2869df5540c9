"""Any number of classes an image: precision and recall of each class, and whether its probability can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_average_precision, binary_precision_recall_curve

from datamodules.scene import Batch
from experiments.runs.findings import CurveSeries, CurvesFinding, Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.classification import MultiLabelClassification
from lightning_modules.metrics.multilabel import MultiLabelF1

from .class_scores import calibration
from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged

CURVES = 12
"""Classes whose curves are drawn: those that most images show."""
POINTS = 101
THRESHOLD = 0.5
"""Of a probability, from which on a class counts as found: that of the task and of its F1."""


class LabelsInquiry(Inquiry[MultiLabelClassification]):
    """Of :class:`~lightning_modules.classification.MultiLabelClassification`.

    How wrong an image is: its binary cross-entropy, averaged over the classes that are judged, where one of them is wrong.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.records: dict[int, tuple[Tensor, Tensor]] = {}
        """Of each image the probability of each class, float32 (C,), and whether it is there: 1, 0, or -1 = not judged."""

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        scores, truth = inputs["preds"].float().cpu(), inputs["target"].to(torch.int8).cpu()
        self.records.update(zip(batch["index"].tolist(), zip(scores.clone(), truth, strict=True), strict=True))
        judged = truth >= 0
        of_truth = torch.where(truth == 1, scores, 1 - scores).clamp(min=1e-12)
        surprise = (-of_truth.log() * judged).sum(1) / judged.sum(1).clamp(min=1)
        wrong = (((scores > THRESHOLD) != (truth == 1)) & judged).any(1)
        return surprise.where(wrong, 0).tolist()

    def gather(self) -> None:
        self.records = merged(self.records)

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        if not self.records:
            return []
        scores, truth = (torch.stack(part) for part in zip(*self.records.values(), strict=True))
        truth = truth.long()
        judged, shown = truth >= 0, (truth == 1).sum(0)
        names, rows, prior = self.metadata.classes, [], dict[int, float]()
        series = list[CurveSeries]()
        order = torch.argsort(-shown, stable=True).tolist()
        for c in order:
            if not shown[c]:
                continue
            p, there = scores[judged[:, c], c], truth[judged[:, c], c]
            said = p > THRESHOLD
            right = int((said & (there == 1)).sum())
            ap, prior[c] = float(binary_average_precision(p, there)), float(there.float().mean())
            precision = right / int(said.sum()) if said.any() else None
            rows.append((names[c], int(shown[c]), ap, prior[c], precision, right / int(shown[c])))
            if len(series) < CURVES:
                series.append(_curve(names[c], p, there))
        rows.sort(key=lambda row: row[2])
        pairs = judged.numpy()
        curve = calibration(
            scores.double().numpy()[pairs], (truth == 1).numpy()[pairs], "Calibration", "share that is there", "Of all classes."
        )
        columns = ("class", "images", "AP", "AP of a constant", "precision at 0.5", "recall at 0.5")
        return [
            *self._baselines(truth, prior, measured, training),
            TableFinding(title="By class", columns=columns, rows=tuple(rows[:2000])),
            CurvesFinding(title="Precision over recall", x="recall", y="precision", series=tuple(series)),
            *([curve] if curve else []),
        ]

    def _baselines(
        self, truth: Tensor, prior: dict[int, float], measured: MeasuredValues, training: TrainingSample
    ) -> Sequence[Finding]:
        """Each class's share of the training images as its probability, whatever the image."""
        counts, images = torch.zeros(truth.shape[1]), 0
        for scene in training.scenes:
            counts[scene["labels"].unique()] += 1
            images += 1
        shares = counts / images if images else (truth == 1).float().mean(0)
        f1 = MultiLabelF1(truth.shape[1])
        f1.update(shares.expand(len(truth), -1), truth)
        note = f"Shares of {training if images else 'the evaluated images themselves'}; all images rank alike then."
        ap = float(np.mean(list(prior.values()))) if prior else -1.0
        values = {"map": ap, "f1": float(f1.compute())}
        return measured.beside(values, "each class's share of the images", note=note)


def _curve(name: str, scores: Tensor, truth: Tensor) -> CurveSeries:
    """The best precision at each of :data:`POINTS` recalls, or at a higher one."""
    precision, recall, _ = binary_precision_recall_curve(scores, truth)  # recall falls
    best = np.maximum.accumulate(precision.flip(0).numpy()[::-1])[::-1]
    recalls = np.linspace(0, 1, POINTS)
    places = np.searchsorted(recall.flip(0).numpy(), recalls, side="left").clip(max=len(best) - 1)
    return CurveSeries(name=name, x=tuple(recalls.tolist()), y=tuple(best[places].tolist()))
