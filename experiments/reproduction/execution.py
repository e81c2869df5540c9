"""One run of a study, in this process: a training through the command line's own ``main``, or a measurement."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from datamodules.scene import InputError
from experiments import command, own_folder_last
from experiments.runs.files import CHECKPOINTS, CURVES, read_summary, test_metrics
from experiments.runs.folder import RunFolder
from experiments.runs.lock import LOCK, RunLock, is_locked, releasing
from experiments.runs.writing import write_atomically, write_summary
from experiments.studies.study import Job
from experiments.training.memory import keep_freed_memory

from .evidence import DataSeen, data_seen, processor, seal, versions
from .output import environment, output_to
from .provenance import sources

LOG = "log.txt"
EXPERIMENT = "experiment.yaml"

QUIET = {
    "trainer.enable_progress_bar": False,
    "trainer.enable_model_summary": False,
    "trainer.num_sanity_val_steps": 0,
}
"""What is set where a study leaves it open; none of it changes a result."""


def is_complete(folder: Path) -> bool:
    """Whether a study's run came to its end, its test included."""
    return bool(read_summary(folder).get("complete"))


def execute(job: Job, folder: Path, label: dict[str, Any], wandb: str = "disabled") -> bool:
    """Makes the run in ``folder``: its files are those of any run, and what it printed lies in ``log.txt``.

    A training that was interrupted goes on from its last checkpoint. ``label`` (study, variant, claim, scale) is kept in the
    summary. Where another process is making the same run, it is waited for.

    Returns:
        Whether the run was made here, and not by another process meanwhile.

    Raises:
        Exception: whatever stopped the run; the summary has the reason.
    """
    job_lock(folder).parent.mkdir(parents=True, exist_ok=True)
    with RunLock(job_lock(folder)):
        if is_complete(folder):
            return False
        _execute(job, folder, label, wandb)
        return True


def job_lock(folder: Path) -> Path:
    """What the process that makes a study's run holds; beside the folder, since the run's own is its training's."""
    return folder.parent / ".locks" / folder.name


def _execute(job: Job, folder: Path, label: dict[str, Any], wandb: str) -> None:
    import torch

    own_folder_last()  # a scheduler's job does not come through main
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked(folder / LOCK):  # by who went on with it by hand
        raise InputError(f"{folder}: another process is writing this run")
    keep_freed_memory()  # what is timed is then the work, and not the system's
    torch.set_num_threads(1)  # the same sums, and so the same result, beside any number of other runs
    began, cpu = time.monotonic(), time.process_time()
    with releasing(), output_to(folder / LOG):
        try:
            about = {"study": label | {"variant": job.variant, "lr": job.lr, "seed": job.seed}, "hash": job.hash}
            write_summary(folder, about | {"complete": False, "reason": ""})
            made = _measure(job, folder) if job.function else _train(job, folder, label, wandb)
            spent = {
                "wall_seconds": round(time.monotonic() - began, 2),
                "cpu_seconds": round(time.process_time() - cpu, 2),
            }
            seen = made.data()
            about = {"code": sources(made.used), "data_digest": seen.digest, "data_fields": seen.fields}
            here = {"processor": processor(), "versions": versions(), "sealed": seal(folder, read_summary(folder))}
            write_summary(folder, {"complete": True, **spent, **about, **here})
        except BaseException as error:
            traceback.print_exc()
            write_summary(folder, _end(error))
            raise


def _end(error: BaseException) -> dict[str, str]:
    """What a summary says of a run that an exception ended: one that was stopped has not failed, and is gone on with."""
    # After a signal: the command line's own exit, whose code says which, or Lightning's, which has none before it trains.
    code = error.code if isinstance(error, SystemExit) else 0
    if code is None or (isinstance(code, int) and code > 128) or isinstance(error, KeyboardInterrupt):
        return {"state": "unfinished", "reason": ""}
    return {"state": "failed", "reason": f"{type(error).__name__}: {error}"[:500]}


class Made(NamedTuple):
    """What is known of a run that has come to its end."""

    used: list[Any]
    """The classes and functions that made it."""
    data: Callable[[], DataSeen] = DataSeen
    """Gives what it saw."""


