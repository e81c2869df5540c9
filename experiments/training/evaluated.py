"""What an evaluation leaves: which command, of which checkpoint, on which data, and the metrics."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from experiments.runs.evaluation import EvaluationFolder, is_own_data
from experiments.runs.files import CHECKPOINTS
from lightning_modules.distributed import gather_objects

from .callbacks import metrics_of, remarks_of, surroundings
from .left_out import left_out, recorded, say

SPLITS = {"validate": "val", "test": "test", "predict": "test"}
LIMITS = {"validate": "limit_val_batches", "test": "limit_test_batches", "predict": "limit_predict_batches"}
"""Options of Lightning's trainer that leave out a part of a split."""


def is_limited(trainer: pl.Trainer, command: str) -> bool:
    """Whether the trainer is told to take a part of the split alone: a whole number is one of batches, and 1.0 is all."""
    limit = getattr(trainer, LIMITS[command])
    return isinstance(limit, int) or limit != 1.0


class Evaluated(pl.Callback):
    """Writes ``evaluation.json`` at the end of ``lectern validate``, ``test`` and ``predict``.

    Args:
        folder: the evaluation's.
        command: which of the three.
        checkpoint: its file.
        data: the data module's configuration, plain: class_path and init_args.
        expect: what the experiment expects of its test.
    """

    def __init__(
        self, folder: EvaluationFolder, command: str, checkpoint: str, data: dict[str, Any], expect: dict[str, str]
    ) -> None:
        self.folder, self.command, self.checkpoint, self.data, self.expect = folder, command, checkpoint, data, expect
        self._scenes = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self.folder.adopt(trainer.strategy.broadcast(str(self.folder.folder)))

    def on_validation_batch_end(self, trainer: pl.Trainer, task: Any, outputs: Any, batch: Any, *args: Any) -> None:
        self._count(batch)

    def on_test_batch_end(self, trainer: pl.Trainer, task: Any, outputs: Any, batch: Any, *args: Any) -> None:
        self._count(batch)

    def on_predict_batch_end(self, trainer: pl.Trainer, task: Any, outputs: Any, batch: Any, *args: Any) -> None:
        self._count(batch)

    def _count(self, batch: Any) -> None:
        if batch is not None:  # every scene of it was left out, or another rank has them
            self._scenes += len(batch["image"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> None:
        scenes, texts, limited = sum(gather_objects(self._scenes)), left_out(trainer), is_limited(trainer, self.command)
        checkpoint = Path(self.checkpoint)
        of_run = checkpoint.resolve().parent == (self.folder.folder.parents[1] / CHECKPOINTS).resolve()
        self.folder.record(
            {
                "command": self.command,
                "date": datetime.now().astimezone().isoformat(timespec="seconds"),
                "checkpoint": f"{CHECKPOINTS}/{checkpoint.name}" if of_run else str(checkpoint),
                "data": str(self.data.get("class_path")),
                "root": (self.data.get("init_args") or {}).get("root"),
                "split": SPLITS[self.command],
                "scenes": scenes,
                **recorded(texts),
                "remarks": remarks_of(trainer),
                "own_data": of_run and not limited and is_own_data(self.folder.folder.parents[1], self.data),
                **({"limited": True} if limited else {}),
                "metrics": metrics_of(trainer),
                "expect": self.expect,
                **surroundings(trainer),
            }
        )
        if trainer.is_global_zero:
            say(texts)
