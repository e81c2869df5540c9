"""Wrong training targets, for studies of how losses bear them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch


class CorruptedKeypoints(pl.Callback):
    """In training, gives a share of the images keypoints at random places: uniform over the image, each keypoint by itself.

    Which images, and where their keypoints are put, depends on (``seed``, the data module's ``data_seed``, the image's index)
    alone, so that an image is wrong in every epoch or in none, in the same way in each run on the same data. It stands between
    data and task, and neither knows of it: the data module's truth stays true for validation and test, and the task trains on
    whatever targets it is given.

    Args:
        share: of the images, from 0 to 1.
        seed: of the corruption; the run's own has no part in it.

    Raises:
        ValueError: ``share`` is out of its range.
    """

    def __init__(self, share: float, seed: int = 0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"CorruptedKeypoints: share is {share}: 0 to 1 expected")
        self.share, self.seed = share, seed

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch is None:
            return
        data_seed: int = trainer.datamodule.data_seed  # type: ignore[attr-defined]
        height, width = batch["image"].shape[-2:]
        for row, index in enumerate(batch["index"].tolist()):
            rng = np.random.default_rng([self.seed, data_seed, index])
            if rng.random() >= self.share:
                continue
            instances = batch["keypoints"][row]
            places = rng.random((*instances.shape[:2], 2)) * (width, height)
            moved = torch.as_tensor(places, dtype=instances.dtype, device=instances.device)
            batch["keypoints"][row] = torch.cat([moved, instances[..., 2:]], dim=-1)
