"""A sweep under way: trials are proposed, made side by side, and counted; what was interrupted is made again."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections import Counter
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from datamodules.scene import InputError, printable
from experiments.reproduction.launchers import Handle, Launcher, Processes, Submitit, gpu_count, scheduler_options
from experiments.runs.folder import checked_name
from experiments.runs.lock import LOCK, RunLock, is_locked
from experiments.runs.writing import writing
from experiments.training.catalog import class_of
from experiments.training.cli import LecternCLI, run_cli

from .definition import LOCKED, LOGS, PLACE, REASON, THREADS, Sweep, best_of, ended, give_up, mend, next_trial, open_trials
from .search import Searched
from .trial import make_trial

MOST_CHECKED = 12
"""Command lines that are parsed before anything is trained: the ends of each space, and each choice."""

MOST_AGAIN = 2
"""How often a trial is made again whose own process was stopped."""

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class _Enough(Exception):
    """The command line is parsed and checked; nothing is to be built of it."""

    def __init__(self, config: Any) -> None:
        self.config = config
        super().__init__("parsed")


class _Checked(LecternCLI):
    def instantiate_classes(self) -> None:
        raise _Enough(self.config[self.subcommand])


def checked(training: list[str], spaces: list[Searched]) -> Any:
    """The settings of the first trial; every end of a space, every choice, and a number between ends has been parsed.

    Raises:
        InputError: an option is none of the experiment's, or a value is none of the option's.
    """
    first = None
    for i in range(min(MOST_CHECKED, max(len(one.values) for one in spaces))):
        values = [f"--{one.name}={one.values[min(i, len(one.values) - 1)]}" for one in spaces]
        config = _parsed([*training, *values], is_quiet=i > 0)
        first = config if first is None else first
    for one in spaces:
        values = [f"--{other.name}={other.inner if other is one else other.values[0]}" for other in spaces]
        try:
            if one.inner:
                _parsed([*training, *values], is_quiet=True)
        except InputError as error:
            ends = ",".join(one.values)
            whole = f"int({ends}) has whole numbers" if all(value.isdecimal() for value in one.values) else str(error)
            raise InputError(f"--search {one.name}: {one.space}({ends}) takes numbers such as {one.inner}; {whole}") from None
    return first


def _parsed(arguments: list[str], *, is_quiet: bool) -> Any:
    """The settings of a training with these arguments; what is said of them is said for the first trial alone."""
    try:
        with ExitStack() as said:
            if is_quiet:
                said.enter_context(redirect_stdout(StringIO()))
                said.enter_context(redirect_stderr(StringIO()))
            run_cli(lambda: _Checked(["fit", *arguments]))
    except _Enough as enough:
        return enough.config
    raise AssertionError("parsed, and nothing came of it")


def sweep_of(options: Any, training: list[str], spaces: list[Searched], name: str) -> int:
    """Makes what is missing of a sweep; returns the exit code.

    Args:
        options: the command's own.
        training: the arguments of ``lectern fit``.
        spaces: what is searched.
        name: the sweep's, a path below the folder of all runs.
    """
    config = checked(training, spaces)
    if any(isinstance(n, int) and n > 1 for n in (config.trainer.devices, config.trainer.num_nodes)):
        raise InputError("trainer.devices: a trial of a sweep trains on one device; --jobs N has N trials side by side")
    task = class_of(config.model.class_path)
    sweep = Sweep(
        folder=options.runs / checked_name(name, "--name"),
        runs=options.runs,
        arguments=training,
        search=[str(one) for one in spaces],
        monitor=options.monitor or task.monitor,
        mode=options.mode or task.mode,
        seed=options.search_seed,
        prune=options.prune == "true",
    )
    if not sweep.monitor:
        raise InputError(f"{task.__name__} measures nothing by itself: --monitor NAME --mode max says what is to become best")
    lock = RunLock(sweep.folder / LOCKED)
    with writing(sweep.folder):
        sweep.folder.mkdir(parents=True, exist_ok=True)
        if not lock.acquire():
            raise InputError(f"{sweep.folder}: another lectern sweep is making its trials")
    try:
        sweep.write()
        mend(sweep)
        return Trials(sweep, open_trials(sweep), options.trials).run(_executors(options, sweep.folder))
    finally:
        lock.release()


def _executors(options: Any, folder: Path) -> list[Processes | Submitit]:
    """One for each trial that is made beside others: a process that is killed takes none but its own trial with it."""
    kind: Launcher = options.launcher
    if kind != "processes":
        executor = Submitit(kind, folder / ".submitit", scheduler_options(options.slurm))
        return [executor] * (options.jobs or 4)
    jobs = options.jobs or gpu_count() or 1
    threads = os.environ.get(VARIABLES[0]) or str(max(1, cores() // jobs))  # MKL's own number would win over OpenMP's
    for variable in VARIABLES:
        os.environ.setdefault(variable, threads)
    return [Processes(1, first=i) for i in range(jobs)]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Trials:
    """The trials of a sweep, until there are as many as are wanted.

    Args:
        sweep: what they are.
        study: Optuna's.
        wanted: how many, those included that are there.
    """

    def __init__(self, sweep: Sweep, study: Any, wanted: int) -> None:
        self.sweep, self.study, self.wanted = sweep, study, wanted
        self._open: dict[int, tuple[int, int, Handle | None]] = {}
        """By Optuna's number: the place, the executor, and what tells when it is over; None of another command's job."""
        self._stops = Counter[int]()
        """How often the process that made the trial at a place was stopped by itself."""

    def run(self, executors: list[Processes | Submitit]) -> int:
        """Makes what is missing; returns the exit code."""
        self._take_up()
        done = len(ended(self.study))
        if done:
            print(f"sweep     {self.sweep.folder}: {done} of {self.wanted} trials are made already")
        try:
            self._make(executors)
        except (KeyboardInterrupt, SystemExit) as stop:
            for executor in executors:
                executor.stop()
            left = max(0, self.wanted - len(ended(self.study)))
            stop.says = f"stopped: {left} of {self.wanted} trials are left; the same command goes on with them"  # type: ignore[union-attr]
            raise
        finally:
            for executor in executors:
                executor.shutdown()
        return self._say_best()

    def _take_up(self) -> None:
        """Trials of an earlier command: those whose job still goes on are waited for, the others are made again."""
        import optuna

        for trial in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            place = trial.user_attrs.get(PLACE)
            if place is not None and is_locked(self.sweep.run_of(place) / LOCK):
                self._open[trial.number] = int(place), -1, None
            else:
                give_up(self.study, trial.number, again=True)

    def _make(self, executors: list[Processes | Submitit]) -> None:
        while True:
            for number in list(self._open):
                self._look_at(number)
            busy = {executor for _, executor, _ in self._open.values()}
            free = [i for i in range(len(executors)) if i not in busy]
            missing = self.wanted - len(ended(self.study)) - len(self._open)
            for i in free[: max(0, missing)]:
                trial, place = next_trial(self.sweep, self.study)
                handle = executors[i].submit(make_trial, self.sweep.folder, trial.number)
                self._open[trial.number] = place, i, handle
            if not self._open:
                return
            time.sleep(0.2)

    def _look_at(self, number: int) -> None:
        """Closes a trial that is over, and says how it ended."""
        place, _, handle = self._open[number]
        trial = self.study.get_trials(deepcopy=False)[number]
        if handle is not None and handle.done():
            if (error := handle.exception()) is not None and not trial.state.is_finished():
                # By a signal to it alone, as a scheduler ends a job; one that is stopped each time would be made for ever.
                self._stops[place] += isinstance(error, SystemExit)
                stopped = isinstance(error, SystemExit) and self._stops[place] <= MOST_AGAIN
                give_up(self.study, number, _why(error), again=stopped)
                if stopped:
                    del self._open[number]
                    return
        elif not trial.state.is_finished():
            if handle is None and not is_locked(self.sweep.run_of(place) / LOCK):
                give_up(self.study, number, again=True)
                del self._open[number]
            return
        elif handle is not None:  # its process still writes the summary
            return
        del self._open[number]
        self._say(self.study.get_trials(deepcopy=False)[number], place)

    def _say(self, trial: Any, place: int) -> None:
        import optuna

        states = optuna.trial.TrialState
        values = " ".join(self._words(trial))
        if trial.state == states.COMPLETE:
            best = best_of(self.study, self.sweep.mode)
            said = f"{self.sweep.monitor} {trial.value:.4f}" + (", the best" if best and best.number == trial.number else "")
        elif trial.state == states.PRUNED:
            said = f"pruned after {len(trial.intermediate_values)} validations"
        else:
            said = f"failed: {trial.user_attrs.get(REASON) or 'it ended without a word'}"
        print(f"trial {place:<3} {values}: {printable(said)}", flush=True)

    def _words(self, trial: Any) -> list[str]:
        return [f"{one.name} {one.typed(trial.params[one.name])}" for one in self.sweep.searched if one.name in trial.params]

    def _say_best(self) -> int:
        import optuna

        all_of_them = ended(self.study)
        states = optuna.trial.TrialState
        counts = {
            word: sum(trial.state == state for trial in all_of_them)
            for word, state in (("complete", states.COMPLETE), ("pruned", states.PRUNED), ("failed", states.FAIL))
        }
        print(f"\nsweep     {self.sweep.folder}: " + ", ".join(f"{n} {word}" for word, n in counts.items() if n))
        best = best_of(self.study, self.sweep.mode)
        if best is None:
            print(f"lectern: no trial came to its end; what they said lies in {self.sweep.folder / LOGS}", file=sys.stderr)
            return 1
        place = best.user_attrs[PLACE]
        print(f"best      trial {place}: {self.sweep.monitor} {best.value:.4f}, {', '.join(self._words(best))}")
        print(f"run       {self.sweep.run_of(place)}")
        again = ["lectern", "fit", *self.sweep.arguments, *self.sweep.options_of(best.params)]
        again += ["--runs", str(self.sweep.runs)] if self.sweep.runs != Path("runs") else []
        threads = best.user_attrs.get(THREADS)
        if threads not in (None, cores()):  # as many as alone would sum in another order
            again = [f"{VARIABLES[0]}={threads}", *again]
        print(f"again     {shlex.join(again)}")
        return 0


def _why(error: BaseException) -> str:
    """Why a process that made a trial gave no answer."""
    if isinstance(error, SystemExit):
        times = f"{MOST_AGAIN + 1} times (exit code {error.code})"
        return f"its process was stopped {times}; --slurm timeout_min gives a job more time"
    if type(error).__name__ == "BrokenProcessPool":
        return "its process was killed; where memory is short the system does so: a smaller --data.batch_size, or fewer --jobs"
    return " ".join(f"{type(error).__name__}: {error}".split())[-300:]
