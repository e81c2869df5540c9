"""Optimizer and learning-rate schedule as Lightning is told of them: how often one is stepped, and whether it fits the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.cli import ReduceLROnPlateau
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR

from datamodules.scene import InputError

from .schedules import Schedule

Plateau = torch.optim.lr_scheduler.ReduceLROnPlateau


def optimizer_of(make: Callable[..., Optimizer], parameters: Iterable[nn.Parameter], lr: float | None) -> Optimizer:
    """The optimizer of a run; its learning rate is ``lr``, where that is given.

    Raises:
        InputError: it does not take these arguments.
    """
    try:
        optimizer = make(parameters)
    except (ValueError, TypeError) as error:
        raise InputError(f"model.optimizer: {error}") from error
    for group in optimizer.param_groups if lr is not None else ():
        group["lr"] = lr
    return optimizer


def scheduler_of(make: Callable[[Optimizer], Any], optimizer: Optimizer, trainer: pl.Trainer) -> dict[str, Any]:
    """What ``configure_optimizers`` returns under ``lr_scheduler``; the task says how long a :class:`Schedule` is.

    One that waits for a plateau is given to Lightning as any other, so that its state is saved; :func:`step_plateau` steps it.

    Raises:
        InputError: it does not take these arguments, ends before the run, or watches a metric that it is not told.
    """
    try:
        scheduler = make(optimizer)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"model.scheduler: {error}") from error
    if isinstance(scheduler, OneCycleLR) and scheduler.total_steps < (steps := _steps(trainer)):
        raise InputError(
            f"model.scheduler: OneCycleLR ends after {scheduler.total_steps} steps, but the run has {steps:g}; set "
            "model.scheduler.total_steps to the run's, or take WarmupCosine, which knows them by itself"
        )
    if isinstance(scheduler, Plateau) and not isinstance(scheduler, ReduceLROnPlateau):
        raise InputError(
            "model.scheduler: torch's ReduceLROnPlateau is not told what it watches; write "
            "pytorch_lightning.cli.ReduceLROnPlateau, and model.scheduler.monitor"
        )
    each_step = isinstance(scheduler, Schedule | OneCycleLR | CyclicLR)
    return {"scheduler": scheduler, "interval": "step" if each_step else "epoch", "reduce_on_plateau": False}


def _steps(trainer: pl.Trainer) -> float:
    """The optimizer steps of a run; infinite where it has no end."""
    try:
        return trainer.estimated_stepping_batches
    except MisconfigurationException as error:
        raise InputError(f"model.scheduler: the run's length in steps is not known ({error})") from error


def steps_of(trainer: pl.Trainer, scheduler: Schedule) -> int:
    """The optimizer steps of a run, which a schedule is laid out over.

    Raises:
        InputError: it has no end.
    """
    steps = trainer.estimated_stepping_batches
    if steps == float("inf"):
        raise InputError(
            f"{type(scheduler).__name__} follows the run's length, and trainer.max_epochs: -1 has none; set "
            "trainer.max_epochs or trainer.max_steps, or model.scheduler: null"
        )
    return int(steps)


def step_plateau(task: pl.LightningModule, measured: Mapping[str, Any]) -> None:
    """Steps the schedules that wait for a plateau of one of these metrics, which have just been measured.

    Lightning would step them at each epoch's end, whether there is a new value, an old one or none, and only after the
    checkpoint of that epoch was written, so that a run resumed from it would lack the step.
    """
    for config in task.trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, ReduceLROnPlateau) and (value := measured.get(config.scheduler.monitor)) is not None:
            task.lr_scheduler_step(config.scheduler, value)
