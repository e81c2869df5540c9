"""How deep a network is, as its paper counts."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import nn


def layers(network: nn.Module) -> int:
    """Convolutions and fully connected layers, the output included, as the papers from AlexNet to ResNet count them.

    For nets that are one chain, or whose branches have no convolution of their own: parallel ones are counted singly.
    """
    return sum(isinstance(module, nn.Conv2d | nn.Linear) for module in network.modules())


class Layers(pl.Callback):
    """Notes the layers of the task's network, ``network/layers`` in the run's log."""

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        for logger in trainer.loggers:
            logger.log_metrics({"network/layers": float(layers(pl_module.network))}, step=max(0, trainer.global_step - 1))
