"""The trainer's options and callbacks, checked before anything is built: what cannot work together is one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import (
    BackboneFinetuning,
    Checkpoint,
    DeviceStatsMonitor,
    LearningRateMonitor,
    ModelCheckpoint,
    ProgressBar,
)

from datamodules.scene import InputError

LEAST = {"accumulate_grad_batches": 1, "check_val_every_n_epoch": 1, "log_every_n_steps": 0, "gradient_clip_val": 0}
"""The least value of options that Lightning takes as they are, to fail at later or to misread."""

OWN_FILES = ("best", "last", "trial")
"""Names in a run's ``checkpoints`` that are written by the run itself."""


def check_values(trainer: Any) -> None:
    """Refuses values that no run can be made with.

    Args:
        trainer: the settings below ``trainer``.

    Raises:
        InputError: names the option, its value, and the least one.
    """
    for option, least in LEAST.items():
        value = trainer.get(option)
        if isinstance(value, int | float) and value < least:
            raise InputError(f"trainer.{option}: {value} given, at least {least} expected")
    if trainer.get("val_check_interval") == 0:
        raise InputError("trainer.val_check_interval: 0 given; trainer.limit_val_batches: 0 turns validation off")


def without_features(trainer: Any) -> dict[str, Any]:
    """The trainer's arguments under ``barebones``, in which Lightning refuses the features that a recipe may ask for."""
    if not trainer.barebones:
        return {}
    off = ("enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    return dict.fromkeys(off, False) | {"log_every_n_steps": 0, "num_sanity_val_steps": 0, "profiler": None, "logger": False}


def usable(trainer: Any) -> list[pl.Callback]:
    """The configuration's own callbacks; in a smoke test without those that have nowhere to log to, and would refuse it."""
    given = trainer.callbacks
    callbacks = [] if given is None else list(given) if isinstance(given, Sequence) else [given]
    if not trainer.fast_dev_run:
        return callbacks
    return [c for c in callbacks if not isinstance(c, LearningRateMonitor | DeviceStatsMonitor)]


def check_callbacks(trainer: Any, callbacks: Sequence[pl.Callback], checkpoints: Path | None) -> None:
    """Refuses callbacks that contradict an option, another callback or the run's own files.

    Args:
        trainer: the settings below ``trainer``.
        callbacks: the configuration's own.
        checkpoints: the run's folder of checkpoints; None where it has none.

    Raises:
        InputError: names the callback and what to change.
    """
    found: dict[str, str] = {}
    for callback in callbacks:
        name = type(callback).__name__
        if (other := found.get(callback.state_key)) and isinstance(callback, Checkpoint):
            raise InputError(
                f"trainer.callbacks: two {name} with the same monitor, mode and interval, whose states a checkpoint could not "
                f"tell apart; give one of them another"
                if other == name
                else f"trainer.callbacks: {other} and {name} have one name in a checkpoint"
            )
        found[callback.state_key] = name
        if isinstance(callback, Checkpoint) and trainer.enable_checkpointing is False:
            raise InputError(f"trainer.enable_checkpointing is false, but trainer.callbacks has {name}; leave out one of them")
        if isinstance(callback, ProgressBar) and trainer.enable_progress_bar is False:
            raise InputError(f"trainer.enable_progress_bar is false, but trainer.callbacks has {name}; leave out one of them")
        if isinstance(callback, LearningRateMonitor | DeviceStatsMonitor) and (trainer.logger is False or trainer.barebones):
            raise InputError(f"trainer.callbacks: {name} logs, but this run has no logger; leave out one of them")
        if isinstance(callback, BackboneFinetuning):
            raise InputError(
                f"trainer.callbacks: {name} looks for a task's backbone, and Lectern's belongs to the network; take "
                "lightning_modules.FreezeBackbone, which goes on in a resumed run too"
            )
        if isinstance(callback, ModelCheckpoint):
            _check_files(callback, checkpoints)
    if sum(isinstance(c, ProgressBar) for c in callbacks) > 1:
        raise InputError("trainer.callbacks: several progress bars; leave one")


def _check_files(callback: ModelCheckpoint, checkpoints: Path | None) -> None:
    # Without a folder of its own, it writes into the run's.
    if callback.dirpath and (checkpoints is None or Path(callback.dirpath).resolve() != checkpoints.resolve()):
        return
    name = type(callback).__name__
    if callback.save_last:
        raise InputError(
            f"trainer.callbacks: {name}.save_last would write last.ckpt, which the run keeps itself (checkpoint.minutes, "
            "checkpoint.steps); leave it out, or give dirpath"
        )
    if callback.filename in OWN_FILES:
        raise InputError(
            f"trainer.callbacks: {name}.filename: {callback.filename}.ckpt is the run's own; take another name, or give dirpath"
        )
