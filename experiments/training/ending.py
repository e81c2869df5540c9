"""How a training that came to its end ended, as its summary says it."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Timer

from experiments.lightning_compat import epochs_trained

from .divergence import Divergence


def ending(trainer: pl.Trainer) -> dict[str, Any]:
    """``state``, and what there is to say of it: finished, diverged and trained on (``--on_nan continue``), or unfinished.

    A run that its time stopped has epochs or steps left, and goes on with ``--ckpt_path last``.
    """
    at = next((c.diverged_at for c in callbacks_of(trainer) if isinstance(c, Divergence)), None)
    if at is not None:
        return {"state": "diverged", "diverged_at": at}
    if time_is_up(trainer) and not is_whole(trainer):
        return {"state": "unfinished", "reason": "its time (trainer.max_time) is up"}
    return {"state": "finished"}


def time_is_up(trainer: pl.Trainer) -> bool:
    """Whether ``trainer.max_time``, or a Timer of the configuration's, has run out in this process."""
    left = [timer.time_remaining() for timer in callbacks_of(trainer) if isinstance(timer, Timer)]
    return any(seconds is not None and seconds <= 0 for seconds in left)


def is_whole(trainer: pl.Trainer) -> bool:
    """Whether all epochs or steps of the run are done; ``trainer.max_epochs: -1`` has no end."""
    epochs = trainer.max_epochs
    by_epochs = epochs is not None and epochs != -1 and epochs_trained(trainer) >= epochs
    return by_epochs or trainer.max_steps == trainer.global_step


def callbacks_of(trainer: pl.Trainer) -> list[pl.Callback]:
    """All of a trainer's callbacks; Lightning's own attribute has no type."""
    return list(vars(trainer)["callbacks"])
