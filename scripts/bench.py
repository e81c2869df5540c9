"""What the suite costs: a step against a plain loop, exactness against doing without, and data against its consumer.

Times are CPU time of the process that trains, on one thread; both sides of a ratio are measured in turns in one run. Each
training has a process of its own, as a user's has: what another leaves on the heap costs or saves up to a quarter of a step.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from typing import Any

import pytorch_lightning as pl
import torch

from datamodules.drawing import album
from datamodules.loading import EpochLoader
from datamodules.scene import Batch
from datamodules.shapes import Shapes
from experiments.training.cli import LecternCLI
from experiments.training.memory import keep_freed_memory
from scripts.bench_cases import CASES, FULLY_CONVOLUTIONAL, SMALL, Case, EverySecondStep, StepTimer, Still

DEMO_EPOCHS = 7


def in_a_process(function: Callable[..., float], *arguments: Any) -> float:
    """What a function of a module returns in a new process, with one thread for torch."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_quiet) as pool:
        return pool.submit(function, *arguments).result()


def _quiet() -> None:
    os.environ["WANDB_MODE"] = "offline"
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)


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


def steps_table(repeats: int, steps: int, warmup: int) -> list[str]:
    """One row a case: the times, the ratio, and the same at equal terms, where the plain loop keeps freed memory too."""
    rows = [
        "| network | plain loop, ms a step | memory kept | lectern fit | plain ÷ lectern | memory kept ÷ lectern | extra ms |",
        "|---|---|---|---|---|---|---|",
    ]
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
        ratios = [statistics.median(turn[side] / turn[2] for turn in turns) for side in (0, 1)]
        extra = statistics.median(turn[2] - turn[1] for turn in turns)
        cells = [
            case.name,
            *(f"{ms:.2f}" for ms in (plain, saving, fit)),
            *(f"{ratio:.3f}" for ratio in ratios),
            f"{extra:+.2f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def data_table(images: int, steps: int) -> list[str]:
    """Images a second that the demo's data module prepares in one process, and that the demo's network trains on."""
    data = Shapes(image_size=64, batch_size=32, workers=0, train=images)
    album(data.scene_seed, data.style).empty()
    data.require(frozenset({"mask"}))
    loader = data.train_dataloader()
    drawn, kept = (_images_per_second(loader) for _ in range(2))
    demo = DEMO_EPOCHS / (1 / drawn + (DEMO_EPOCHS - 1) / kept)
    consumed = 32 * 1000 / in_a_process(plain_milliseconds, CASES.index(FULLY_CONVOLUTIONAL), steps, 2)
    rows = ["| data | images/s from one worker | images/s the network takes | ratio |", "|---|---|---|---|"]
    for when, produced in (
        ("drawn in the first epoch", drawn),
        ("kept from then on", kept),
        (f"the demo's {DEMO_EPOCHS} epochs", demo),
    ):
        rows.append(f"| Shapes, 64 px, masks: {when} | {produced:.0f} | {consumed:.0f} | {produced / consumed:.2f} |")
    return rows


def _images_per_second(loader: EpochLoader) -> float:
    began = time.process_time()
    seen = sum(len(batch["image"]) for batch in loader if batch)
    return seen / (time.process_time() - began)


def exact_table(steps: int, warmup: int) -> list[str]:
    """What a step costs more for being resumable bit for bit, and answering signals."""
    timer = EverySecondStep()
    fit(SMALL, steps + warmup, timer)
    extra = timer.extra(warmup)
    rows = ["| what makes a run exact | extra ms a step | of a 40 ms step |", "|---|---|---|"]
    return [*rows, f"| reseeding, summary, checkpoints and signals | {extra:+.3f} | {extra / 40:+.2%} |"]


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="pairs of measurements a row")
    parser.add_argument("--steps", type=int, default=60, help="timed steps a measurement")
    parser.add_argument("--images", type=int, default=1600, help="scenes for the data row")
    options = parser.parse_args(arguments)
    _quiet()
    tables = [
        steps_table(options.repeats, options.steps, warmup=5),
        exact_table(20 * options.steps, warmup=20),
        data_table(options.images, options.steps),
    ]
    print("\n\n".join("\n".join(table) for table in tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
