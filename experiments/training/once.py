"""Callbacks that do their part before a training's first steps, and then leave."""

from __future__ import annotations

import pytorch_lightning as pl


class Once(pl.Callback):
    """A callback that can leave its trainer: each that stays is asked a dozen times a step, which takes some 20 µs."""

    def leave(self, trainer: pl.Trainer) -> None:
        """Lightning goes on with the list that it is at, so that nobody is passed over."""
        trainer.callbacks = [callback for callback in callbacks_of(trainer) if callback is not self]  # type: ignore[attr-defined]


def callbacks_of(trainer: pl.Trainer) -> list[pl.Callback]:
    """A trainer's callbacks; Lightning sets them where a type checker does not look."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks
