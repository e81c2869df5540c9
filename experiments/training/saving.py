"""The configuration that lies beside a run, and in its checkpoints."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.cli import LightningArgumentParser, SaveConfigCallback

from experiments.runs.files import CONFIG
from experiments.runs.folder import folder_of, write_atomically

from .resuming import experiment_of


class SaveConfig(SaveConfigCallback):
    """Writes the resolved configuration into the run's folder, and into each checkpoint what rebuilds the experiment.

    Given back as ``--config``, the file repeats the experiment: a new run of the same name, whether this one was resumed or
    not. So it has the run's name, but neither its folder's nor the checkpoint that the run went on from.
    """

    def __init__(self, parser: LightningArgumentParser, config: Any, **kwargs: Any) -> None:
        super().__init__(parser, config, overwrite=True)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit" and trainer.is_global_zero and (folder := folder_of(trainer)):
            experiment = self.config.clone()
            experiment["ckpt_path"] = experiment["version"] = None
            write_atomically(folder / CONFIG, self.parser.dump(experiment, skip_none=False))

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["experiment"] = experiment_of(self.parser, self.config)
