"""Labels that are not there, for studies of what full supervision is worth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from datamodules.scene import IGNORE

OF_OBJECTS = ("boxes", "labels", "masks", "keypoints", "difficult", "crowd", "area")


class _Missing(pl.Callback, ABC):
    """In training, takes labels away by (``seed``, the data module's ``data_seed``, the image's index) alone.

    So the same labels are missing in every epoch, and in every run on the same data. Validation and test have them all.
    """

    def __init__(self, share: float, seed: int = 0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"{type(self).__name__}: share is {share}: 0 to 1 expected")
        self.share, self.seed = share, seed

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch is None:
            return
        data_seed: int = trainer.datamodule.data_seed  # type: ignore[attr-defined]
        for row, index in enumerate(batch["index"].tolist()):
            self.remove(batch, row, np.random.default_rng([self.seed, data_seed, index]))

    @abstractmethod
    def remove(self, batch: Any, row: int, rng: np.random.Generator) -> None:
        """Takes labels of one image of a batch away, in place."""


class SparseLabels(_Missing):
    """Of each training image this share of the pixels keeps its class, at random; the others are neither right nor wrong.

    Pixels are drawn where they lie in the batch: an image that is also shown flipped has up to twice as many.

    Args:
        share: of the pixels, from 0 to 1.
        seed: of the choice; the run's own has no part in it.

    Raises:
        ValueError: ``share`` is out of its range.
    """

    def remove(self, batch: Any, row: int, rng: np.random.Generator) -> None:
        mask = batch["mask"][row]
        hidden = rng.random(tuple(mask.shape)) >= self.share
        mask[torch.as_tensor(hidden, device=mask.device)] = IGNORE


class MissingObjects(_Missing):
    """Each object of a training image is left out of the truth with this probability: it is then background.

    Args:
        share: of the objects, from 0 to 1.
        seed: of the choice; the run's own has no part in it.

    Raises:
        ValueError: ``share`` is out of its range.
    """

    def remove(self, batch: Any, row: int, rng: np.random.Generator) -> None:
        kept = torch.as_tensor(np.flatnonzero(rng.random(len(batch["boxes"][row])) >= self.share))
        for field in OF_OBJECTS:
            if field in batch:
                values = batch[field][row]
                batch[field][row] = values[kept.to(values.device)]
