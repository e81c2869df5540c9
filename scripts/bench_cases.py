"""What the bench trains: a few still scenes, two networks, and callbacks that time each step."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional as F

from datamodules.base import DataModule
from datamodules.scene import Batch, DatasetMetadata, Scene
from experiments.training.callbacks import Reproducible, RunSummary
from experiments.training.keeping import KeepLast
from lightning_modules.classification import Classification
from lightning_modules.networks import FCN, LinearClassifier
from lightning_modules.segmentation import Segmentation


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


class PlainFCN(FCN):
    """The network as a plain loop has it: the task does the same before its network."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image.contiguous(memory_format=torch.channels_last))


FULLY_CONVOLUTIONAL = Case(
    "FCN, 64 px, batch 32",
    f"{Segmentation.__module__}.Segmentation",
    PlainFCN,
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
