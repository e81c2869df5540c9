"""The configuration that lies beside a run, and in its checkpoints."""

from __future__ import annotations

from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.cli import SaveConfigCallback

from experiments.runs.files import CONFIG
from experiments.runs.folder import folder_of
from experiments.runs.writing import write_atomically
from lightning_modules.base import Task

from .once import Once
from .parsing import Parser
from .resuming import experiment_of


class SaveConfig(Once, SaveConfigCallback):
    """Writes the configuration into the run's folder when the training begins, and into each checkpoint what rebuilds it.

    Given back as ``--config``, the file repeats the experiment: a new run of the same name, whether this one was resumed or
    not. So it has the run's name, but neither its folder's nor the checkpoint that the run went on from.
    """

    parser: Parser

    def __init__(self, parser: Parser, config: Any, **kwargs: Any) -> None:
        super().__init__(parser, config, overwrite=True)
        self._written = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Writes nothing yet, where Lightning's does: a checkpoint may still turn out not to fit."""
        cast("Task", pl_module).experiment = self.experiment

    def on_sanity_check_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)  # and not before: what finders found belongs into it

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)
        self.leave(trainer)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)  # a run that was at its end already when it was resumed

    def _write(self, trainer: pl.Trainer) -> None:
        folder = folder_of(trainer)
        if self._written or folder is None or trainer.state.fn != "fit" or not trainer.is_global_zero:
            return
        experiment = self.parser.plain(self.config) | {"ckpt_path": None, "version": None, "overwrite": False}
        write_atomically(folder / CONFIG, self.parser.saved(experiment))
        self._written = True

    def experiment(self) -> dict[str, Any]:
        """What rebuilds it, as plain data. The task writes it into checkpoints: of weights alone, callbacks are not asked."""
        return experiment_of(self.parser, self.config)
