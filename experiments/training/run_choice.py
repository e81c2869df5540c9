"""Which folder a command's run is: a new one, or that of the checkpoint it goes on from or evaluates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datamodules.scene import InputError
from experiments.runs.evaluation import EvaluationFolder
from experiments.runs.files import CHECKPOINTS, state_of
from experiments.runs.folder import RunFolder, checked_name
from experiments.runs.lock import LOCK, holder, is_locked

from .first_process import is_first_process
from .rebuilding import Saved, run_folder_of

OWN_FOLDER = "LECTERN_RUN_FOLDER"
"""The environment variable of who made a run's folder and starts the command that is to write it (``lectern reproduce``)."""
CHOSEN = "LECTERN_CHOSEN_CHECKPOINT"
"""The environment variable in which the ranks that Lightning starts find the first one's pid, and what ``last`` is to it."""

Take = Callable[[], RunFolder]
"""Makes the folder, or gives the one that is held already."""


def choose(subcommand: str, config: Any, recipe: str, saved: Saved | None, rank_timeout: float) -> tuple[str, Take]:
    """The name of a command's run, and what gives its folder; ``last`` in ``config.ckpt_path`` becomes a path, or none.

    A run that is gone on with is locked here, so that nobody else goes on with it too; a new one is made when it is taken,
    when everything that it needs is there.

    Args:
        subcommand: fit, validate, test or predict.
        config: the subcommand's settings.
        recipe: the name of the recipe that was given; a run is called so where it is not named.
        saved: what the checkpoint says, where it was read already.
        rank_timeout: minutes that a rank waits for what the first one chooses.

    Raises:
        InputError: there is no checkpoint to evaluate, it is of another task, or another process writes its run.
    """
    name = checked_name(config.name or recipe or f"{_short(config.model)}_{_short(config.data)}".lower(), "--name")
    path, runs = config.get("ckpt_path"), Path(config.runs)
    if subcommand != "fit":
        if config.version or config.overwrite:
            raise InputError(
                f"--version and --overwrite are of a new run; lectern {subcommand} makes a folder of its own each time"
            )
        if not path:
            raise InputError(f"lectern {subcommand} needs --ckpt_path: without a checkpoint it would score random weights")
        (saved or Saved.read(Path(path))).check(config.model.class_path)
        place = run_folder_of(Path(path)) or runs / name
        return name, lambda: EvaluationFolder.make_for(place, name)
    version = config.version and checked_name(config.version, "--version")
    if config.overwrite and not version:
        raise InputError("--overwrite true: which run? --version names it")
    first = is_first_process()
    held = None
    if path == "last":
        held, found = _last(runs / name) if first else (None, _what_the_first_rank_chose(runs / name, rank_timeout))
        config["ckpt_path"] = path = found and str(found)
        print(f"resuming {found}" if found else f"no unfinished run of {name} in {runs}: a new one begins")
    if first:
        os.environ[CHOSEN] = f"{os.getpid()} {path or ''}"
    if not first:
        return name, lambda: RunFolder(runs / name / "unknown", name)  # until it adopts the first one's
    about = {"job": _job(), "ckpt_path": path or ""}
    if own := os.environ.get(OWN_FOLDER):
        held = RunFolder.open(Path(own), about)
    elif path and not held and (folder := run_folder_of(Path(path))) and Path(path).name == "last.ckpt":
        held = RunFolder.open(folder, about)
    if held:
        held.title = name
        return name, lambda: held
    return name, lambda: RunFolder.make(runs, name, version, overwrite=config.overwrite, about=about)


def _last(runs: Path) -> tuple[RunFolder | None, Path | None]:
    """The newest unfinished run below this folder that nobody is writing, held, and its ``last.ckpt``.

    The newest is the one with the newest checkpoint, whatever the folders are called.
    """
    for path in _unfinished(runs):
        try:
            return RunFolder.open(path.parent.parent, {"job": _job(), "ckpt_path": str(path)}), path
        except InputError:  # another process has it
            continue
    return None, None


def _unfinished(runs: Path) -> list[Path]:
    """``last.ckpt`` of each run below this folder that is to be gone on with and has one, the newest first."""
    found = [p for p in runs.glob(f"*/{CHECKPOINTS}/last.ckpt") if state_of(p.parent.parent) in ("unfinished", "failed")]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)


def _what_the_first_rank_chose(runs: Path, minutes: float) -> Path | None:
    """What ``last`` means to the first rank of a distributed run; the others may not choose for themselves.

    Those that Lightning starts are told by the environment. Those that torchrun or a scheduler starts find the run that a
    process of the same job holds.

    Raises:
        InputError: there was none in that time.
    """
    pid, _, told = os.environ.get(CHOSEN, "").partition(" ")
    if pid == str(os.getppid()):
        return Path(told) if told else None
    deadline = time.monotonic() + 60 * minutes
    while time.monotonic() < deadline:
        for lock in runs.glob(f"*/{LOCK}"):
            about = holder(lock)
            if about.get("job") == _job() and is_locked(lock):
                return Path(about["ckpt_path"]) if about.get("ckpt_path") else None
        time.sleep(0.1)
    raise InputError(f"{runs}: the first process of this job holds no run there after {minutes:g} minutes")


def _job() -> str:
    """What all processes of one distributed run have in common, and no other run has."""
    names = ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT", "TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT")
    return " ".join(os.environ.get(name, "-") for name in names)


def _short(config: Any) -> str:
    return str(config.class_path).rsplit(".", 1)[-1]
