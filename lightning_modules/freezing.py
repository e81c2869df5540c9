"""Training the heads first: the trunk frozen for some epochs, then all together."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import nn


class FreezeTrunk(pl.Callback):
    """Keeps the trunk as it is for the first epochs, while the heads train; then everything is fine-tuned together.

    The lecture's answer to «what about fixing the big network?» (CS231n 2017, lecture 11, "Classification +
    Localization"). While it is frozen the trunk takes no gradients, and its batch normalisation neither learns nor moves
    its statistics. Under DDP use ``--trainer.strategy ddp_find_unused_parameters_true``.

    Args:
        epochs: the first epoch in which the trunk is trained.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        _trunk(pl_module)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        # At each batch, and by the epoch alone: validation puts modules back into training mode, and a run may be resumed.
        trunk, frozen = _trunk(pl_module), trainer.current_epoch < self.epochs
        if trunk.training == frozen:
            trunk.train(not frozen)
            trunk.requires_grad_(not frozen)


def _trunk(task: pl.LightningModule) -> nn.Module:
    trunk = getattr(getattr(task, "network", None), "trunk", None)
    if not isinstance(trunk, nn.Module):
        raise TypeError(f"FreezeTrunk: {type(getattr(task, 'network', task)).__name__} has no trunk to freeze")
    return trunk
