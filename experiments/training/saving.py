"""The configuration that lies beside a run, and in its checkpoints."""

from __future__ import annotations

from typing import Any, cast

import pytorch_lightning as pl
import yaml
from pytorch_lightning.cli import LightningArgumentParser, SaveConfigCallback

from experiments.runs.files import CONFIG
from experiments.runs.folder import folder_of, write_atomically
from lightning_modules.base import Task


class SaveConfig(SaveConfigCallback):
    """Writes the resolved configuration into the run's folder, and into each checkpoint what rebuilds the experiment.

    Given back as ``--config``, the file repeats the experiment: a new run of the same name, whether this one was resumed or
    not. So it has the run's name, but neither its folder's nor the checkpoint that the run went on from.
    """

    def __init__(self, parser: LightningArgumentParser, config: Any, **kwargs: Any) -> None:
        super().__init__(parser, config, overwrite=True)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        cast("Task", pl_module).experiment = self.experiment

    def on_sanity_check_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)  # and not before: what finders found belongs into it

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> None:
        if trainer.state.fn == "fit" and trainer.is_global_zero and (folder := folder_of(trainer)):
            experiment = self.config.clone()
            experiment["ckpt_path"] = experiment["version"] = None
            write_atomically(folder / CONFIG, self.parser.dump(experiment, skip_none=False))

    def experiment(self) -> dict[str, Any]:
        """What rebuilds it, as plain data. The task writes it into checkpoints: of weights alone, callbacks are not asked."""
        plain = yaml.safe_load(self.parser.dump(self.config, skip_none=False))
        return {key: plain.get(key) for key in ("model", "data", "expect", "name", "seed_everything")}
