"""The trainer's limits and intervals against the number of batches there are."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from datamodules.scene import InputError

from .once import Once

LOADERS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("predict",)}


class BatchCounts(Once):
    """Refuses, before a run begins, a share of its batches that is none, and validations that would lie behind an epoch's end.

    A loader is looked at only where an option asks for it.
    """

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.leave(trainer)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        for split in LOADERS[stage]:
            limit, option = getattr(trainer, f"limit_{split}_batches"), f"limit_{split}_batches"
            if getattr(trainer, "overfit_batches", 0) and split in ("train", "val"):
                option = "overfit_batches"
            if isinstance(limit, float) and 0 < limit < 1:
                count = len(getattr(data, f"{split}_dataloader")())
                if int(count * limit) == 0:
                    batches = f"the {count} {split} batch{'es' * (count > 1)}"
                    raise InputError(f"trainer.{option}: {limit} of {batches} is less than one; write 1 for one batch")
        every = trainer.val_check_interval
        if stage == "fit" and isinstance(every, int) and trainer.check_val_every_n_epoch is not None:
            count, limit = len(data.train_dataloader()), trainer.limit_train_batches
            count = min(count, limit) if isinstance(limit, int) else int(count * limit)
            if every > count > 0 and trainer.limit_val_batches:
                raise InputError(
                    f"trainer.val_check_interval: {every} batches are more than an epoch's {count}; with "
                    "trainer.check_val_every_n_epoch: null they are counted over all epochs"
                )
