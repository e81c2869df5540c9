"""What a training shows while it runs: the loss, the metric that decides which checkpoint is best, and the learning rate."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelSummary, TQDMProgressBar
from pytorch_lightning.utilities import rank_zero_only


class Progress(TQDMProgressBar):
    """Lightning's bar with what one looks for in it.

    ``Epoch 3: 40%|████      | 40/100 [00:12<00:18, 3.3it/s, train/loss=0.412, val/miou=0.718, lr=0.002]``: the first loss comes
    after the first step, the metric (the task's ``monitor``) after the first validation.

    Args:
        monitor: the metric that is shown.
        refresh_rate: steps between two changes.
    """

    def __init__(self, monitor: str, refresh_rate: int = 10) -> None:
        super().__init__(refresh_rate=refresh_rate)
        self.monitor = monitor

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        shown = {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}
        if "train/loss" not in shown and (loss := getattr(pl_module, "step_losses", {}).get("loss")) is not None:
            # What a run logs is the mean of some fifty steps; until there is one, the last step's own.
            shown = {"train/loss": float(loss)} | shown
        if self.monitor in trainer.callback_metrics:
            shown[self.monitor] = float(trainer.callback_metrics[self.monitor])
        if trainer.optimizers:
            shown["lr"] = trainer.optimizers[0].param_groups[0]["lr"]
        return {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in shown.items()}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if trainer.global_step <= 1 and self.is_enabled and self.refresh_rate > 1:
            self.train_progress_bar.set_postfix(self.get_metrics(trainer, pl_module))

    # A task has one loader: its number, which Lightning writes, says nothing.

    def on_validation_batch_start(self, trainer: pl.Trainer, *args: Any, dataloader_idx: int = 0) -> None:
        doing = self.sanity_check_description if trainer.sanity_checking else self.validation_description
        if self.has_dataloader_changed(dataloader_idx):
            _begin(self.val_progress_bar, self.total_val_batches_current_dataloader, doing)

    def on_test_batch_start(self, *args: Any, dataloader_idx: int = 0) -> None:
        if self.has_dataloader_changed(dataloader_idx):
            _begin(self.test_progress_bar, self.total_test_batches_current_dataloader, self.test_description)

    def on_predict_batch_start(self, *args: Any, dataloader_idx: int = 0) -> None:
        if self.has_dataloader_changed(dataloader_idx):
            _begin(self.predict_progress_bar, self.total_predict_batches_current_dataloader, self.predict_description)

    @property
    def sanity_check_description(self) -> str:
        return "Trial validation"


def _begin(bar: Any, total: float, doing: str) -> None:
    bar.reset(total=None if math.isinf(total) else int(total))
    bar.set_description(doing)


class NetworkLine(ModelSummary):
    """One line on what is trained, in place of Lightning's table, whose rows are the task's metrics and FLOPs of 0."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._say(pl_module)

    @rank_zero_only
    def _say(self, task: Any) -> None:
        network = getattr(task, "network", task)
        parameters = list(task.parameters())
        every, trained = sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)
        frozen = "" if trained == every else f", {_short(trained)} of them trained"
        print(f"network   {type(network).__name__}, {_short(every)} parameters{frozen}")


def _short(count: int) -> str:
    """``84.5 K``."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)
