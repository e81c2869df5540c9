"""What the suite costs beside its peers, one row a comparison; the rows are added to docs/bench.csv.

Times are CPU time on one thread; both sides of a ratio are measured in turns in one run. Each training has a process of
its own, as a user's has: what another leaves on the heap costs or saves up to a quarter of a step. A row whose ratio is more
than 10 % above its last one on the same processor is named at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from datamodules.drawing import album
from datamodules.loading import EpochLoader
from datamodules.scene import Batch
from datamodules.shapes import Shapes
from experiments.training.cli import LecternCLI
from experiments.training.memory import keep_freed_memory
from scripts import bench_compiled, bench_disk, bench_layout, bench_places, bench_predict, bench_studies
from scripts.bench_cases import CASES, FULLY_CONVOLUTIONAL, SMALL, Case, EverySecondStep, StepTimer, Still
from scripts.bench_rows import LOG, Row, append, quiet, regressions

DEMO_EPOCHS = 7


def in_a_process(function: Callable[..., float], *arguments: Any) -> float:
    """What a function of a module returns in a new process, with one thread for torch."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=quiet) as pool:
        return pool.submit(function, *arguments).result()


def fit_milliseconds(number: int, steps: int, warmup: int) -> float:
    """CPU ms a step of ``lectern fit`` as it ships: logging, checkpoints, progress bar and W&B (offline) included.

    Args:
        number: of the case in ``CASES``.
        steps: timed.
        warmup: steps before them.
    """
    case, timer = CASES[number], StepTimer(warmup)
    fit(case, steps + warmup, timer)
    return timer.milliseconds


def fit(case: Case, steps: int, timer: pl.Callback) -> None:
    """Runs ``lectern fit`` for so many steps, with one more callback."""

    class Timed(LecternCLI):
        def own_callbacks(self, config: Any) -> list[pl.Callback]:
            return [*super().own_callbacks(config), timer]

    network, optimizer = f'{{"class_path": "{case.network_path}"}}', '{"class_path": "torch.optim.AdamW"}'
    model = f'{{"class_path": "{case.task}", "init_args": {{"network": {network}, "optimizer": {optimizer}}}}}'
    arguments = ["fit", "--model", model, "--data", f"{Still.__module__}.Still", f"--trainer.max_steps={steps}"]
    arguments += [
        f"--data.batch_size={case.batch_size}",
        "--trainer.limit_val_batches=0",
        "--trainer.enable_model_summary=false",
        "--trainer.accelerator=cpu",
        "--test_at_end=false",
    ]
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        Timed([*arguments, "--runs", folder])
        import wandb

        if wandb.run is not None:
            wandb.finish()


def saving_milliseconds(number: int, steps: int, warmup: int) -> float:
    """As :func:`plain_milliseconds`, where freed memory is kept as ``lectern fit`` keeps it."""
    keep_freed_memory()
    return plain_milliseconds(number, steps, warmup)


