"""Resuming: the same experiment goes on from a checkpoint. What differs from the checkpoint's is refused by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_info

from datamodules.scene import InputError
from experiments.lightning_compat import epochs_done, mend_progress
from experiments.runs.folder import is_finished

from .comparing import Difference, compare
from .fine_tuning import without_pretraining
from .parsing import Parser
from .rebuilding import metadata_in, run_folder_of

EXPERIMENT = ("model", "data", "expect", "name", "seed_everything", "init_from")
"""What a checkpoint keeps of its experiment, beside :data:`TRAINED` and :data:`LENGTH` of its trainer."""

TRAINED = (
    "accumulate_grad_batches",
    "gradient_clip_val",
    "gradient_clip_algorithm",
    "precision",
    "limit_train_batches",
    "overfit_batches",
    "sync_batchnorm",
)
"""Of the trainer, what changes the training.

``deterministic`` and ``benchmark`` choose among a device's ways to compute the same, as another device does: they are free.
"""

LENGTH = ("max_epochs", "max_steps")
"""Of the trainer, how long a run is; a resumed one may be longer."""

OWN_LENGTH = ("T_max", "total_iters", "total_steps", "epochs")
"""The arguments in which schedules of torch say how long they are."""

SHOWN = 4
"""Differences that are named; the others are counted."""


class Resumed(NamedTuple):
    """What a checkpoint says of the run that is to go on."""

    path: Path
    experiment: dict[str, Any]
    metadata: dict[str, Any]
    epochs: int
    """Those that are done."""
    steps: int

    @classmethod
    def of_content(cls, checkpoint: dict[str, Any], path: Path) -> Resumed:
        """What the content of the checkpoint at ``path`` says.

        Raises:
            InputError: it has weights alone, or it does not say which experiment it is of.
        """
        metadata, experiment = metadata_in(checkpoint, path), checkpoint.get("experiment")
        if not isinstance(experiment, dict) or not isinstance(experiment.get("model"), dict):
            raise InputError(f"{path}: does not say which experiment it is of, so no run goes on from it{_begin(path)}")
        if missing := {"optimizer_states", "lr_schedulers", "loops"} - checkpoint.keys():
            raise InputError(f"{path}: has weights alone (no {min(missing)}), so no run goes on from it{_begin(path)}")
        epochs, steps = _done(checkpoint, path)
        return cls(path, experiment, metadata, epochs, steps)

    def check(self, config: Any, parser: Parser) -> None:
        """Compares a command's experiment with the checkpoint's; ``config.init_from`` is then that of the run's beginning.

        Args:
            config: the settings of ``fit``.
            parser: its.

        Raises:
            InputError: they differ, or there is nothing left to train.
        """
        self._take_init_from(config)
        here = parser.plain(config)
        trainer = here["trainer"]

        def parse(stored: dict[str, Any]) -> dict[str, Any]:
            return {k: v for k, v in parser.plain(parser.parse_object(stored, env=False)).items() if k in stored}

        stored = {key: self.experiment[key] for key in ("model", "data") if self.experiment.get(key)}
        found = compare(stored, {key: here[key] for key in stored}, parse)
        if "seed_everything" in self.experiment and self.experiment["seed_everything"] != here["seed_everything"]:
            found.append(Difference("seed_everything", here["seed_everything"], self.experiment["seed_everything"]))
        found += self._trained_otherwise(trainer)
        if found:
            named = "; ".join(map(str, found[:SHOWN])) + (f"; {len(found) - SHOWN} more" if len(found) > SHOWN else "")
            raise InputError(
                f"{self.path}: --ckpt_path goes on with the same experiment, and this one differs: {named}. "
                f"Leave them as they were{_begin(self.path)}"
            )
        self._check_length(trainer)
        self._say_what_is_not_stretched(trainer, here["model"])

    def check_metadata(self, metadata: dict[str, Any]) -> None:
        """Compares classes, sizes and the like of the data with those that the run was begun with; not their name.

        Raises:
            InputError: they differ.
        """
        found = [
            Difference(f"the data's {key}", metadata.get(key), value)
            for key, value in self.metadata.items()
            if key != "name" and metadata.get(key) != value
        ]
        if found:
            raise InputError(
                f"{self.path}: --ckpt_path goes on with the same data, and these differ: {'; '.join(map(str, found[:SHOWN]))}. "
                f"Give it the data of before{_begin(self.path)}"
            )

    def _take_init_from(self, config: Any) -> None:
        stored, given = self.experiment.get("init_from"), config.get("init_from")
        begun = stored if isinstance(stored, str) else None
        if given and (not begun or Path(begun).resolve() != Path(given).resolve()):
            raise InputError(
                f"--init_from {given} begins a new run, and --ckpt_path {self.path} goes on with one that began "
                f"{f'from {begun}' if begun else 'without it'}: give one of the two"
            )
        config["init_from"] = begun
        if begun:
            without_pretraining(config)

    def _trained_otherwise(self, trainer: dict[str, Any]) -> list[Difference]:
        stored = self.experiment.get("trainer")
        if not isinstance(stored, dict):  # of an older Lectern, which did not keep it
            return []
        pairs = [(key, trainer.get(key), stored[key]) for key in TRAINED if key in stored]
        return [Difference(f"trainer.{key}", a, b) for key, a, b in pairs if _meant(key, a) != _meant(key, b)]

    def _check_length(self, trainer: dict[str, Any]) -> None:
        epochs, steps = _length(trainer)
        for done, asked, what in ((self.epochs, epochs, "epochs"), (self.steps, steps, "steps")):
            if asked != -1 and asked < done:
                raise InputError(f"{self.path}: {done} {what} are done, and trainer.max_{what} asks for {asked} in all")
        at_end = (epochs != -1 and epochs <= self.epochs) or (steps != -1 and steps <= self.steps)
        folder = run_folder_of(self.path)
        # A run may be stopped between its last checkpoint and its end; then that end is what is left of it.
        if at_end and not (folder and self.path.name == "last.ckpt" and not is_finished(folder)):
            raise InputError(
                f"{self.path}: finished after {self.epochs} epoch{'s' * (self.epochs != 1)} ({self.steps} steps); more of them "
                "(trainer.max_epochs, trainer.max_steps) make the run longer"
            )

    def _say_what_is_not_stretched(self, trainer: dict[str, Any], model: dict[str, Any]) -> None:
        stored = self.experiment.get("trainer")
        if not isinstance(stored, dict) or _length(stored) == _length(trainer):
            return
        scheduler = model["init_args"].get("scheduler") or {}
        if own := [f"{k}: {v}" for k, v in scheduler.get("init_args", {}).items() if k in OWN_LENGTH and v is not None]:
            name = scheduler["class_path"].rsplit(".", 1)[-1]
            rank_zero_info(f"the run has another length now, and {name} keeps the one that it is given ({', '.join(own)})")


class GoOn(pl.Callback):
    """A resumed run trains on each batch once, also where the run of before ended inside an epoch and this one is longer."""

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn == "fit":
            mend_progress(checkpoint, trainer)


def experiment_of(parser: Parser, config: Any) -> dict[str, Any]:
    """What a checkpoint keeps of its experiment: plain data."""
    plain = parser.plain(config)
    trainer = {key: plain["trainer"].get(key) for key in (*TRAINED, *LENGTH)}
    return {key: plain.get(key) for key in EXPERIMENT} | {"trainer": trainer}


def _done(checkpoint: dict[str, Any], path: Path) -> tuple[int, int]:
    """Epochs and optimizer steps."""
    try:
        return epochs_done(checkpoint), int(checkpoint["global_step"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: does not say how far its run has come{_begin(path)}") from None


def _length(trainer: dict[str, Any]) -> tuple[int, int]:
    """Epochs and steps of a run, -1 where there is no such limit; as Lightning takes what is left open."""
    epochs, steps = trainer.get("max_epochs"), trainer.get("max_steps")
    steps = -1 if steps is None else steps
    return (1000 if steps == -1 and not trainer.get("max_time") else -1) if epochs is None else epochs, steps


def _meant(key: str, value: Any) -> Any:
    """A setting of the trainer as Lightning takes it; 1 batch and 1.0, all of them, are two things."""
    if key == "precision":
        text = str(value or 32)
        return {"16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true", "64": "64-true"}.get(text, text)
    if key == "limit_train_batches" and value is None:
        value = 1.0
    return (type(value), value) if key in ("limit_train_batches", "overfit_batches") and value else value


def _begin(path: Path) -> str:
    return f"; --init_from {path} begins a new run with its weights"
