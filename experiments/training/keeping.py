"""Keeping a run's last checkpoint, and stopping at a signal with nothing lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.utilities.exceptions import SIGTERMException

from datamodules.scene import InputError
from experiments.command_line.answer import Interrupted
from experiments.lightning_compat import gradients_are_accumulating, started_processes, validation_follows
from experiments.runs.files import CHECKPOINTS
from experiments.runs.folder import folder_of

from .checkpoint_io import load


class Stopped(SIGTERMException):
    """Raised at the end of a step after SIGTERM or Ctrl-C, with the checkpoint of that step written."""

    says = "stopped; --ckpt_path last goes on from here"


class KeepLast(Checkpoint):
    """Keeps ``checkpoints/last.ckpt``, from which an interrupted run goes on; what comes after it is all that is lost.

    Before the first step a checkpoint is written on trial and read back, so that a run whose checkpoints could not be
    written or would not load stops there, and not when it is needed.

    SIGTERM and Ctrl-C, to any rank, are answered at the end of the running step: every rank stops there, with a checkpoint
    of that very step. A second Ctrl-C stops at once.

    Args:
        minutes: between two checkpoints.
        steps: between two checkpoints, in place of the minutes.
    """

    def __init__(self, minutes: float = 5.0, steps: int | None = None) -> None:
        self.minutes, self.steps = minutes, steps
        self.signal = 0
        """The signal that asked to stop, or 0."""
        self._handlers: dict[int, Any] = {}
        self._saved_step, self._saved_time = 0, 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._try(trainer)
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
        if threading.current_thread() is threading.main_thread():
            # In place of Lightning's, which broadcasts inside the handler: a rank that gets it alone waits for ever.
            self._handlers = {number: signal.signal(number, self._notice) for number in (signal.SIGTERM, signal.SIGINT)}

    def _notice(self, number: int, frame: Any) -> None:
        if self.signal and number == signal.SIGINT:
            raise Interrupted(128 + number)
        self.signal = number

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        # A run resumed from a checkpoint between a batch and its validation would skip that validation, and one resumed
        # from its last step would not log that step.
        last = trainer.global_step == trainer.max_steps
        if not last and not validation_follows(trainer) and not gradients_are_accumulating(trainer):
            self._save_or_stop(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Lightning resumes a run that is limited by steps (and not by epochs) one step late from an epoch's end; such a run
        # saves at the next batch.
        if trainer.max_steps == -1:
            self._save_or_stop(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._saved_step != trainer.global_step:
            self._save(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves no process behind: ranks that were started from here get some seconds to end, then are killed."""
        deadline = time.monotonic() + 5
        for process in started_processes(trainer):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _try(self, trainer: pl.Trainer) -> None:
        """Writes a checkpoint beside the others, reads it back, and removes it.

        Raises:
            InputError: it could not be written, or holds what does not load weights-only.
        """
        if not (folder := folder_of(trainer)):
            return
        path = folder / CHECKPOINTS / "trial.ckpt"
        trainer.save_checkpoint(path, weights_only=False)
        if not trainer.is_global_zero:
            return
        for left in path.parent.glob(".*.ckpt.*"):  # of a process that was killed while it wrote
            left.unlink()
        if path.is_dir():
            shutil.rmtree(path)
            raise InputError(
                f"{type(trainer.strategy).__name__} writes a checkpoint as a folder of shards, which cannot be replaced in "
                "one move; have it write whole ones (state_dict_type: full, or save_distributed_checkpoint: false)"
            )
        try:
            load(path)
        except InputError as error:
            raise InputError(
                f"this run's checkpoints would not load again ({error}); tasks and callbacks may put only tensors and plain "
                "data into them"
            ) from None
        finally:
            path.unlink()

    def _save_or_stop(self, trainer: pl.Trainer) -> None:
        # One exchange a step: only when it says yes do the ranks ask one another what for.
        own = bool(self.signal) or (trainer.is_global_zero and self._is_due(trainer))
        if not trainer.strategy.reduce_boolean_decision(own, all=False):
            return
        stop = trainer.strategy.reduce_boolean_decision(bool(self.signal), all=False)
        self._save(trainer)
        if stop:
            raise Stopped(128 + (self.signal or signal.SIGTERM))

    def _is_due(self, trainer: pl.Trainer) -> bool:
        if self.steps:
            return trainer.global_step - self._saved_step >= self.steps
        return time.monotonic() - self._saved_time >= 60 * self.minutes

    def _save(self, trainer: pl.Trainer) -> None:
        if folder := folder_of(trainer):
            trainer.save_checkpoint(folder / CHECKPOINTS / "last.ckpt", weights_only=False)
            self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
