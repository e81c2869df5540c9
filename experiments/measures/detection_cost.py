"""What finding the objects of one scene costs a detector that was trained."""

from __future__ import annotations

import statistics
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl

from .image_cost import cost_of_an_image
from .training import training_batches


class DetectionCost(pl.Callback):
    """Notes what a scene costs the trained detector, up to its detections, as ``image/gflop`` and ``image/cpu_seconds``.

    Both are means over the first training scenes. A network that proposes regions finds other numbers of them in each.

    Args:
        scenes: how many, 64 at most.
    """

    def __init__(self, scenes: int = 4) -> None:
        self.scenes = scenes

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        network = deepcopy(pl_module.network).cpu()
        (batch,) = training_batches(trainer, min(self.scenes, 64))
        images = pl_module.normalized(batch["image"].to(pl_module.device)).cpu()
        costs = [cost_of_an_image(network, image[None]) for image in images]
        values = {
            "image/gflop": statistics.mean(cost.gflop for cost in costs),
            "image/cpu_seconds": statistics.mean(cost.seconds for cost in costs),
        }
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))
