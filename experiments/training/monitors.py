"""What is watched or expected, but never measured: said as soon as the names of all metrics are known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only

from datamodules.scene import InputError

from .keep_best import KeepBest
from .once import Once, callbacks_of

OURS = ("pytorch_lightning", "lightning_modules", "experiments.training")
"""Whose callbacks and tasks log no metric beyond the task's own."""

TRAINED = ("train/", "stages/")
"""What begins so is there when an epoch has ended, and not after a validation."""


class Monitors(Once):
    """Refuses a monitor that is no metric of this run, and says which expectation is none.

    A monitor is what EarlyStopping, ModelCheckpoint and their like, or ReduceLROnPlateau, are told to watch. The names are
    known after the first validation, which as a rule is the trial before the training; where callbacks or tasks of the user's
    own may log others, after the first that is none.

    Args:
        expect: what ``lectern test`` will check.
    """

    def __init__(self, expect: Mapping[str, str]) -> None:
        self.expect = expect
        self._named = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        own = all(type(part).__module__.startswith(OURS) for part in (pl_module, *callbacks_of(trainer)))
        if trainer.state.fn != "fit" or self._named or (trainer.sanity_checking and not own):
            return
        self._named = True
        names = [name for name in trainer.callback_metrics if name.startswith("val/")]
        # Others may still come at an epoch's end, but not from parts that are known to log nothing else.
        self._refuse(trainer, names, lambda name: name.startswith("val/") or (own and not name.startswith(TRAINED)))
        if not own:
            return
        tested = [f"test/{name.removeprefix('val/')}" for name in names]
        for name in self.expect:
            if name not in tested:
                _say(f"expect.{name}: `lectern test` measures no such metric{guess(name, tested)}")
        if not any(monitor.startswith(TRAINED) for _, monitor, _ in watched(trainer)):
            self.leave(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._refuse(trainer, list(trainer.callback_metrics), lambda name: not name.startswith("val/"))
        if self._named:
            self.leave(trainer)

    def _refuse(self, trainer: pl.Trainer, names: list[str], certain: Callable[[str], bool]) -> None:
        for who, monitor, strict in watched(trainer):
            if strict and monitor not in names and certain(monitor):
                raise InputError(f"{who}: monitor: this run has no metric {monitor}{guess(monitor, names)}")


def say_what_was_never_measured(trainer: pl.Trainer) -> None:
    """A line for each monitor that a run has ended without: whoever watched it did nothing."""
    measured = trainer.callback_metrics
    for who, monitor, _ in () if trainer.fast_dev_run else watched(trainer):  # type: ignore[attr-defined]
        if monitor not in measured:
            validated = any(name.startswith("val/") for name in measured)
            why = "was never measured" if validated else "was not measured, since no validation took place"
            what = "there is no best.ckpt" if who == KeepBest.__name__ else f"{who} did nothing"
            _say(f"{monitor} {why}: {what}")


def watched(trainer: pl.Trainer) -> Iterator[tuple[str, str, bool]]:
    """Who watches which metric, and whether it is a mistake where there is none (``strict`` of EarlyStopping)."""
    for callback in callbacks_of(trainer):
        if isinstance(monitor := getattr(callback, "monitor", None), str):
            yield type(callback).__name__, monitor, bool(getattr(callback, "strict", True))
    for config in trainer.lr_scheduler_configs:
        if isinstance(monitor := getattr(config.scheduler, "monitor", None), str):
            yield type(config.scheduler).__name__, monitor, True


def guess(name: str, names: Collection[str]) -> str:
    """The end of a sentence: which name was probably meant, or which there are."""
    near = get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"


@rank_zero_only
def _say(line: str) -> None:
    print(f"lectern: {line}", file=sys.stderr)
