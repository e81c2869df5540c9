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
from dataclasses import dataclass, replace
from io import StringIO
from itertools import cycle
from multiprocessing import get_context
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional as F

from datamodules.base import DataModule
from datamodules.drawing import album
from datamodules.loading import EpochLoader
from datamodules.scene import Batch, DatasetMetadata, Scene
from datamodules.shapes import Shapes
from experiments.training.callbacks import Reproducible, RunSummary
from experiments.training.cli import LecternCLI
from experiments.training.keeping import KeepLast
from experiments.training.memory import keep_freed_memory
from lightning_modules.classification import Classification
from lightning_modules.networks import FCN, LinearClassifier
from lightning_modules.segmentation import Segmentation

DEMO_EPOCHS = 7


class Still(DataModule):
    """A few scenes in memory, so that the cost of the step is what is measured, not the cost of data."""

    provides = frozenset({"label", "mask"})

    def __init__(self, *, image_size: int = 64, length: int = 2000, batch_size: int = 32) -> None:
        super().__init__(image_size=image_size, batch_size=batch_size, workers=0)
        self.length = length
        generator = torch.Generator().manual_seed(0)
        self.image = torch.randint(0, 256, (3, image_size, image_size), dtype=torch.uint8, generator=generator)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata("Still", (64, 64), tuple("abcdef"), tuple("abcdefg"))

    def scenes(self, split: str) -> StillScenes:
        return StillScenes(self.image, self.length)


class StillScenes:
    """One image, many times."""

    def __init__(self, image: torch.Tensor, length: int) -> None:
        self.image, self.length = image, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Scene:
        return {"image": self.image, "label": torch.tensor(index % 6), "mask": (self.image[0] % 7)}


class StepTimer(pl.Callback):
    """CPU milliseconds a training step, from after the warm-up to the end of training."""

    def __init__(self, warmup: int) -> None:
        self.warmup, self.steps = warmup, 0
        self.began = self.milliseconds = 0.0

    def on_train_batch_start(self, *args: Any) -> None:
        if self.steps == self.warmup:
            self.began = time.process_time()
        self.steps += 1

    def on_train_end(self, *args: Any) -> None:
        self.milliseconds = 1000 * (time.process_time() - self.began) / (self.steps - self.warmup)


class EverySecondStep(pl.Callback):
    """Leaves the callbacks that make a run exact out of every second step, and times each step in CPU milliseconds.

    Both sides of the comparison so have the same process, the same batches and the same moment.
    """

    EXACT = (Reproducible, RunSummary, KeepLast)

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        """Of steps with and without, in turns."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        whole: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        sides = cycle(([c for c in whole if not isinstance(c, self.EXACT)], whole))
        hook, began = pl_module.on_train_batch_end, time.process_time()

        def last_hook_of_the_step(*args: Any) -> None:
            nonlocal began
            hook(*args)
            now = time.process_time()
            self.milliseconds.append(1000 * (now - began))
            trainer.callbacks = next(sides)  # type: ignore[attr-defined]
            began = time.process_time()

        pl_module.on_train_batch_end = last_hook_of_the_step  # type: ignore[method-assign, assignment]

    def extra(self, warmup: int) -> float:
        """What a step with the callbacks costs more: the median over pairs of neighbouring steps."""
        pairs = zip(self.milliseconds[warmup::2], self.milliseconds[warmup + 1 :: 2], strict=False)
        return statistics.median(with_them - without for with_them, without in pairs)


@dataclass
class Case:
    """A network and its task, on the command line and as a plain loop."""

    name: str
    task: str
    network: Callable[[int], nn.Module]
    network_path: str
    loss: Callable[[torch.Tensor, Batch], torch.Tensor]
    outputs: int
    batch_size: int = 32


FULLY_CONVOLUTIONAL = Case(
    "FCN, 64 px, batch 32",
    f"{Segmentation.__module__}.Segmentation",
    FCN,
    "lightning_modules.networks.FCN",
    lambda logits, batch: F.cross_entropy(logits, batch["mask"].long(), ignore_index=255),
    outputs=7,
)
"""The demo's network and batch."""

SMALL = Case(
    "linear, 64 px, batch 16",
    f"{Classification.__module__}.Classification",
    LinearClassifier,
    "lightning_modules.networks.LinearClassifier",
    lambda logits, batch: F.cross_entropy(logits, batch["label"]),
    outputs=6,
    batch_size=16,
)

# On the machine of docs/log.md a step takes about 90, 40 and 2 ms.
CASES = [FULLY_CONVOLUTIONAL, replace(FULLY_CONVOLUTIONAL, name="FCN, 64 px, batch 12", batch_size=12), SMALL]


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
    arguments = ["fit", "--model", model, "--data", f"{__name__}.Still", f"--trainer.max_steps={steps}"]
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
