"""One trial of a sweep, in this process: a training through the command line's own ``main``, pruned where it is hopeless."""

from __future__ import annotations

import gc
import math
import os
import traceback
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from datamodules.scene import InputError
from experiments import own_folder_last
from experiments.command_line.mistakes import what_was_wrong
from experiments.reproduction.output import environment, output_to
from experiments.runs.files import read_metrics
from experiments.runs.folder import RunFolder, is_run
from experiments.runs.lock import releasing
from experiments.runs.writing import write_summary
from experiments.training.cli import LecternCLI, run_cli

from .definition import LOGS, PLACE, REASON, THREADS, Optimum, Sweep, open_trials


class Pruning(pl.Callback):
    """Tells Optuna the monitored metric after each validation, and ends a training that the others leave behind.

    Args:
        trial: Optuna's.
        monitor: the metric.
    """

    def __init__(self, trial: Any, monitor: str) -> None:
        self.trial, self.monitor = trial, monitor
        self.pruned_after: int | None = None
        """Validations, of one that was pruned."""
        self._validations = 0

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or self.monitor not in trainer.callback_metrics:
            return
        self._validations += 1
        value = float(trainer.callback_metrics[self.monitor])
        if not math.isfinite(value):
            return
        self.trial.report(value, self._validations)
        if self.trial.should_prune():
            trainer.should_stop, self.pruned_after = True, self._validations


class TrialCLI(LecternCLI):
    """``lectern fit`` with a callback more, which is no part of the experiment that the run and its checkpoints have."""

    def __init__(self, arguments: list[str], pruning: Pruning) -> None:
        self.pruning = pruning
        super().__init__(arguments)

    def own_callbacks(self, config: Any) -> list[pl.Callback]:
        return [*super().own_callbacks(config), self.pruning]


def make_trial(folder: Path, number: int) -> None:
    """Makes a trial and tells the sweep's file how it ended; what it prints lies in ``.logs`` of the sweep's folder.

    A training that diverges, or runs out of memory, or is refused is a failed trial. One whose time (``trainer.max_time``) is
    up counts by what it reached until then. One that is stopped from outside is none: it is made again.

    Args:
        folder: the sweep's.
        number: Optuna's, of a trial that is under way.
    """
    import optuna

    own_folder_last()  # a scheduler's job does not come through main
    sweep = Sweep.read(folder)
    study = open_trials(sweep)
    frozen = study.get_trials(deepcopy=False)[number]
    if frozen.state != optuna.trial.TrialState.RUNNING:  # a job that waited while its trial was made again
        return
    trial, place = optuna.trial.Trial(study, frozen._trial_id), int(frozen.user_attrs[PLACE])
    (folder / LOGS).mkdir(exist_ok=True)
    trial.set_user_attr(THREADS, torch.get_num_threads())
    pruning = Pruning(trial, sweep.monitor)
    group = os.environ.get("WANDB_RUN_GROUP", sweep.name)
    with output_to(folder / LOGS / f"{place:04}.txt"), environment(WANDB_RUN_GROUP=group):
        value, reason = _made(sweep, frozen.params, place, pruning)
    state = "failed" if reason else "pruned" if pruning.pruned_after is not None else "complete"
    _note(sweep, place, {"state": state, "value": value, "reason": reason, "parameters": dict(frozen.params)})
    if reason:
        trial.set_user_attr(REASON, reason)
        study.tell(number, state=optuna.trial.TrialState.FAIL)
    elif state == "pruned":
        study.tell(number, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(number, value)


def _made(sweep: Sweep, parameters: dict[str, Any], place: int, pruning: Pruning) -> tuple[float | None, str]:
    """Trains; returns the best value of the monitored metric, and why there is none."""
    # No trial is tested unless asked for: a search that looks at test images chooses by them in the end.
    arguments = [
        "fit",
        "--test_at_end",
        "false",
        "--findings",
        "false",
        *sweep.arguments,
        *sweep.options_of(parameters),
        "--runs",
        str(sweep.runs),
        "--name",
        sweep.name,
    ]
    arguments += ["--version", f"{place:04}", "--overwrite", "true"]  # of what an interrupted trial has left
    try:
        if code := run_cli(lambda: TrialCLI(arguments, pruning)):
            return None, f"lectern fit ended with exit code {code}"
    except SystemExit as stop:
        if stop.code != 0:  # 0 is said by a training whose time is up, and by nobody from outside
            raise
    except Exception as error:
        traceback.print_exc()
        return None, what_was_wrong(error) or " ".join(f"{type(error).__name__}: {error}".split())[:300]
    finally:
        _free()
    return best_value(sweep.run_of(place), sweep.monitor, sweep.mode)


def best_value(folder: Path, monitor: str, mode: Optimum) -> tuple[float | None, str]:
    """The best value of a metric over a run, and why there is none."""
    values = [row[monitor] for row in read_metrics(folder) if monitor in row]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None, f"{monitor} is not finite" if values else f"{monitor} was never measured"
    return (max if mode == "max" else min)(finite), ""


def _note(sweep: Sweep, place: int, about: dict[str, Any]) -> None:
    """Writes into the run's summary which trial it is, where there is a run."""
    folder = sweep.run_of(place)
    if not is_run(folder):
        return
    try:
        with releasing():
            RunFolder.open(folder)
            write_summary(folder, {"sweep": {"name": sweep.name, "trial": place, **about}})
    except InputError:  # somebody goes on with it by hand; the sweep's own file has it
        traceback.print_exc()


def _free() -> None:
    """Gives back what a trial that ran out of memory held: the next one may begin in this process."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
