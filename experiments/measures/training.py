"""What studies measure during a training, beyond what every run logs."""

from __future__ import annotations

import math
import sys
from itertools import islice
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datamodules.base import PreparedScenes, Split
from datamodules.loading import collate
from lightning_modules.evaluating import evaluating
from lightning_modules.means import Mean, mean_losses


class TrainingSet(pl.Callback):
    """Scores the network on the first training scenes, as they are and not augmented: ``trainset/<metric>`` in the run's log.

    The metrics are the task's own, and its losses. The network is in evaluation mode, as it is in a test.

    Args:
        samples: how many scenes are scored.
        every: steps between two scorings; 0 scores at the end only.
        batch_stats: batch normalisation takes its statistics from the scored batches, in place of the running ones, which
            after a short training at a high rate lag behind the weights.
        until: training ends at the first scoring in which each of these metrics is at or below its value: for studies of the
            steps that it takes to get there.
    """

    split: Split = "train"
    prefix = "trainset"

    def __init__(
        self, samples: int = 1000, every: int = 0, batch_stats: bool = False, until: dict[str, float] | None = None
    ) -> None:
        self.samples, self.every, self.batch_stats, self.until = samples, every, batch_stats, until or {}
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
        metrics, losses = task.metrics().to(task.device), list[dict[str, Mean]]()
        norms = [m for m in task.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)] if self.batch_stats else []
        momenta = [norm.momentum for norm in norms]
        with torch.no_grad(), evaluating(task):
            for norm in norms:
                norm.train()
                norm.momentum = 0.0  # the running statistics stay as they are
            for batch in self._fixed_batches(trainer):
                moved = task.transfer_batch_to_device(batch, task.device, 0)
                outputs = task.respond(moved)
                metrics.update(**task.metric_inputs(task.predict(outputs), moved))
                losses.append(task.losses(outputs, moved))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        scores = {**metrics.compute(), **mean_losses(losses)}
        values = {f"{self.prefix}/{name}": float(value) for name, value in scores.items()}
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))
        if self.until and all(values[f"{self.prefix}/{name}"] <= value for name, value in self.until.items()):
            trainer.should_stop = True

    def _fixed_batches(self, trainer: pl.Trainer) -> list[Any]:
        if not self._batches:
            self._batches = training_batches(trainer, self.samples, self.split)
        return self._batches


class TestSet(TrainingSet):
    """As :class:`TrainingSet`, of test scenes in a fixed random order: ``testset/<metric>``.

    For nets whose running statistics lag behind their weights, the more the deeper they are: with ``batch_stats`` training and
    test error are of the same net. A folder's test images lie class by class, and the statistics of a batch in their own order
    would be those of one class.
    """

    __test__ = False  # no test of pytest's
    split = "test"
    prefix = "testset"


def training_batches(trainer: pl.Trainer, samples: int, split: Split = "train") -> list[Any]:
    """The first training scenes in order, as they are and not augmented; or those of another split, in a fixed random order."""
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    scenes = PreparedScenes(data, split, augment=False)
    batches = []
    order = range(len(scenes)) if split == "train" else np.random.default_rng(0).permutation(len(scenes)).tolist()
    indices = iter(order[: min(samples, len(scenes), most(trainer))])
    while chunk := list(islice(indices, max(64, data.batch_size))):
        batches.append(collate([scenes[(0, i)] for i in chunk]))
    return batches


def most(trainer: pl.Trainer) -> int:
    """How many scenes may be looked at: in a smoke test (``fast_dev_run``) as many as its batches hold."""
    batches = int(trainer.fast_dev_run)  # type: ignore[attr-defined]
    return batches * trainer.datamodule.batch_size if batches else sys.maxsize  # type: ignore[attr-defined]


class BatchSize(pl.Callback):
    """Notes the images of a step, ``batch/size`` in the run's log: for studies of what is reached with how many images."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == 0:
            for logger in trainer.loggers:
                logger.log_metrics({"batch/size": float(len(batch["image"]))}, step=0)


class DeadUnits(pl.Callback):
    """Counts, after the training, the units that no training scene awakes.

    A unit is a feature map or a hidden unit: one channel of a rectifier (ReLU, leaky ReLU) in front of it. In the run's log:

    - ``units/inactive``: the share of units whose input is positive for no scene and at no place;
    - ``units/dead``: the share of units through which, moreover, no gradient passes: the rectifier's slope is 0 for every
      scene and place, so that no training can bring them back.

    Both are NaN where the weights have become infinite.

    Args:
        samples: how many scenes are looked at.
    """

    def __init__(self, samples: int = 2000) -> None:
        self.samples = samples

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        greatest: dict[nn.Module, Tensor] = {}
        steepest: dict[nn.Module, Tensor] = {}

        def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            with torch.enable_grad():
                x = inputs[0].detach().requires_grad_()
                slope = torch.autograd.grad(module.forward(x).sum(), x)[0].abs()
            for seen, value in ((greatest, x.detach()), (steepest, slope)):
                most = value.transpose(0, 1).flatten(1).amax(1)
                seen[module] = torch.maximum(seen[module], most) if module in seen else most

        rectifiers = [m for m in pl_module.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU)]
        hooks = [m.register_forward_hook(look) for m in rectifiers]
        with torch.no_grad(), evaluating(pl_module):
            for batch in training_batches(trainer, self.samples):
                pl_module.respond(pl_module.transfer_batch_to_device(batch, pl_module.device, 0))
        for hook in hooks:
            hook.remove()
        inputs, slopes = torch.cat(list(greatest.values())), torch.cat(list(steepest.values()))
        known = 1.0 if bool(inputs.isfinite().all()) else math.nan
        values = {
            "units/inactive": known * float((inputs <= 0).float().mean()),
            "units/dead": known * float((slopes == 0).float().mean()),
        }
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))


class SmallWeights(pl.Callback):
    """Counts, after the training, the weights (not biases) that are next to nothing.

    In the run's log: ``weights/small``, the share of those below ``threshold`` in size, and ``weights/zero``, of those that
    are exactly 0. An optimizer that follows a subgradient leaves hardly any weight at exactly 0, hence the threshold.
    """

    def __init__(self, threshold: float = 1e-3) -> None:
        self.threshold = threshold

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        sizes = torch.cat([p.detach().abs().flatten() for p in pl_module.parameters() if p.ndim > 1])
        values = {
            "weights/small": float((sizes < self.threshold).float().mean()),
            "weights/zero": float((sizes == 0).float().mean()),
        }
        for logger in trainer.loggers:
            logger.log_metrics(values, step=max(0, trainer.global_step - 1))
