"""From a checkpoint back to what it was written by: its task, its run, and the command line that it completes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonargparse
import yaml

from datamodules.scene import InputError
from experiments.runs.files import CHECKPOINTS, CONFIG
from experiments.runs.folder import is_finished
from lightning_modules.base import Task

from .checkpoint_io import load


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
