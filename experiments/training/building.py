"""The loggers and callbacks of a command's trainer, beside those that its configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, ModelSummary, ProgressBar
from pytorch_lightning.loggers.logger import Logger

from experiments.runs.evaluation import EvaluationFolder
from experiments.runs.files import CHECKPOINTS
from experiments.runs.folder import RunFolder
from lightning_modules.base import Task

from .batch_counts import BatchCounts
from .callbacks import Reproducible, RunSummary
from .divergence import Divergence
from .evaluated import Evaluated
from .finders import Found
from .findings_writer import FindingsWriter
from .keep_best import KeepBest
from .monitors import Monitors
from .predictions import PredictionWriter
from .progress import NetworkLine, Progress
from .wandb_logging import wandb_logger


def leaves_files(subcommand: str, config: Any) -> bool:
    """Whether a command writes into a folder: not where it is a smoke test, or no logger is wanted; predictions always are."""
    silent = config.trainer.logger is False or config.trainer.barebones
    return not config.trainer.fast_dev_run and (not silent or subcommand == "predict")


def has_checkpoints_of_its_own(config: Any) -> bool:
    """Whether a configuration names a callback that writes checkpoints."""
    return any(isinstance(callback, Checkpoint) for callback in listed(config.trainer.callbacks))


def loggers(
    subcommand: str, config: Any, run_folder: RunFolder | None, experiment: Callable[[], Mapping[str, Any]]
) -> list[Logger] | bool:
    """The run's folder and, in a training, W&B, which is told the experiment; False where nothing is to be written."""
    if run_folder is None:
        return False
    own = [] if config.trainer.logger in (None, True, False) else listed(config.trainer.logger)
    if subcommand != "fit":
        return [run_folder, *own]
    return [run_folder, *wandb_logger(config.wandb, run_folder, experiment), *own]


def callbacks(
    subcommand: str, config: Any, run_folder: RunFolder | None, task: Task, data: dict[str, Any]
) -> list[pl.Callback]:
    """What every run has, and what this command adds.

    Args:
        subcommand: fit, validate, test or predict.
        config: the subcommand's settings, what they name being built.
        run_folder: where it writes; None where it writes nothing.
        task: what is trained or evaluated.
        data: the data module's configuration, plain.
    """
    barebones = config.trainer.barebones
    made: list[pl.Callback] = [BatchCounts(), Reproducible(), config.pictures]
    bars = [c for c in listed(config.trainer.callbacks) if isinstance(c, ProgressBar)]
    if config.trainer.enable_progress_bar is not False and not bars and not barebones:
        made.append(Progress(task.monitor))
    summaries = any(isinstance(c, ModelSummary) for c in listed(config.trainer.callbacks))
    if subcommand == "fit" and config.trainer.enable_model_summary is not False and not summaries and not barebones:
        made.append(NetworkLine())
    if subcommand == "fit":
        made += [Found(), Divergence(config.on_nan)]
        if not barebones:  # nothing is logged then
            made.append(Monitors(config.expect))
    if run_folder is None:
        return made
    if isinstance(run_folder, EvaluationFolder):
        made.append(Evaluated(run_folder, subcommand, str(config.ckpt_path), data, config.expect))
        if subcommand == "predict":
            made.append(PredictionWriter(run_folder.folder, config.pictures.count > 0, config.pictures.min_score))
        elif config.findings:
            name = checkpoint_name(Path(str(config.ckpt_path)))
            made.append(FindingsWriter(config.pictures.count, config.pictures.min_score, name))
        return made
    made.append(RunSummary(run_folder))
    if config.trainer.enable_checkpointing is not False:
        made += [KeepBest(run_folder.folder / CHECKPOINTS, task.monitor, task.mode), config.checkpoint]
    return made


def checkpoint_name(path: Path) -> str:
    """What findings call a checkpoint: ``best`` or ``last`` of its run, otherwise its file's name."""
    return path.stem if path.name in ("best.ckpt", "last.ckpt") else path.name


def listed(value: Any) -> list[Any]:
    """A setting that may be one, several or none."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
