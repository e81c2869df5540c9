"""A backbone that has learned to classify before the run begins."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn

from datamodules.base import DataModule
from datamodules.scene import InputError
from experiments.training.callbacks import Reproducible
from lightning_modules import Classification, Localization
from lightning_modules.base import Task
from lightning_modules.networks.backbones import Backbone
from lightning_modules.schedules import WarmupCosine


class BackboneClassifier(nn.Module):
    """A backbone, the mean of its last map, and one linear layer: images (B, 3, H, W) to logits (B, num_classes)."""

    def __init__(self, num_classes: int, *, backbone: Backbone) -> None:
        super().__init__()
        self.backbone, self.classes = backbone, nn.Linear(backbone.channels[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classes(self.backbone(images)[-1].mean((2, 3)))
        return logits


class PretrainedBackbone(pl.Callback):
    """Before the run begins, trains the task's backbone to classify other scenes; the heads begin anew.

    It stands for the ImageNet classifier of the lectures, in the smallest form that needs no file from elsewhere. Of
    :class:`Localization`, a copy whose box loss counts nothing is trained by Lightning on ``data``; of any other task, a copy
    of the network's backbone with a linear layer on the mean of its last map. The backbone depends on the run's seed and on
    these arguments, and not on the run's learning rate; each run trains its own, so that none rests on another's files.

    Args:
        data: the scenes to classify; for Localization, of as many classes as the task's own.
        optimizer: of this training.
        epochs: of this training; its rate rises and falls as :class:`WarmupCosine`'s.
    """

    def __init__(self, data: DataModule, optimizer: OptimizerCallable, epochs: int) -> None:
        self.data, self.optimizer, self.epochs = data, optimizer, epochs

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        if stage != "fit" or trainer.ckpt_path is not None:  # a resumed run has its weights in the checkpoint
            return
        if not isinstance(getattr(pl_module.network, "backbone", None), Backbone):
            raise InputError(f"PretrainedBackbone: {type(pl_module.network).__name__} has no backbone to train")
        with isolate_rng():
            pl_module.network.backbone.load_state_dict(self._train(self._classifier(pl_module), trainer))

    def _classifier(self, task: Any) -> Task:
        if isinstance(task, Localization):
            classifier = deepcopy(task)
            classifier.box_weight = 0.0
            classifier.make_optimizer, classifier.make_scheduler = self.optimizer, WarmupCosine
            self.data.require(task.needs | (task.uses & self.data.provides))
            return classifier
        backbone = deepcopy(task.network.backbone).requires_grad_(True).train()
        self.data.require(Classification.needs)
        return Classification(
            network=partial(BackboneClassifier, backbone=backbone),
            optimizer=self.optimizer,
            scheduler=WarmupCosine,
            metadata=self.data.metadata.as_dict(),
        )

    def _train(self, classifier: Task, trainer: pl.Trainer) -> dict[str, Tensor]:
        pl.Trainer(
            max_epochs=self.epochs,
            fast_dev_run=trainer.fast_dev_run,  # type: ignore[attr-defined]
            accelerator=trainer.strategy.root_device.type,
            devices=1,
            logger=False,
            callbacks=[Reproducible()],
            limit_val_batches=0,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(classifier, self.data)
        state: dict[str, Tensor] = classifier.network.backbone.state_dict()  # type: ignore[union-attr, operator]
        return state
