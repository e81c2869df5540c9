"""Which folder a command's run is: a new one, or that of the checkpoint it goes on from or evaluates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datamodules.scene import InputError
from experiments.runs.folder import EvaluationFolder, RunFolder

from .rebuilding import Saved, last_unfinished, run_folder_of


def choose(subcommand: str, config: Any, recipe: str, saved: Saved | None) -> RunFolder:
    """The folder of a command's run; ``config.ckpt_path`` is then a path, where ``last`` was asked for.

    Args:
        subcommand: fit, validate, test or predict.
        config: the subcommand's settings.
        recipe: the name of the recipe that was given; a run is called so where it is not named.
        saved: what the checkpoint says, where it was read already.

    Raises:
        InputError: there is no checkpoint to evaluate, or it is of another task.
    """
    name = config.name or recipe or f"{_short(config.model)}_{_short(config.data)}".lower()
    path = config.get("ckpt_path")
    if subcommand != "fit":
        if not path:
            raise InputError(f"lectern {subcommand} needs --ckpt_path: without a checkpoint it would score random weights")
        (saved or Saved.read(Path(path))).check(config.model.class_path)
        folder = run_folder_of(Path(path))
        return EvaluationFolder.of(folder) if folder else EvaluationFolder(config.runs, name)
    if path == "last":
        found = last_unfinished(Path(config.runs) / name)
        config["ckpt_path"] = path = str(found) if found else None
        print(f"resuming {found}" if found else f"no unfinished run of {name} in {config.runs}: a new one begins")
    if not path:
        return RunFolder(config.runs, name, config.version)
    folder = run_folder_of(Path(path))
    return RunFolder.of(folder) if folder else RunFolder(config.runs, name)


def _short(config: Any) -> str:
    return str(config.class_path).rsplit(".", 1)[-1]
