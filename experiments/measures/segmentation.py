"""What studies of segmentation measure beyond mIoU: the checkerboard in the logits, and the borders of objects."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor
from torch.nn import functional as F
from torchvision.utils import make_grid

from datamodules.base import PreparedScenes
from datamodules.loading import collate
from datamodules.scene import IGNORE, Batch
from experiments.runs.files import PICTURES
from experiments.runs.folder import folder_of
from experiments.training.drawing import draw, write_picture
from lightning_modules.evaluating import evaluating
from lightning_modules.metrics.segmentation import BandAccuracy

from .training import most

BORDER = 4
"""Rows and columns at an image's edge that are passed over: padding leaves marks of its own there."""


def phase_energy(maps: Tensor, border: int = BORDER) -> Tensor:
    """The share of the maps' fine variance that a pixel's place in its 2 x 2 block explains: a checkerboard's size.

    What changes slowly, the content, is taken away first: from each pixel the mean of its neighbourhood, weighted
    (1, 2, 1) x (1, 2, 1) / 16, which lets a pattern of period 2 pass whole. Then, for each channel, the variance of the
    four phases' means over all images is divided by that of all pixels; channels count by their variance. Content has no
    phase that it prefers, so that many images leave about 3 / pixels of it; a pure checkerboard has 1.

    Args:
        maps: float (B, C, H, W).
        border: rows and columns that are passed over at each edge, at least 1.

    Returns:
        float64 (), from 0 to 1; nan where all maps are constant.

    Raises:
        ValueError: nothing is left within the border.
    """
    batch, channels, *sides = maps.shape
    rows, columns = ((side - 2 * border) // 2 for side in sides)
    if border < 1 or min(rows, columns) < 1:
        raise ValueError(f"phase_energy: maps are {tuple(maps.shape)} and border is {border}: at least 1, and 2 pixels inside")
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64, device=maps.device) / 4
    flat = maps.double().flatten(0, 1)[:, None]
    fine = (flat[..., 1:-1, 1:-1] - F.conv2d(flat, torch.outer(taps, taps)[None, None]))[:, 0]
    inside = fine[:, border - 1 :, border - 1 :][:, : 2 * rows, : 2 * columns]
    blocks = inside.reshape(batch, channels, rows, 2, columns, 2)
    phases = blocks.mean(dim=(0, 2, 4)).flatten(1)
    total = blocks.transpose(0, 1).flatten(1)
    return phases.var(dim=1, correction=0).sum() / total.var(dim=1, correction=0).sum()


class PhaseEnergy(pl.Callback):
    """At the end, :func:`phase_energy` of the logits on the first validation scenes: ``val/phase_energy`` in the run's log.

    It is the mean over the last steps of a training, so that no single one decides. Beside it ``val/phase_energy_of_truth``,
    that of the true masks as one map a class: what the content alone has. The first scenes go into the run's
    ``pictures/upsampling.png``, each in a row: image, truth, prediction, logits of class 0.

    Args:
        samples: how many scenes are measured.
        pictures: how many scenes are drawn; 0 draws none.
        last: how often it is measured: at the end, and before it.
        every: steps between two measurements.
    """

    def __init__(self, samples: int = 200, pictures: int = 6, last: int = 1, every: int = 20) -> None:
        self.samples, self.pictures, self.last, self.every = samples, pictures, last, every
        self._before: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        return {"before": self._before}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before = list(state_dict["before"])

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        left = trainer.estimated_stepping_batches - trainer.global_step
        if 0 < left < self.last * self.every and left % self.every == 0:
            self._before.append(float(phase_energy(self._logits(trainer, pl_module)[1])))

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        batch, logits = self._logits(trainer, pl_module)
        truth = F.one_hot(batch["mask"].long().where(batch["mask"] != IGNORE, 0), logits.shape[1]).movedim(-1, 1)
        values = {
            "val/phase_energy": statistics.mean([*self._before, float(phase_energy(logits))]),
            "val/phase_energy_of_truth": float(phase_energy(truth)),
        }
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))
        if self.pictures and (folder := folder_of(trainer)):
            self._draw(folder / PICTURES, pl_module, batch, logits)

    def _logits(self, trainer: pl.Trainer, task: Any) -> tuple[Any, Tensor]:
        """The first validation scenes as a batch, and their logits (B, C, H, W)."""
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        scenes = PreparedScenes(data, "val", augment=False)
        batch: Any = collate([scenes[(0, i)] for i in range(min(self.samples, len(scenes), most(trainer)))])
        with torch.no_grad(), evaluating(task):
            parts = batch["image"].split(data.batch_size)
            return batch, torch.cat([task(images.to(task.device)).float().cpu() for images in parts])

    @rank_zero_only
    def _draw(self, folder: Path, task: Any, batch: Batch, logits: Tensor) -> None:
        predictions = task.predict(logits)
        tiles = []
        for i in range(min(self.pictures, len(predictions))):
            image = batch["image"][i]
            tiles += [draw(image, fields, task.metadata) for fields in ({}, {"mask": batch["mask"][i]}, predictions[i])]
            grey = _grey(logits[i, 0])
            tiles.append(draw(grey.expand(3, -1, -1), {}, task.metadata))
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(make_grid(tiles, nrow=4, padding=4), folder / "upsampling.png")


def _grey(values: Tensor) -> Tensor:
    """uint8 (H, W): ``values`` from its least, black, to its greatest, white."""
    low, high = values.aminmax()
    return ((values - low) / (high - low).clamp(min=1e-12) * 255).to(torch.uint8)


class BorderAccuracy(pl.Callback):
    """The share of right pixels within ``radius`` of a border between classes: ``test/border_accuracy``.

    Args:
        radius: in pixels; see :class:`BandAccuracy`.
    """

    def __init__(self, radius: int = 1) -> None:
        self.metric = BandAccuracy(radius)

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if outputs is not None:
            preds = torch.stack([prediction["mask"] for prediction in outputs])
            self.metric.to(preds.device).update(preds, batch["mask"])

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log("test/border_accuracy", self.metric.compute())
        self.metric.reset()