def plain_milliseconds(number: int, steps: int, warmup: int) -> float:
    """CPU ms a step of a plain PyTorch loop over the same batches."""
    # Lightning, which this file imports, has Adam look for NVIDIA's library at every step; lectern fit undoes it, and so would
    # whoever writes a loop without Lightning.
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    case = CASES[number]
    data = Still(batch_size=case.batch_size)
    data.require(frozenset({"mask"}) if case.outputs == 7 else frozenset({"label"}))
    network = case.network(case.outputs)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) * 255 for v in (data.metadata.mean, data.metadata.std))
    loader = data.train_dataloader()
    network(torch.zeros(2, 3, 64, 64))
    optimizer = torch.optim.AdamW(network.parameters())
    began = time.process_time()
    for step, batch in enumerate(_endless(loader)):
        if step == warmup:
            began = time.process_time()
        if step == steps + warmup:
            break
        loss = case.loss(network((batch["image"] - mean) / std), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 1000 * (time.process_time() - began) / steps


def _endless(loader: Any) -> Iterator[Batch]:
    epoch = 0
    while True:
        loader.sampler.set_epoch(epoch)
        yield from loader
        epoch += 1


def step_rows(repeats: int, steps: int, warmup: int = 5) -> Iterator[Row]:
    """A step of ``lectern fit`` beside a plain loop: as glibc comes, and at equal terms, where both keep freed memory."""
    measures = [plain_milliseconds, saving_milliseconds, fit_milliseconds]
    for number, case in enumerate(CASES):
        # Cheap steps need more of them for the same precision.
        scale = 10 if case is SMALL else 1
        turns = []
        for turn in range(repeats):
            # Each is first, second and last in turns: what the one before leaves behind (a hot core) is then the same for all.
            order = measures[turn % 3 :] + measures[: turn % 3]
            times = {measure: in_a_process(measure, number, steps * scale, warmup) for measure in order}
            turns.append([times[measure] for measure in measures])
        plain, saving, fit = (statistics.median(values) for values in zip(*turns, strict=True))
        wanted = "peer ÷ ours ≥ .60 at 2 ms" if case is SMALL else "peer ÷ ours ≥ .98 at 40 ms"
        yield Row(f"a step, {case.name}; a plain loop", fit, plain, "ms", "")
        yield Row(f"a step, {case.name}; a plain loop that keeps freed memory too", fit, saving, "ms", wanted)


def data_rows(repeats: int, steps: int, images: int = 1600) -> Iterator[Row]:
    """What the demo's data module takes for an image in one process, beside what the demo's network takes to train on one."""
    data = Shapes(image_size=64, batch_size=32, workers=0, train=images)
    album(data.data_seed, data.style).empty()
    data.require(frozenset({"mask"}))
    loader = data.train_dataloader()
    drawn, kept = (_milliseconds_an_image(loader) for _ in range(2))
    network = in_a_process(plain_milliseconds, CASES.index(FULLY_CONVOLUTIONAL), steps, 2) / 32
    for when, taken in (("drawn in the first epoch", drawn), ("kept from then on", kept)):
        yield Row(
            f"an image of Shapes, 64 px with mask, {when}; the FCN's step on it", taken, network, "ms", "ours ÷ peer ≤ .5"
        )


def _milliseconds_an_image(loader: EpochLoader) -> float:
    began = time.process_time()
    seen = sum(len(batch["image"]) for batch in loader if batch)
    return 1000 * (time.process_time() - began) / seen


def exact_rows(repeats: int, steps: int, warmup: int = 20) -> Iterator[Row]:
    """What a step costs more for being resumable bit for bit, and answering signals, beside a step of 40 ms."""
    timer = EverySecondStep()
    fit(SMALL, 20 * steps + warmup, timer)
    yield Row("what makes a run exact, a step; a step of 40 ms", timer.extra(warmup), 40.0, "ms", "ours ÷ peer ≤ .01")


PARTS: dict[str, Callable[[int, int], Iterator[Row]]] = {
    "step": step_rows,
    "exact": exact_rows,
    "shapes": data_rows,
    "disk": lambda repeats, steps: bench_disk.rows(repeats),
    "predict": lambda repeats, steps: bench_predict.rows(repeats),
    "compiled": lambda repeats, steps: bench_compiled.rows(repeats),
    "places": lambda repeats, steps: bench_places.rows(repeats),
    "studies": lambda repeats, steps: bench_studies.rows(repeats),
    "layout": lambda repeats, steps: bench_layout.rows(repeats),
}


def main(arguments: list[str] | None = None) -> int:
    """Prints the table, and adds it to the log."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; all of them where none is named")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of measurements a row")
    parser.add_argument("--steps", type=int, default=60, help="timed steps a training")
    parser.add_argument("--log", type=Path, default=LOG, help="the table that the rows are added to")
    parser.add_argument("--no-log", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    quiet()
    print("| what; its peer | ours | peer | ours ÷ peer | wanted |\n|---|---|---|---|---|")
    rows = []
    for name in options.parts or PARTS:
        for row in PARTS[name](options.repeats, options.steps):
            rows.append(row)
            print(row.markdown(), flush=True)
    slower = regressions(rows, options.log)
    if not options.no_log:
        append(rows, options.log)
    for text in slower:
        print(f"bench: {text}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
