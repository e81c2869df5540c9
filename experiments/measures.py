"""What studies measure during a training, beyond what every run logs."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from datamodules.base import PreparedScenes
from datamodules.loading import collate
from lightning_modules.base import with_total


class TrainingSet(pl.Callback):
    """Scores the network on the first training scenes, as they are and not augmented: ``trainset/<metric>`` in the run's log.

    The metrics are the task's own, and its losses. The network is in evaluation mode, as it is in a test.

    Args:
        samples: how many scenes are scored.
        every: steps between two scorings; 0 scores at the end only.
        batch_stats: batch normalisation takes its statistics from the scored batches, in place of the running ones, which
            after a short training at a high rate lag behind the weights.
    """

    def __init__(self, samples: int = 1000, every: int = 0, batch_stats: bool = False) -> None:
        self.samples, self.every, self.batch_stats = samples, every, batch_stats
        self._batches: list[Any] = []
        self._scored = -1

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.every and trainer.global_step % self.every == 0:
            self._score(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._score(trainer, pl_module)

    def _score(self, trainer: pl.Trainer, task: Any) -> None:
        if trainer.global_step == self._scored:
            return
        self._scored = trainer.global_step
        training = task.training
        metrics = task.metrics().to(task.device)
        totals: dict[str, Tensor] = {}
        task.eval()
        norms = [m for m in task.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)] if self.batch_stats else []
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.train()
            norm.momentum = 0.0  # the running statistics stay as they are
        count = 0
        with torch.no_grad():
            for batch in self._fixed_batches(trainer):
                moved = task.transfer_batch_to_device(batch, task.device, 0)
                outputs = task(moved["image"])
                metrics.update(**task.metric_inputs(task.predict(outputs), moved))
                size = len(moved["image"])
                count += size
                for name, value in with_total(task.losses(outputs, moved)).items():
                    totals[name] = totals.get(name, torch.zeros((), device=task.device)) + value.detach() * size
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        task.train(training)
        values = {f"trainset/{name}": float(value) for name, value in metrics.compute().items()}
        values |= {f"trainset/{name}": float(value) / count for name, value in totals.items()}
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))

    def _fixed_batches(self, trainer: pl.Trainer) -> list[Any]:
        if not self._batches:
            data: Any = trainer.datamodule  # type: ignore[attr-defined]
            scenes = PreparedScenes(data, "train", augment=False)
            size = max(64, data.batch_size)
            indices = iter(range(min(self.samples, len(scenes))))
            while chunk := list(islice(indices, size)):
                self._batches.append(collate([scenes[(0, i)] for i in chunk]))
        return self._batches
