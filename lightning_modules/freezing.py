"""Training the heads first: the backbone frozen for some epochs, then all together."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import nn


class FreezeBackbone(pl.Callback):
    """Keeps the backbone as it is for the first epochs, while the heads train; then everything is fine-tuned together.

    The lecture's answer to «what about fixing the big network?» (CS231n 2017, lecture 11, "Classification +
    Localization"). While it is frozen the backbone takes no gradients, and its batch normalisation neither learns nor moves
    its statistics. Under DDP use ``--trainer.strategy ddp_find_unused_parameters_true``.

    Args:
        epochs: the first epoch in which the backbone is trained.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        _backbone(pl_module)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        # At each batch, and by the epoch alone: validation puts modules back into training mode, and a run may be resumed.
        backbone, frozen = _backbone(pl_module), trainer.current_epoch < self.epochs
        if backbone.training == frozen:
            backbone.train(not frozen)
            backbone.requires_grad_(not frozen)


def _backbone(task: pl.LightningModule) -> nn.Module:
    backbone = getattr(getattr(task, "network", None), "backbone", None)
    if not isinstance(backbone, nn.Module):
        raise TypeError(f"FreezeBackbone: {type(getattr(task, 'network', task)).__name__} has no backbone to freeze")
    return backbone
