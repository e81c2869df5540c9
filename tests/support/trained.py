"""A short training on drawn scenes, for the tests of what studies measure during one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn

from datamodules import Shapes
from datamodules.drawing import Style
from experiments.runs.files import read_metrics
from experiments.runs.folder import RunFolder
from lightning_modules import Classification


def trained(network: nn.Module, folder: Path, *callbacks: pl.Callback, steps: int = 1, lr: float = 0.0) -> dict[str, Any]:
    """The last value of all that a training logs, and the steps that it took."""
    data = Shapes(
        image_size=16, train=64, test=8, batch_size=16, workers=0, style=Style(objects=(1, 1), object_size=(0.5, 0.8))
    )
    data.require(Classification.needs)
    task = Classification(
        network=lambda _: network,
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=lr),
        metadata=data.metadata.as_dict(),
    )
    logger = RunFolder(folder, "run")
    trainer = pl.Trainer(
        max_steps=steps,
        limit_val_batches=0,
        logger=logger,
        callbacks=list(callbacks),
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(task, data)
    logger.flush()
    values = {name: value for row in read_metrics(logger.folder) for name, value in row.items()}
    return values | {"steps": trainer.global_step}
