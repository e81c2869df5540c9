"""Trainings whose loss stops being finite at a known step."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytorch_lightning as pl


class Spoiled(pl.Callback):
    """Makes one of the losses not a number, from a step on.

    Args:
        step: optimizer steps done before.
        loss: its name; the first where none is given.
        rank: of the process whose losses are spoiled.
        factor: what the loss is multiplied by.
    """

    def __init__(self, step: int, loss: str | None = None, rank: int = 0, factor: float = float("nan")) -> None:
        self.step, self.loss, self.rank, self.factor = step, loss, rank, factor

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        losses = pl_module.losses

        def spoiled(*args: Any) -> Any:
            means = dict(losses(*args))
            if trainer.training and trainer.global_step >= self.step and trainer.global_rank == self.rank:
                name = self.loss or next(iter(means))
                means[name] = dataclasses.replace(means[name], total=means[name].total * self.factor)
            return means

        pl_module.losses = spoiled


class Overflowing(pl.Callback):
    """Makes a weight infinite behind a step, whose loss was finite."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *args: Any) -> None:
        if trainer.global_step == self.step:
            next(pl_module.parameters()).data.fill_(float("inf"))
