"""A run's first-layer filters as a picture."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from experiments.runs.files import PICTURES
from experiments.runs.folder import folder_of
from experiments.runs.report import FILTERS
from lightning_modules.explanations.channels import first_layer_filters, sheet

from .drawing import write_picture


class FirstLayerFilters(pl.Callback):
    """At the end of a training, the first convolution's filters: ``pictures/filters.png``, and to W&B.

    Asked for by ``--trainer.callbacks+=FirstLayerFilters``. Of a network without convolutions there is none.

    Args:
        count: filters in the picture, the first ones.
    """

    def __init__(self, count: int = 64) -> None:
        self.count = count

    @rank_zero_only
    def on_fit_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        folder, filters = folder_of(trainer), first_layer_filters(pl_module.network)
        if folder is None or filters is None:
            return
        path = folder / PICTURES / FILTERS
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(sheet(filters[: self.count], columns=8, side=42), path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("filters", [str(path)], caption=["first-layer filters"])
