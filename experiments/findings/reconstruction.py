"""An image from an image: which are reproduced worst, and what the mean image, or doing nothing, reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from datamodules.scene import Batch
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.denoising import Denoising
from lightning_modules.distributed import gather_objects
from lightning_modules.reconstruction import Reconstruction

from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged, values_of

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 1.0)


class ImageInquiry(Inquiry[Reconstruction]):
    """Of :class:`~lightning_modules.reconstruction.Reconstruction` and :class:`~lightning_modules.denoising.Denoising`.

    How wrong an image is: its mean squared error.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.records: dict[int, tuple[float]] = {}
        self.total = torch.zeros(3, *self.metadata.image_size, dtype=torch.long)
        """The sum of all images; and of their squares:"""
        self.squares = 0

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        target = inputs["target"].int()
        errors = (inputs["preds"].int() - target).square().flatten(1).sum(1, dtype=torch.long).double() / target[0].numel()
        self.records.update(zip(batch["index"].tolist(), ((error,) for error in errors.tolist()), strict=True))
        self.total = self.total.to(target.device) + target.sum(0, dtype=torch.long)
        self.squares += int(target.square().sum(dtype=torch.long))
        return errors.tolist()

    def gather(self) -> None:
        self.records = merged(self.records)
        self.total = torch.stack(gather_objects(self.total.cpu())).sum(0)
        self.squares = sum(gather_objects(self.squares))

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        errors = np.array(values_of(self.records, 0), np.float64)
        if not len(errors):
            return []
        ratios = 10 * np.log10(255**2 / np.maximum(errors, 1e-12))
        rows = tuple((f"{q:.0%}", float(np.quantile(ratios, q))) for q in QUANTILES)
        note = "Of so many images the ratio is no higher."
        table = TableFinding(title="Ratio of single images, dB", columns=("of the images", "PSNR"), rows=rows, note=note)
        return [*self._baselines(measured, training), table]

    def _baselines(self, measured: MeasuredValues, training: TrainingSample) -> Sequence[Finding]:
        noisy = measured.values.get(f"{measured.split}/psnr_noisy")
        if isinstance(self.task, Denoising) and noisy is not None:
            return measured.beside({"psnr": noisy}, "the noisy image as it is")
        count = len(self.records)
        mean = self.total.double() / count if training.mean_image is None else training.mean_image.double()
        # The sum of (image - mean)^2 over all images, from their sum and that of their squares.
        error = self.squares - 2 * float((self.total * mean).sum()) + count * float(mean.square().sum())
        origin = "the evaluated images themselves" if training.mean_image is None else str(training)
        value = ratio_of(error / (count * mean.numel()))
        return measured.beside({"psnr": value}, "the mean image", note=f"The mean of {origin}.")


def ratio_of(error: float) -> float:
    """Decibels of a mean squared error of bytes."""
    return 10 * math.log10(255**2 / max(error, 1e-12))
