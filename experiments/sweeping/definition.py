"""A sweep's folder: what it searches, and Optuna's file of its trials, which outlives any kill."""

from __future__ import annotations

import json
import logging
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from datamodules.scene import InputError
from experiments.runs.bounded import read_json
from experiments.runs.writing import plain_json, write_atomically

from .search import Searched

SWEEP = "sweep.json"
"""A folder with this file holds a sweep; the runs in it are its trials."""
JOURNAL = "trials.journal"
LOCKED = ".sweep.lock"
"""What the command that makes its trials holds."""
LOGS = ".logs"
VERSION = 1

PLACE, INTERRUPTED, REASON, THREADS = "place", "interrupted", "reason", "threads"
"""What a trial says beside its values: its number in the sweep, which is its folder's name; whether it was cut off and is made
again under another of Optuna's numbers; why it failed; and how many threads computed it, which sets the order of its sums."""

Optimum = Literal["min", "max"]


@dataclass(frozen=True)
class Sweep:
    """What determines a sweep's trials, one by one."""

    folder: Path
    """Its own, ``<runs>/<name>``; a trial's run is ``<runs>/<name>/<four digits>``."""
    runs: Path
    arguments: list[str]
    """Of ``lectern fit``, without what is searched."""
    search: list[str]
    monitor: str
    """The metric whose best value over a training is the trial's."""
    mode: Optimum
    seed: int = 0
    """Of the search; the trainings have their recipe's."""
    prune: bool = True

    @property
    def name(self) -> str:
        return self.folder.relative_to(self.runs).as_posix()

    @property
    def searched(self) -> list[Searched]:
        return [Searched.of_text(text) for text in self.search]

    def run_of(self, place: int) -> Path:
        """The folder of a trial's run."""
        return self.folder / f"{place:04}"

    def options_of(self, parameters: dict[str, Any]) -> list[str]:
        """The options that a trial's values are typed as."""
        return [f"--{one.name}={one.typed(parameters[one.name])}" for one in self.searched]

    def write(self) -> None:
        """Writes ``sweep.json``; what stands there of another sweep is not overwritten.

        Raises:
            InputError: a sweep of that name searches something else, or it cannot be written.
        """
        path = self.folder / SWEEP
        if path.exists():
            other = Sweep.read(self.folder)
            differing = [key for key, value in self._said().items() if other._said()[key] != value]
            if differing:
                raise InputError(
                    f"{self.folder}: is a sweep with other {' and '.join(differing)}; --name NAME makes another beside it"
                )
            return
        write_atomically(path, plain_json({"version": VERSION, "name": self.name, **self._said()}))

    def _said(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in ("folder", "runs")}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The sweep in a folder.

        Raises:
            InputError: there is none, or its file is damaged.
        """
        path = folder / SWEEP
        try:
            said = read_json(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: no sweep ({error})") from None
        kinds: dict[str, Any] = {
            "name": str,
            "arguments": list,
            "search": list,
            "monitor": str,
            "mode": str,
            "seed": int,
            "prune": bool,
        }
        if not isinstance(said, dict) or said.get("version") != VERSION:
            raise InputError(f"{path}: no sweep of this Lectern")
        wrong = [key for key, kind in kinds.items() if not isinstance(said.get(key), kind)]
        wrong += [key for key in ("arguments", "search") if key not in wrong and not all(isinstance(v, str) for v in said[key])]
        if wrong or said["mode"] not in ("min", "max"):
            raise InputError(f"{path}: damaged ({', '.join(wrong) or 'mode'})")
        runs = folder
        for _ in Path(said["name"]).parts:
            runs = runs.parent
        values = {key: said[key] for key in kinds if key != "name"}
        return cls(folder=folder, runs=runs, **values)


def open_trials(sweep: Sweep) -> Any:
    """Optuna's study over the sweep's file of trials.

    Raises:
        InputError: Optuna is not installed, or the file is damaged.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise InputError("lectern sweep needs Optuna: pip install 'lectern[sweep]'") from None
    optuna.logging.set_verbosity(logging.WARNING)
    path = sweep.folder / JOURNAL
    try:
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        return optuna.create_study(
            storage=storage,
            study_name=sweep.name,
            direction="maximize" if sweep.mode == "max" else "minimize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=2) if sweep.prune else optuna.pruners.NopPruner(),
        )
    except (json.JSONDecodeError, KeyError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); --name NAME begins another sweep") from None


def mend(sweep: Sweep) -> None:
    """Cuts off a last line of the file of trials that a killed process has not ended; nobody else writes it meanwhile."""
    path = sweep.folder / JOURNAL
    if not path.is_file():
        return
    with path.open("r+b") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
            file.flush()
            os.fsync(file.fileno())


def next_trial(sweep: Sweep, study: Any) -> tuple[Any, int]:
    """The next trial that is to be made, and its place: one that was interrupted, or a new one.

    What is proposed depends on the sweep's seed, the trial's place and the trials before it alone, so that a sweep that was
    interrupted goes on as it would have.
    """
    import optuna

    place = 1 + max((places_of(study)), default=-1)
    study.sampler = optuna.samplers.TPESampler(seed=sweep.seed * 100_003 + place)
    trial = study.ask({one.name: one.distribution() for one in sweep.searched})
    if (own := trial.user_attrs.get(PLACE)) is not None:
        return trial, int(own)
    trial.set_user_attr(PLACE, place)
    return trial, place


def places_of(study: Any) -> list[int]:
    """The places of all trials that there are."""
    return [int(trial.user_attrs[PLACE]) for trial in study.get_trials(deepcopy=False) if PLACE in trial.user_attrs]


def ended(study: Any) -> list[Any]:
    """The trials that have come to an end: complete, pruned or failed; none of those that were interrupted."""
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state.is_finished() and not trial.user_attrs.get(INTERRUPTED)
    ]


def give_up(study: Any, number: int, reason: str = "", *, again: bool = False) -> None:
    """Ends a trial that nobody makes any more: as a failed one, or as one that is made again."""
    import optuna

    trial = study.get_trials(deepcopy=False)[number]
    if trial.state.is_finished():
        return
    handle = optuna.trial.Trial(study, trial._trial_id)
    handle.set_user_attr(INTERRUPTED, again) if again else handle.set_user_attr(REASON, reason)
    if again and PLACE in trial.user_attrs:
        study.enqueue_trial(trial.params, user_attrs={PLACE: trial.user_attrs[PLACE]})
    study.tell(number, state=optuna.trial.TrialState.FAIL)


def best_of(study: Any, mode: Optimum) -> Any | None:
    """The trial with the best value of those that came to their end; None where none did."""
    import optuna

    complete = [t for t in ended(study) if t.state == optuna.trial.TrialState.COMPLETE and math.isfinite(t.value)]
    return (max if mode == "max" else min)(complete, key=lambda trial: trial.value, default=None)
