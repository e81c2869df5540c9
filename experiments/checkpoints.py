"""Checkpoints: written whole or not at all, found again, and complete enough to run from."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonargparse
import pytorch_lightning as pl
import torch
import yaml
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.utilities.exceptions import SIGTERMException

from datamodules.scene import InputError
from lightning_modules.base import Task

from .runs import CHECKPOINTS, CONFIG, folder_of, is_finished


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes beside the target, syncs, and renames.

    Lightning's own writes to the system's temporary folder and moves: killed in between, and the move being a copy where
    the two are different file systems, it leaves a broken file under the good name.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        target = Path(path)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            with suppress(OSError):  # where the folder is read-only there is nothing to remove
                beside.unlink(missing_ok=True)
            reason = next((e.strerror for e in (error, error.__context__) if isinstance(e, OSError)), str(error))
            raise InputError(f"{target}: checkpoint not written, the previous one is intact ({reason})") from error


class Stopped(SIGTERMException):
    """Raised at the end of a step after SIGTERM or Ctrl-C, with the checkpoint of that step written."""


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
            raise KeyboardInterrupt
        self.signal = number

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        # A run resumed from a checkpoint between a batch and its validation would skip that validation, and one resumed
        # from its last step would not log that step.
        last = trainer.global_step == trainer.max_steps
        if not last and not _validation_follows(trainer) and not trainer.fit_loop._should_accumulate():
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
        for process in getattr(trainer.strategy.launcher, "procs", []):
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


def _validation_follows(trainer: pl.Trainer) -> bool:
    """Whether validation may come right after the batch that just ended."""
    loop, every = trainer.fit_loop.epoch_loop, trainer.val_check_batch
    in_epoch, in_all = loop.batch_progress.current.ready, loop.batch_progress.total.ready
    return loop.batch_progress.is_last_batch or (every is not None and (in_epoch % every == 0 or in_all % every == 0))


def load(path: Path) -> dict[str, Any]:
    """The checkpoint's content, on the CPU; nothing in it is executed.

    Raises:
        InputError: there is no such file, or it is no checkpoint.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"holds a {foreign[1]}" if foreign else (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a checkpoint that can be read, or damaged ({reason})") from None
    if not isinstance(content, dict) or "state_dict" not in content:
        raise InputError(f"{path}: holds no task's weights (no state_dict)")
    return content


def task_of(checkpoint: dict[str, Any], path: Path) -> Task:
    """The task that wrote a checkpoint, with its weights.

    Raises:
        InputError: the checkpoint was not written by ``lectern fit``, so it does not say how its task was built.
    """
    model = (checkpoint.get("experiment") or {}).get("model")
    if not model:
        raise InputError(f"{path}: does not say how its task was built; was it written by lectern fit?")
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Task, "model")
    specification = checkpoint["hyper_parameters"]["specification"]
    model = without_pretraining({**model, "init_args": {**model["init_args"], "specification": specification}})
    task: Task = parser.instantiate_classes(parser.parse_object({"model": model})).model
    task.load_state_dict(checkpoint["state_dict"])
    return task


def without_pretraining(config: Any) -> Any:
    """A configuration whose networks start without pre-trained ``weights``: the checkpoint's replace them."""
    if isinstance(config, dict):
        return {k: None if k == "weights" and isinstance(v, str) else without_pretraining(v) for k, v in config.items()}
    return config


def check(path: Path, class_path: str) -> None:
    """Raises InputError where the checkpoint is of another task than the configuration."""
    experiment = load(path).get("experiment") or {}
    saved = (experiment.get("model") or {}).get("class_path")
    if saved and saved.rsplit(".", 1)[-1] != class_path.rsplit(".", 1)[-1]:
        raise InputError(f"{path}: a checkpoint of {saved.rsplit('.', 1)[-1]}, but the task is {class_path.rsplit('.', 1)[-1]}")


def run_folder_of(path: Path) -> Path | None:
    """The folder of the run that wrote this checkpoint, where it still lies there."""
    folder = path.resolve().parent.parent
    inside = path.resolve().parent.name == CHECKPOINTS and (folder / CONFIG).is_file()
    return _relative(folder) if inside else None


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def last_unfinished(runs: Path) -> Path | None:
    """``last.ckpt`` of the newest run below this folder that has one and has not finished."""
    found = [p for p in sorted(runs.glob(f"*/{CHECKPOINTS}/last.ckpt")) if not is_finished(p.parent.parent)]
    return found[-1] if found else None


def complete(arguments: list[str]) -> list[str]:
    """The command line with what it leaves unsaid filled in from its checkpoint.

    ``validate``, ``test`` and ``predict`` take the task and, but for ``predict`` on other images, the data from there, so
    that a checkpoint is all that they need.
    """
    path = _value(arguments, "--ckpt_path")
    if not arguments or arguments[0] not in ("validate", "test", "predict") or path is None:
        return arguments
    checkpoint = load(Path(path))
    experiment = checkpoint.get("experiment") or {}
    given = _given_keys(arguments)
    filled = {key: experiment[key] for key in ("model", "data", "expect", "name") if experiment.get(key) and key not in given}
    filled = {key: without_pretraining(value) if key == "model" else value for key, value in filled.items()}
    result = [arguments[0], *(["--config", json.dumps(filled)] if filled else []), *arguments[1:]]
    if arguments[0] == "predict" and "ImageFiles" in (_value(arguments, "--data") or ""):
        data = (experiment.get("data") or {}).get("init_args") or {}
        specification = checkpoint["hyper_parameters"]["specification"]
        result += ["--data.specification", json.dumps(specification), "--data.resize_mode", data.get("resize_mode", "stretch")]
        if data.get("proposals") and not any(argument.startswith("--data.proposals") for argument in arguments):
            result += ["--data.proposals", json.dumps(data["proposals"])]
    return result


def _value(arguments: list[str], name: str) -> str | None:
    for i, argument in enumerate(arguments):
        if argument == name and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith(f"{name}="):
            return argument.split("=", 1)[1]
    return None


def _given_keys(arguments: list[str]) -> set[str]:
    """The top-level keys that the command line and its configuration files set."""
    keys = set()
    for i, argument in enumerate(arguments):
        if argument.startswith("--") and argument not in ("--config", "-c"):
            keys.add(argument[2:].split("=")[0].split(".")[0] if "." not in argument.split("=")[0] else "")
        if argument in ("--config", "-c") and i + 1 < len(arguments) and Path(arguments[i + 1]).is_file():
            content = yaml.safe_load(Path(arguments[i + 1]).read_text(encoding="utf-8"))
            keys |= set(content) if isinstance(content, dict) else set()
    return keys
