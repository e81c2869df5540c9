"""Keeping a run's last checkpoint, and stopping at a signal with nothing lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, Timer
from pytorch_lightning.utilities.exceptions import SIGTERMException

from datamodules.loading import WorkerKilled, worker_killed
from datamodules.scene import InputError
from experiments.command_line.answer import Interrupted
from experiments.lightning_compat import (
    batches_are_whole,
    epochs_trained,
    gradients_are_accumulating,
    started_processes,
    validation_follows,
)
from experiments.runs.files import CHECKPOINTS
from experiments.runs.folder import folder_of
from experiments.runs.temporary import TRIAL, remove_leftovers
from lightning_modules.distributed import gather_objects

from .checkpoint_io import load
from .ending import callbacks_of, is_whole, time_is_up
from .trial_size import reserve, state_to_come


class Stopped(SIGTERMException):
    """Raised at the end of a step, with the checkpoint of that step written: after SIGTERM or Ctrl-C, or since time is up.

    ``code`` is the exit code: 128 and the signal's number, or 0.
    """

    state = "unfinished"

    says = "stopped; --ckpt_path last goes on from here"


class KeepLast(Checkpoint):
    """Keeps ``checkpoints/last.ckpt``, from which an interrupted run goes on; what comes after it is all that is lost.

    Before the first step a checkpoint is written on trial and read back, so that a run whose checkpoints could not be
    written or would not load stops there, and not when it is needed.

    SIGTERM and Ctrl-C, to any rank, are answered at the end of the running step: every rank stops there, with a checkpoint
    of that very step. A second Ctrl-C stops at once. So does a run stop whose time (``trainer.max_time``) is up, which each
    command has anew; and one of whose processes that prepare batches was killed.

    Where the next batch cannot be had (a damaged image), the steps before it are kept too; but on several ranks, which cannot
    agree on anything then, only up to the checkpoint before.

    Args:
        minutes: between two checkpoints.
        steps: between two checkpoints, in place of the minutes.
    """

    def __init__(self, minutes: float = 5.0, steps: int | None = None) -> None:
        self.minutes, self.steps = minutes, steps
        self.signal = 0
        """The signal that asked to stop, or 0."""
        self._out_of_time = False
        self._killed: WorkerKilled | None = None
        self._handlers: dict[int, Any] = {}
        self._saved_step, self._saved_time = 0, 0.0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and (folder := folder_of(trainer)):
            remove_leftovers(folder)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._try(trainer)
        self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
        if threading.current_thread() is threading.main_thread():
            # In place of Lightning's, which broadcasts inside the handler: a rank that gets it alone waits for ever.
            self._handlers = {number: signal.signal(number, self._notice) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        # The time is each command's own: a chain of jobs of an hour each would otherwise end with the first.
        for timer in callbacks_of(trainer):
            if isinstance(timer, Timer):
                checkpoint.get("callbacks", {}).pop(timer.state_key, None)

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        # torch's handler, there since the first batch was asked for, raises in the middle of whatever runs.
        if not self._handlers or not hasattr(signal, "SIGCHLD"):  # on Windows a killed worker is noticed when it is waited for
            return
        if signal.SIGCHLD not in self._handlers and callable(of_torch := signal.getsignal(signal.SIGCHLD)):
            self._handlers[signal.SIGCHLD] = of_torch
            signal.signal(signal.SIGCHLD, self._notice_child)

    def _notice_child(self, number: int, frame: Any) -> None:
        try:
            self._handlers[signal.SIGCHLD](number, frame)
        except RuntimeError as error:
            self._killed = worker_killed(error)
            if self._killed is None:
                raise

    def _notice(self, number: int, frame: Any) -> None:
        if self.signal and number == signal.SIGINT:
            raise Interrupted(128 + number)
        self.signal = number

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self._notice_time(trainer)
        if self._may_save(trainer):
            self._save_or_stop(trainer)

    def _may_save(self, trainer: pl.Trainer) -> bool:
        """Whether a checkpoint behind this batch is one to go on from.

        A run resumed from a checkpoint between a batch and its validation would skip that validation, and one resumed from its
        last step would not log that step.
        """
        last = trainer.global_step == trainer.max_steps
        return not last and not validation_follows(trainer) and not gradients_are_accumulating(trainer)

    def _notice_time(self, trainer: pl.Trainer) -> None:
        """Stops in Lightning's place, which would end the epoch where it is, as if it were whole."""
        # Whether to stop is alike on all ranks; whose wish it is the first one says.
        if trainer.should_stop and trainer.strategy.broadcast(time_is_up(trainer)):
            steps, epochs = trainer.global_step, epochs_trained(trainer)
            if steps >= (trainer.min_steps or 0) and epochs >= (trainer.min_epochs or 0):
                trainer.should_stop, self._out_of_time = False, True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Lightning resumes a run that is limited by steps (and not by epochs) one step late from an epoch's end; such a run
        # saves at the next batch.
        self._notice_time(trainer)
        if trainer.max_steps == -1:
            self._out_of_time &= not is_whole(trainer)
            self._save_or_stop(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._saved_step != trainer.global_step:
            self._save(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Keeps the steps that are whole, and leaves no process behind: ranks get some seconds to end, then are killed."""
        if isinstance(exception, Exception) and self._may_save_between(trainer):
            with suppress(Exception):  # the first error is the one to show
                self._save(trainer)
        deadline = time.monotonic() + 5
        for process in started_processes(trainer):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        self._give_handlers_back()  # no teardown is called then

    def _may_save_between(self, trainer: pl.Trainer) -> bool:
        """Whether the error came between two steps: when a batch was fetched, and not within a step or in validation."""
        alone = trainer.state.fn == "fit" and trainer.training and trainer.world_size == 1
        return alone and self._saved_time > 0 and batches_are_whole(trainer) and self._may_save(trainer)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._give_handlers_back()

    def _give_handlers_back(self) -> None:
        for number, handler in self._handlers.items():
            # Lightning has put back what was there before the run by the time it calls teardown; its own would stay for ever,
            # and the process's next run, or a process that is forked from it, would not end at SIGTERM.
            if signal.getsignal(number) in (self._notice, self._notice_child):
                signal.signal(number, handler)
        self._handlers = {}

    def _try(self, trainer: pl.Trainer) -> None:
        """Writes a checkpoint beside the others, as large as those to come, reads it back, and removes it.

        Raises:
            InputError: it could not be written, or holds what does not load weights-only.
        """
        if not (folder := folder_of(trainer)):
            return
        path = folder / CHECKPOINTS / TRIAL
        trainer.save_checkpoint(path, weights_only=False)
        if not trainer.is_global_zero:
            return
        if path.is_dir():
            shutil.rmtree(path)
            raise InputError(
                f"{type(trainer.strategy).__name__} writes a checkpoint as a folder of shards, which cannot be replaced in "
                "one move; have it write whole ones (state_dict_type: full, or save_distributed_checkpoint: false)"
            )
        try:
            load(path)
            reserve(path, sum(map(state_to_come, trainer.optimizers)))  # what the optimizer will keep after its first step
        except OSError as error:
            raise InputError(f"{path}: the disk has no room for this run's checkpoints ({error.strerror})") from error
        except InputError as error:
            raise InputError(
                f"this run's checkpoints would not load again ({error}); tasks and callbacks may put only tensors and plain "
                "data into them"
            ) from None
        finally:
            path.unlink()

    def _save_or_stop(self, trainer: pl.Trainer) -> None:
        # One exchange a step: only when it says yes do the ranks ask one another what for.
        killed = str(self._killed or "")
        own = bool(self.signal or killed or self._out_of_time) or (trainer.is_global_zero and self._is_due(trainer))
        if not trainer.strategy.reduce_boolean_decision(own, all=False):
            return
        signals, kills, late = zip(*gather_objects((self.signal, killed, self._out_of_time)), strict=True)
        self._save(trainer)
        if any(signals):
            raise Stopped(128 + (self.signal or signal.SIGTERM))
        if text := next(filter(None, kills), ""):
            raise WorkerKilled(text)
        if any(late):
            raise Stopped(0)

    def _is_due(self, trainer: pl.Trainer) -> bool:
        if self.steps:
            return trainer.global_step - self._saved_step >= self.steps
        return time.monotonic() - self._saved_time >= 60 * self.minutes

    def _save(self, trainer: pl.Trainer) -> None:
        if folder := folder_of(trainer):
            trainer.save_checkpoint(folder / CHECKPOINTS / "last.ckpt", weights_only=False)
            self._saved_step, self._saved_time = trainer.global_step, time.monotonic()
