"""Checkpoints: written whole or not at all, found again, and complete enough to run from."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint

from datamodules.scene import InputError

from .runs import CHECKPOINTS, CONFIG, is_finished


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
            beside.unlink(missing_ok=True)
            raise InputError(f"{target}: checkpoint not written, the previous one is intact ({error})") from error


class KeepLast(ModelCheckpoint):
    """Keeps ``checkpoints/last.ckpt``, from which an interrupted run goes on; it is all that such a run loses behind.

    Args:
        minutes: between two checkpoints.
        steps: between two checkpoints, in place of the minutes.
    """

    def __init__(self, minutes: float = 5.0, steps: int | None = None) -> None:
        super().__init__(
            filename="last",
            train_time_interval=None if steps else timedelta(minutes=minutes),
            every_n_train_steps=steps,
            save_on_exception=True,
            enable_version_counter=False,
        )

    @property
    def state_key(self) -> str:
        return type(self).__qualname__

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._last_global_step_saved != trainer.global_step:
            self._save_topk_checkpoint(trainer, self._monitor_candidates(trainer))


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
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a checkpoint that can be read, or damaged ({reason})") from None
    if not isinstance(content, dict) or "state_dict" not in content:
        raise InputError(f"{path}: holds no task's weights (no state_dict)")
    return content


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
    result = [arguments[0], *(["--config", json.dumps(filled)] if filled else []), *arguments[1:]]
    if arguments[0] == "predict" and "ImageFiles" in (_value(arguments, "--data") or ""):
        data = (experiment.get("data") or {}).get("init_args") or {}
        specification = checkpoint["hyper_parameters"]["specification"]
        result += ["--data.specification", json.dumps(specification), "--data.fit", data.get("fit", "stretch")]
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
