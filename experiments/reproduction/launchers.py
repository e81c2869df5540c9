"""Where the runs of studies take place: processes beside this one, or jobs of a scheduler through submitit."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import active_children, connection, get_context, get_start_method, parent_process, set_start_method
from pathlib import Path
from typing import Any, Literal, Protocol

from datamodules.scene import InputError
from experiments import python

Launcher = Literal["processes", "slurm", "local"]


class Handle(Protocol):
    """A submitted run, whoever makes it."""

    def done(self) -> bool: ...

    def exception(self) -> Any: ...

    def result(self) -> Any: ...


def gpu_count() -> int:
    """How many GPUs this machine has."""
    import torch

    return torch.cuda.device_count()


def default_jobs() -> int:
    """One run a GPU; without a GPU one a core, since a study's run uses one thread."""
    return gpu_count() or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Processes:
    """``jobs`` processes on this machine, each with a GPU of its own where there are GPUs: the one at place ``first``, and
    those behind it."""

    def __init__(self, jobs: int, first: int = 0) -> None:
        self.jobs, self.first = jobs, first
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        context = get_context("spawn")
        devices = context.Queue()
        self._stopping = context.Event()
        for number in range(self.first, self.first + self.jobs):
            devices.put(number)
        # One thread each, said before their libraries are loaded: two runs' threads would wait for each other's core.
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        setup = devices, gpu_count(), self._stopping, get_start_method()
        return ProcessPoolExecutor(self.jobs, context, _begin, setup)

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Handle:
        try:
            return self._start(function, *args)
        except RuntimeError:  # a process was killed, and took the pool with it
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._make()
            return self._start(function, *args)

    def _start(self, function: Callable[..., Any], *args: Any) -> Handle:
        # A terminal's Ctrl-C goes to all processes. One that is started now ignores it, until it trains: this one ends it.
        handler = signal.getsignal(signal.SIGINT)
        try:
            with suppress(ValueError):  # in another thread than the main one
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            return self._pool.submit(_call, function, *args)
        finally:
            with suppress(ValueError):
                signal.signal(signal.SIGINT, handler)

    def stop(self) -> None:
        """Asks the processes to end, and waits for none: at SIGTERM a training keeps its last checkpoint."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._deadline = time.monotonic() + GRACE
            for process in active_children():
                process.terminate()

    def shutdown(self) -> None:
        """Ends the processes. Where they were asked to stop, or an exception ends the command, none of them is waited for
        longer than :data:`GRACE` seconds."""
        if sys.exception():
            self.stop()
        if not self._stopping.is_set():
            self._pool.shutdown(wait=True, cancel_futures=True)
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        processes = active_children()
        for process in processes:
            process.join(max(0.0, self._deadline - time.monotonic()))
        for process in processes:
            if process.is_alive():
                process.kill()


GRACE = 2.0
"""Seconds in which a process that was asked to end may write its checkpoint."""

_stopping: Any = None
"""In a process that makes runs: the event that says that no other is to be begun."""


def _call(function: Callable[..., Any], *args: Any) -> Any:
    if _stopping is not None and _stopping.is_set():  # what was waiting behind a run that was stopped
        raise RuntimeError("stopped before it was begun")
    return function(*args)


def _begin(devices: Any, gpus: int, stopping: Any, method: str) -> None:
    """What a process does first: takes its GPU, and sees to it that it does not outlive the one that started it."""
    global _stopping
    _stopping = stopping
    set_start_method(method, force=True)  # a loader's worker that is spawned, as this process is, would import everything
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = device_of(devices.get(), gpus)
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def device_of(number: int, gpus: int) -> str:
    """What ``CUDA_VISIBLE_DEVICES`` is of the process at a place: one of the ``gpus`` that this command sees itself.

    They are those of the variable as it was set (numbers, UUIDs, parts of MIG), or all.
    """
    said = [device.strip() for device in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if device.strip()]
    there = said[:gpus] or [str(i) for i in range(gpus)]  # CUDA sees none behind the first that is not there
    return there[number % len(there)]


def _end_with(sentinel: Any) -> None:
    connection.wait([sentinel])
    os._exit(1)


class Submitit:
    """A scheduler's jobs, one a run, through submitit: ``slurm``, or ``local``, which needs no scheduler."""

    def __init__(self, cluster: str, folder: Path, options: dict[str, Any]) -> None:
        try:
            import submitit
        except ImportError:
            raise InputError("--launcher slurm and local need submitit: pip install 'lectern[slurm]'") from None
        # Where SLURM keeps no accounts it would say so every two seconds; a result is a file, and found all the same.
        logging.getLogger("submitit").setLevel(logging.ERROR)
        self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster, **{f"{cluster}_python": shlex.join(python())})
        self._executor.update_parameters(**({"timeout_min": 24 * 60} | options))

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Handle:
        handle: Handle = self._executor.submit(function, *args)
        return handle

    def stop(self) -> None:
        """Jobs of a scheduler go on."""

    def shutdown(self) -> None:
        """Jobs of a scheduler go on; the next call finds what they have made."""


def scheduler_options(words: Sequence[str]) -> dict[str, Any]:
    """``slurm_partition=gpu timeout_min=60``, for submitit.

    Raises:
        InputError: a word is no KEY=VALUE.
    """
    pairs: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"--slurm {word}: KEY=VALUE expected, such as slurm_partition=gpu")
        pairs[key] = int(value) if value.isdigit() else value
    return pairs


def launcher(name: Launcher, jobs: int | None, folder: Path, options: dict[str, Any]) -> Processes | Submitit:
    """The executor that a command line asks for."""
    if name == "processes":
        return Processes(jobs or default_jobs())
    return Submitit(name, folder, options)
