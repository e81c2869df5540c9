"""A detector of two stages, given fewer of its own proposals than it was trained with."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from lightning_modules.networks import FasterRCNN

from .training import TestSet


class FewerProposals(TestSet):
    """Scores test scenes after the training with fewer proposals an image, as ``proposals<count>/<metric>``.

    Args:
        count: proposals that reach the second stage.
        samples: how many scenes are scored.
    """

    def __init__(self, count: int, samples: int = 1000) -> None:
        super().__init__(samples=samples)
        self.count, self.prefix = count, f"proposals{count}"

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        network = pl_module.network
        if not isinstance(network, FasterRCNN):
            raise TypeError(f"FewerProposals: {type(network).__name__} makes no proposals; Faster R-CNN does")
        trained, network.rpn.proposals = network.rpn.proposals, self.count
        try:
            super().on_train_end(trainer, pl_module)
        finally:
            network.rpn.proposals = trained