def _train(job: Job, folder: Path, label: dict[str, Any], wandb: str) -> Made:
    from experiments.training.run_choice import OWN_FOLDER

    config = dict(job.settings)
    write_atomically(folder / EXPERIMENT, yaml.safe_dump(config, sort_keys=False))
    arguments = ["fit", "--config", str(folder / EXPERIMENT), "--wandb", wandb]
    arguments += ["--name", "/".join(folder.parts[-4:-1]), "--runs", str(folder.parents[3])]
    for key, value in QUIET.items():
        if not _has(config, key):
            arguments += [f"--{key}", json.dumps(value)]
    if not _has(config, "pictures.count"):
        arguments += ["--pictures.count", "0"]
    for key in ("test_at_end", "findings"):  # a study has a test of its own, and many short runs
        if not _has(config, key):
            arguments += [f"--{key}", "false"]
    if not _has(config, "data.init_args.workers"):
        arguments += ["--data.workers", "0"]
    arguments += ["--on_nan", "continue"]  # a learning rate that is walked to may be too high, and is judged by its figures
    last = folder / CHECKPOINTS / "last.ckpt"
    if last.is_file():
        write_summary(folder, {"state": "unfinished"})  # a training that was at its end is not refused: its test is to come
        arguments += ["--ckpt_path", str(last)]
    with environment(**{OWN_FOLDER: str(folder)}):
        return _train_on_many(config, arguments, folder) if _devices(config) > 1 else _train_here(job, config, arguments)


def _train_here(job: Job, config: dict[str, Any], arguments: list[str]) -> Made:
    from experiments.training.cli import LecternCLI, run_cli

    made: list[Any] = []

    def start() -> LecternCLI:
        cli = LecternCLI(arguments)
        if config.get("trainer", {}).get("limit_test_batches") != 0:
            cli.trainer.test(cli.model, cli.datamodule, verbose=False)
        made.extend([cli.model, cli.datamodule, *vars(cli.trainer)["callbacks"]])
        return cli

    # The reason belongs into the summary, and the trace into the log.
    with environment(WANDB_JOB_TYPE=job.variant, LECTERN_TRACEBACK="1"):
        code = run_cli(start)
    if code != 0 or not made:  # stopped by its time it has no error, but is not whole
        raise SystemExit(code)
    task, data = made[:2]
    objects = [*made, *task.modules(), *getattr(task, "val_metrics", {}).values()]
    return Made([type(thing) for thing in objects], lambda: data_seen(data))


def _devices(config: dict[str, Any]) -> int:
    trainer = config.get("trainer", {})
    devices = trainer.get("devices", 1)
    return (devices if isinstance(devices, int) else 1) * int(trainer.get("num_nodes", 1))


def _train_on_many(config: dict[str, Any], arguments: list[str], folder: Path) -> Made:
    """A training on several devices, as a command of its own: Lightning's strategies start the other ranks by repeating it."""
    from experiments.command_line.trusting import NEVER
    from experiments.training.plain_data import names
    from experiments.training.trust import PACKAGES

    subprocess.run(command(*arguments), check=True)
    last = folder / CHECKPOINTS / "last.ckpt"
    own = {name.partition(".")[0] for _, name in names(config, "") if "." in name} - {
        package.split(".")[0] for package in PACKAGES
    }
    test = command("test", "--ckpt_path", str(last), "--on_nan", "continue", "--trainer", json.dumps(config["trainer"]))
    test += ["--findings", "false"]
    test += [part for package in sorted(own - set(NEVER)) for part in ("--trust", package)]  # the study's own classes
    if (code := subprocess.run(test, check=False).returncode) not in (0, 1):  # 1: it misses what its recipe expects
        raise subprocess.CalledProcessError(code, test)
    write_summary(folder, {"test": test_metrics(folder, {})})
    paths = [config[part]["class_path"] for part in ("model", "data")]
    return Made([importlib.import_module(p.rpartition(".")[0]) for p in paths if "." in p])


def _measure(job: Job, folder: Path) -> Made:
    assert job.function is not None
    began = time.monotonic()
    RunFolder.open(folder)  # until the run is over
    measured = job.function(folder=folder, **job.settings)
    values = {name: (str(float(v)) if math.isinf(v) else float(v)) for name, v in measured.values.items()}
    if measured.curves:
        write_atomically(folder / CURVES, json.dumps({k: [list(p) for p in v] for k, v in measured.curves.items()}))
    write_summary(
        folder,
        {
            "state": "finished",
            "name": folder.parent.name,
            "measured": values,
            "seconds": round(time.monotonic() - began, 2),
            "device": "1 x cpu",
            **_surroundings(),
        },
    )
    return Made([job.function], lambda: DataSeen(measured.data))


def _surroundings() -> dict[str, Any]:
    from datetime import datetime

    from experiments.training.callbacks import commit

    return {"finished": datetime.now().astimezone().isoformat(timespec="seconds"), "commit": commit()}


def _has(config: dict[str, Any], key: str) -> bool:
    place: Any = config
    for part in key.split("."):
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True
