"""All use of what Lightning and jsonargparse keep to themselves, each with its reason.

Checked with Lightning 2.6.6 and jsonargparse 4.53. A new release of either is tried by running the tests of the file that a
function here serves; ``tests/experiments/test_lightning_compat.py`` sees to it that nobody else uses such parts.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI


class OpenLightningCLI(LightningCLI):
    """LightningCLI with its private methods, where they are replaced, under public names."""

    def parser_of(self, subcommand: str) -> LightningArgumentParser:
        """The parser of a subcommand: :meth:`add_arguments_to_parser` is given each, but not told whose it is."""
        return self._subcommand_parsers[subcommand]

    def run_subcommand(self, subcommand: str) -> None:
        """What follows when everything is built: Lightning's own, which calls the trainer; ``lectern doctor`` replaces it."""
        super()._run_subcommand(subcommand)

    def _run_subcommand(self, subcommand: str) -> None:
        self.run_subcommand(subcommand)

    def _parse_ckpt_path(self) -> None:
        """Nothing: in Lightning's a checkpoint's arguments silently override the recipe and the command line."""

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        """Lightning's, and checkpoints are read weights-only: from an address they are not, unless it is said."""
        return super()._prepare_subcommand_kwargs(subcommand) | {"weights_only": True}


def parse_unchecked(parser: LightningArgumentParser, arguments: list[str]) -> Any:
    """A command line as far as it goes: arguments that are still to be filled in may be missing.

    jsonargparse parses the arguments of a subcommand so, before it looks at the whole.
    """
    return parser.parse_args(arguments, _skip_validation=True)


def set_rank_timeout(trainer: pl.Trainer, minutes: float) -> None:
    """How long a rank waits for a silent one.

    Lightning takes it as an argument of the strategy's class alone, and ``ddp`` on the command line has no arguments.
    """
    if hasattr(trainer.strategy, "_timeout"):
        trainer.strategy._timeout = timedelta(minutes=minutes)


def started_processes(trainer: pl.Trainer) -> list[subprocess.Popen[bytes]]:
    """The ranks that were started from here: Lightning kills them some seconds after an exception, or not at all."""
    return list(getattr(trainer.strategy.launcher, "procs", []))


def gradients_are_accumulating(trainer: pl.Trainer) -> bool:
    """Whether the batch that just ended was followed by no optimizer step: a checkpoint would not hold its gradients."""
    return bool(trainer.fit_loop._should_accumulate())


def validation_follows(trainer: pl.Trainer) -> bool:
    """Whether validation may come right after the batch that just ended.

    Lightning decides it after the callbacks' ``on_train_batch_end``, from the same counts.
    """
    progress, every = trainer.fit_loop.epoch_loop.batch_progress, trainer.val_check_batch
    in_epoch, in_all = progress.current.ready, progress.total.ready
    return progress.is_last_batch or (every is not None and (in_epoch % every == 0 or in_all % every == 0))


def keys_of(parser: Any) -> list[str]:
    """All settings that a parser takes, such as ``trainer.max_epochs``; argparse shows them as a page of text only."""
    keys = [
        a.dest for a in parser._actions if a.option_strings and a.dest not in ("help", "config", "print_config", "print_shtab")
    ]
    return [key for key in keys if not key.endswith(".help")]


def type_of(parser: Any, key: str) -> Any:
    """The type that a parser's setting is declared with; None where there is no such setting."""
    return next((getattr(a, "_typehint", None) for a in parser._actions if a.dest == key), None)
