"""Runs that take a second, and what each of their steps sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from tests.support.small_runs import SMALL

FIT = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0", "--trainer.enable_model_summary=false"]
ONCE = [*FIT, "--trainer.max_epochs=1"]

SEEN: list[tuple[int, list[int], float]] = []
"""Of each training step: its epoch, the scenes, and the learning rate."""


class Spy(pl.Callback):
    """Notes what each step sees."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        lr = trainer.optimizers[0].param_groups[0]["lr"]
        SEEN.append((trainer.current_epoch, batch["index"].tolist(), lr))


SPY = "--trainer.callbacks+=tests.support.spy.Spy"


def callback(name: str, *options: str) -> list[str]:
    return [f"--trainer.callbacks+={name}", *(f"--trainer.callbacks.{option}" for option in options)]


def weights(run: Path, name: str = "last") -> torch.Tensor:
    state = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
    return torch.cat([value.flatten().double() for value in state.values()])
