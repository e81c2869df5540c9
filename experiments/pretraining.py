"""A trunk that has learned to classify before the run begins."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from datamodules.base import DataModule
from lightning_modules import Localization
from lightning_modules.schedules import WarmupCosine

from .callbacks import Reproducible


class PretrainedTrunk(pl.Callback):
    """Before the run begins, trains the task's trunk to classify other scenes; the heads begin anew.

    It stands for the ImageNet classifier of the lecture, in the smallest form that needs no file from elsewhere: a copy of
    the task, whose box loss counts nothing, is trained by Lightning on ``data``. The trunk depends on the run's seed and on
    these arguments, and not on the run's learning rate; each run trains its own, so that none rests on another's files.

    Args:
        data: the scenes to classify, of as many classes as the task's own.
        optimizer: of this training.
        epochs: of this training; its rate rises and falls as :class:`WarmupCosine`'s.
    """

    def __init__(self, data: DataModule, optimizer: OptimizerCallable, epochs: int) -> None:
        self.data, self.optimizer, self.epochs = data, optimizer, epochs

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        if stage != "fit" or trainer.ckpt_path is not None:  # a resumed run has its weights in the checkpoint
            return
        if not isinstance(pl_module, Localization):
            raise TypeError(f"PretrainedTrunk is for Localization, not for {type(pl_module).__name__}")
        with isolate_rng():
            pl_module.network.trunk.load_state_dict(self._train(pl_module, trainer))  # type: ignore[union-attr]

    def _train(self, task: Localization, trainer: pl.Trainer) -> dict[str, Tensor]:
        classifier = deepcopy(task)
        classifier.box_weight = 0.0
        classifier.make_optimizer, classifier.make_scheduler = self.optimizer, WarmupCosine
        self.data.require(task.needs | (task.uses & self.data.provides))
        pl.Trainer(
            max_epochs=self.epochs,
            accelerator=trainer.strategy.root_device.type,
            devices=1,
            logger=False,
            callbacks=[Reproducible()],
            limit_val_batches=0,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(classifier, self.data)
        state: dict[str, Tensor] = classifier.network.trunk.state_dict()  # type: ignore[union-attr]
        return state
