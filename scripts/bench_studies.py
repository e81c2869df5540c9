"""What commands cost before they do anything, and how much of a study's run is training.

CPU time of whole processes, one thread, both sides in turns; the peer of a start is the import of torch and Lightning alone.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from experiments import command, python
from experiments.reproduction.claims import select
from experiments.reproduction.execution import execute
from experiments.studies.plan import next_jobs
from experiments.studies.study import Study
from scripts.bench_rows import Row

IMPORT = python("-c", "import torch, pytorch_lightning")
PAGES = ("list", "fit --help", "fit --config segmentation/fcn_transpose --help", "reproduce --list")
FIT = (
    "fit --config segmentation/fcn_transpose --wandb disabled --data.workers 0 --trainer.max_steps 1 "
    "--trainer.limit_val_batches 0 --trainer.enable_progress_bar false --trainer.enable_model_summary false --test_at_end false"
)
STUDIES = ("cnn/learning_rate_decay_helps", "cnn/relu_is_six_times_faster", "cnn/weight_decay_improves_generalisation")
RUNS = 4
"""Runs of a study that are timed in one process, after one that draws the data."""


class TrainingClock(pl.Callback):
    """CPU seconds between a training's first batch and its last, validations left out; of all trainings of the process."""

    seconds = 0.0

    def __init__(self) -> None:
        self._since: float | None = None

    def on_train_batch_start(self, *args: Any) -> None:
        self._since = time.process_time() if self._since is None else self._since

    def on_validation_start(self, *args: Any) -> None:
        self._stop()

    def on_train_end(self, *args: Any) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._since is not None:
            TrainingClock.seconds += time.process_time() - self._since
            self._since = None


def training_share(name: str, folder: str) -> float:
    """Of the CPU time of a study's runs, the part that is training; in a process of its own."""
    from scripts.bench_studies import TrainingClock as clock  # the one that the run builds, also where this is __main__

    (claim,) = select([name])
    assert isinstance(claim.study, Study)
    jobs = next_jobs(claim.study, "cpu", lambda job: None)[: RUNS + 1]
    began = 0.0
    for number, job in enumerate(jobs):
        if number == 1:
            clock.seconds, began = 0.0, time.process_time()
        trainer = dict(job.settings["trainer"])
        trainer["callbacks"] = [*trainer.get("callbacks", ()), {"class_path": "scripts.bench_studies.TrainingClock"}]
        timed = replace(job, settings={**job.settings, "trainer": trainer})
        execute(timed, Path(folder) / "studies" / name / job.version, {"name": name, "scale": "cpu"})
    return clock.seconds / (time.process_time() - began)


def cpu_seconds(words: list[str], folder: str) -> float:
    """Of a process and all that it starts, in an empty home."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HOME": folder, "LECTERN_CACHE": f"{folder}/cache"}
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def rows(repeats: int) -> Iterator[Row]:
    """The table's rows: starts against the import of torch and Lightning, and the share of training in studies' runs."""
    with tempfile.TemporaryDirectory() as folder:
        for page in PAGES:
            words = command(*page.split())
            cpu_seconds(words, folder)  # after an update the first call loads everything, and keeps what it says
            yield _against_the_import(f"lectern {page}", words, folder, repeats, "≤ 0.5 s")
        yield _against_the_import(
            "lectern fit of one step, to its end", command(*FIT.split()), folder, repeats, "≤ 1.05 x the import"
        )
    for name in STUDIES:
        with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            share = pool.submit(training_share, name, folder).result()
        yield Row(f"{name}: CPU that is training", 100 * share, math.nan, "%", "≥ 80 %")


def _against_the_import(what: str, words: list[str], folder: str, repeats: int, wanted: str) -> Row:
    pairs = [(cpu_seconds(words, folder), cpu_seconds(IMPORT, folder)) for _ in range(repeats)]
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Row(what, ours, peer, "s", wanted)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(f"{row.what} | {row.ours:.2f} {row.unit} | {row.peer:.2f} | {row.ours / row.peer:.3f} | {row.wanted}", flush=True)
