"""The loggers and callbacks of a command's trainer, beside those that its configuration names."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar, TQDMProgressBar
from pytorch_lightning.loggers.logger import Logger

from experiments.runs.files import CHECKPOINTS
from experiments.runs.folder import RunFolder
from lightning_modules.base import Task

from .batch_counts import BatchCounts
from .callbacks import Reproducible, RunSummary
from .finders import Found
from .keep_best import KeepBest
from .monitors import Monitors
from .predictions import PredictionWriter
from .wandb_logging import wandb_logger


def loggers(subcommand: str, config: Any, run_folder: RunFolder) -> list[Logger] | bool:
    """The run's folder and, in a training, W&B; False where nothing is to be written."""
    if config.trainer.logger is False or config.trainer.fast_dev_run or config.trainer.barebones:
        return False
    own = [] if config.trainer.logger in (None, True) else listed(config.trainer.logger)
    if subcommand != "fit":
        return [run_folder, *own]
    return [run_folder, *wandb_logger(config.wandb, run_folder), *own]


def callbacks(subcommand: str, config: Any, run_folder: RunFolder, task: Task) -> list[pl.Callback]:
    """What every run has, and what this command adds."""
    folder = run_folder.folder
    made: list[pl.Callback] = [BatchCounts(), Reproducible(), RunSummary(run_folder), config.pictures]
    bars = [c for c in listed(config.trainer.callbacks) if isinstance(c, ProgressBar)]
    if config.trainer.enable_progress_bar is not False and not bars and not config.trainer.barebones:
        made.append(TQDMProgressBar(refresh_rate=10))
    if subcommand == "predict":
        made.append(PredictionWriter(folder))
    if subcommand == "fit":
        made.append(Found())
        if not config.trainer.barebones:  # nothing is logged then
            made.append(Monitors(config.expect))
    off = config.trainer.enable_checkpointing is False or config.trainer.fast_dev_run or config.trainer.barebones
    if subcommand == "fit" and not off:
        made += [KeepBest(folder / CHECKPOINTS, task.monitor, task.mode), config.checkpoint]
    return made


def listed(value: Any) -> list[Any]:
    """A setting that may be one, several or none."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
