"""All use of what Lightning and jsonargparse keep to themselves, each with its reason.

Checked with Lightning 2.6.6 and jsonargparse 4.53. A new release of either is tried by running the tests of the file that a
function here serves; ``tests/experiments/test_lightning_compat.py`` sees to it that nobody else uses such parts.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
import yaml
from jsonargparse._typehints import ActionTypeHint, rebuild_typehint_args
from lightning_utilities.core.enums import StrEnum
from pytorch_lightning.callbacks import BatchSizeFinder
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


def int_before_float(argument: dict[str, Any]) -> None:
    """Has an argument that takes an int or a float try the int first, so that 1 stays 1: of Lightning's limits, 1 is one batch
    and 1.0 is all.

    ``Trainer`` says ``Optional[Union[int, float]]``; but typing keeps every union that was made, takes unions of the same
    members for equal, and hands out ``Union[float, int, None]`` where any module said that before; and jsonargparse, which
    tries the members in order, then reads 1 as 1.0.

    Args:
        argument: the keyword arguments of ``add_argument``.
    """
    if isinstance(action := argument.get("action"), ActionTypeHint):
        action._typehint = _int_before_float(action._typehint)


def _int_before_float(hint: Any) -> Any:
    members = getattr(hint, "__args__", None)
    if not isinstance(members, tuple) or not {int, float} <= {m for m in members if isinstance(m, type)}:
        return hint
    if members.index(int) < members.index(float):
        return hint
    return rebuild_typehint_args(hint, tuple(sorted(members, key=lambda member: member is not int)))


# Timer's default is a member of an enumeration under the type str, which is no plain data to jsonargparse: without this, no
# configuration with a Timer can be read or written.
yaml.SafeDumper.add_multi_representer(StrEnum, lambda dumper, member: dumper.represent_str(member.value))


def limit_batch_size_finder(finder: BatchSizeFinder, most: int) -> None:
    """Ends a search at the greatest batch size that doubling reaches within ``most``.

    Lightning asks a loader's ``dataset`` for its length, which only a DataLoader has, and doubles once more before it looks.
    """
    doublings = max(0, most // max(1, finder._init_val)).bit_length()
    finder._max_trials = min(finder._max_trials, max(1, doublings))


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
