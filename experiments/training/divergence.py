"""A run whose loss is not finite has diverged, and says so."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from datamodules.errors import InputError
from lightning_modules.base import Task
from lightning_modules.distributed import gather_objects

OnNan = Literal["stop", "continue"]

EVERY = 50
"""Steps between two looks, where the losses are logged at no step."""


class Diverged(InputError):
    """A loss or a weight is not finite; the run's checkpoints are of before."""

    state, exit_code = "diverged", 1


class NotFinite(NamedTuple):
    """What is not finite first, on one rank."""

    step: int
    """The optimizer steps that were done before it: the column ``step`` of ``metrics.csv``."""
    what: list[str]
    """The losses by name, or ``weights``."""


class Divergence(pl.Callback):
    """Looks whether the losses are finite, and the weights wherever a checkpoint is written.

    Nothing waits for the device at a step: the losses are kept as they are, and looked at together every
    ``trainer.log_every_n_steps`` steps, at an epoch's end, and before a checkpoint is written, which therefore never holds what
    came after. All ranks look at the same places, and stop together.

    A step that a gradient scaler (``trainer.precision: 16-mixed``) leaves out since its gradients overflowed is none: its loss
    is finite.

    Args:
        on_nan: ``stop`` ends the run at the look that finds it; ``continue`` lets it go on, and notes the step.
    """

    def __init__(self, on_nan: OnNan = "stop") -> None:
        self.on_nan = on_nan
        self.diverged_at: int | None = None
        """The step of the first loss that was not finite, where the run went on."""
        self._kept: list[tuple[int, dict[str, Tensor]]] = []
        self._last: dict[str, Tensor] = {}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        if self.diverged_at is not None:
            return
        losses = pl_module.step_losses if isinstance(pl_module, Task) else {}
        if losses is not self._last:  # the same where a step has further micro-batches, or learns nothing
            self._kept.append((trainer.global_step - 1, losses))
            self._last = losses
        every = int(vars(trainer).get("log_every_n_steps") or EVERY)
        if (trainer.fit_loop.total_batch_idx + 1) % every == 0:  # alike on all ranks
            self._look(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._look(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._look(trainer, pl_module)

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        self._look(trainer, pl_module)
        checkpoint["diverged_at"] = self.diverged_at

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.diverged_at = checkpoint.get("diverged_at")

    def _look(self, trainer: pl.Trainer, weights_of: pl.LightningModule | None = None) -> None:
        """Looks at the losses since the last look and, where a module is given, at its weights."""
        if self.diverged_at is not None:
            return
        kept, self._kept = self._kept, []
        own = _first(kept)
        if own is None and weights_of is not None and not _are_finite(list(weights_of.parameters())):
            own = NotFinite(max(0, trainer.global_step - 1), ["weights"])
        if not trainer.strategy.reduce_boolean_decision(own is not None, all=False):
            return
        first = min(found for found in gather_objects(own) if found is not None)
        what = ", ".join(first.what)
        text = f"the run has diverged: {what} not finite at step {first.step}"
        if self.on_nan == "stop":
            raise Diverged(
                f"{text}; lower model.optimizer.lr, or clip gradients (trainer.gradient_clip_val); with --on_nan continue the "
                "run goes on all the same"
            )
        rank_zero_warn(text)
        self.diverged_at = first.step


def _first(kept: list[tuple[int, dict[str, Tensor]]]) -> NotFinite | None:
    """The first step with a loss that is not finite; one copy from the device for all of them."""
    values = [value for _, losses in kept for value in losses.values()]
    if not values:
        return None
    finite = iter(torch.stack(values).isfinite().tolist())
    for step, losses in kept:
        if wrong := [f"train/{name}" for name in losses if not next(finite)]:
            return NotFinite(step, wrong)
    return None


@torch.no_grad()
def _are_finite(parameters: list[Tensor]) -> bool:
    """Whether all are, with one copy from the device."""
    return not parameters or bool(torch.stack([parameter.isfinite().all() for parameter in parameters]).all())
