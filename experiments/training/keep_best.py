"""Keeping a run's best checkpoint, also after the run was moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from pytorch_lightning.callbacks import ModelCheckpoint


class KeepBest(ModelCheckpoint):
    """Keeps ``checkpoints/best.ckpt``, of the best value of the task's ``monitor`` so far.

    Args:
        folder: the run's ``checkpoints``.
        monitor: the metric.
        mode: whether its least or its greatest value is the best.
    """

    def __init__(self, folder: Path, monitor: str, mode: Literal["min", "max"]) -> None:
        super().__init__(
            folder,
            filename="best",
            monitor=monitor,
            mode=mode,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )
        self._state_key = super().state_key

    @property
    def state_key(self) -> str:
        """Lightning's, which is asked for in each of a step's hooks and makes it anew each time."""
        return self._state_key

    def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the best is looked for behind a validation. Lightning's asks much at each step to find that out."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the best value, wherever the run lay when it was kept: Lightning's forgets it when the folder is another.

        Where there is no ``best.ckpt`` (a checkpoint that was taken out of its run), the next value is the best one.
        """
        here = str(Path(str(self.dirpath)) / "best.ckpt")
        best = state_dict.get("best_model_score")
        if isinstance(best, torch.Tensor) and Path(here).is_file():
            self.best_model_path = self.kth_best_model_path = here
            self.best_model_score = self.kth_value = best
            self.best_k_models = {here: best}
