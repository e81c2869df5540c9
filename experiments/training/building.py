"""The loggers and callbacks of a command's trainer, beside those that its configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar
from pytorch_lightning.loggers.logger import Logger

from experiments.runs.files import CHECKPOINTS
from experiments.runs.folder import RunFolder
from lightning_modules.base import Task

from .callbacks import Reproducible, RunSummary
from .predictions import PredictionWriter
from .wandb_logging import wandb_logger


def loggers(
    subcommand: str, config: Any, run_folder: RunFolder, experiment: Callable[[], Mapping[str, Any]]
) -> list[Logger] | bool:
    """The run's folder and, in a training, W&B, which is told the experiment; False where nothing is to be written."""
    if config.trainer.logger is False or config.trainer.fast_dev_run:
        return False
    own = [] if config.trainer.logger in (None, True) else listed(config.trainer.logger)
    if subcommand != "fit":
        return [run_folder, *own]
    return [run_folder, *wandb_logger(config.wandb, run_folder, experiment), *own]


def callbacks(subcommand: str, config: Any, run_folder: RunFolder, task: Task) -> list[pl.Callback]:
    """What every run has, and what this command adds."""
    folder = run_folder.folder
    made: list[pl.Callback] = [Reproducible(), RunSummary(run_folder), config.pictures]
    if config.trainer.enable_progress_bar is not False:
        made.append(TQDMProgressBar(refresh_rate=10))
    if subcommand == "predict":
        made.append(PredictionWriter(folder))
    if subcommand == "fit" and config.trainer.enable_checkpointing is not False and not config.trainer.fast_dev_run:
        best = ModelCheckpoint(
            folder / CHECKPOINTS,
            filename="best",
            monitor=task.monitor,
            mode=task.mode,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )
        made += [best, config.checkpoint]
    return made


def listed(value: Any) -> list[Any]:
    """A setting that may be one, several or none."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
