"""All use of what Lightning and jsonargparse keep to themselves, each with its reason.

Checked with Lightning 2.6.6 and jsonargparse 4.53. A new release of either is tried by running the tests of the file that a
function here serves; ``tests/experiments/test_lightning_compat.py`` sees to it that nobody else uses such parts.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
import yaml
from jsonargparse._common import parsing_settings
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

    def plain_config(self) -> dict[str, Any]:
        """The command's settings as they are saved: nothing but words, numbers, lists and dictionaries."""
        raise NotImplementedError

    def _dump_config(self) -> None:
        """What modules keep of their arguments, from a dump that is made once; Lightning's makes one of its own."""
        self.config_dump = self.plain_config()

    def _parse_ckpt_path(self) -> None:
        """Nothing: in Lightning's a checkpoint's arguments silently override the recipe and the command line."""

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        """Lightning's, and checkpoints are read weights-only: from an address they are not, unless it is said.

        What is predicted is written, and not returned: Lightning would keep that of all images in memory until the end. What is
        measured is printed by the command itself, and not as Lightning's table.
        """
        kwargs = super()._prepare_subcommand_kwargs(subcommand) | {"weights_only": True}
        if subcommand in ("validate", "test"):
            kwargs["verbose"] = False
        return kwargs | {"return_predictions": False} if subcommand == "predict" else kwargs


def parse_unchecked(parser: LightningArgumentParser, arguments: list[str]) -> Any:
    """A command line as far as it goes: arguments that are still to be filled in may be missing.

    jsonargparse parses the arguments of a subcommand so, before it looks at the whole.
    """
    return parser.parse_args(arguments, _skip_validation=True)


@contextmanager
def importing_only(packages: Collection[str]) -> Iterator[None]:
    """What is parsed meanwhile makes the parser import nothing but what these packages define.

    jsonargparse's ``set_parsing_settings`` has such a list of what is allowed, and no way back from it.
    """
    before = dict(parsing_settings)
    allowed = {"*": False, **dict.fromkeys(packages, True)}
    parsing_settings.update(import_path_verdicts=allowed, import_paths_enforced=True)
    try:
        yield
    finally:
        parsing_settings.update(before)


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


def forget_nvml() -> None:
    """Has torch ask CUDA itself for GPUs where there is no NVML, the library that comes with NVIDIA's driver.

    Lightning sets this variable, so that asking does not keep a process from forking later. But Adam and AdamW ask at every
    step, and without a driver the library is looked for in vain each time, which takes 40 to 300 µs. Without a driver there is
    nothing that a fork could spoil.
    """
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)


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


def batches_are_whole(trainer: pl.Trainer) -> bool:
    """Whether the epoch has trained on some batches, and is behind the last of them and before the next one."""
    done = trainer.fit_loop.epoch_loop.batch_progress.current
    return 0 < done.ready == done.completed


def epochs_trained(trainer: pl.Trainer) -> int:
    """The epochs that the run has trained, counted at an epoch's end already; ``trainer.current_epoch`` is that epoch there."""
    progress: Any = trainer.fit_loop.epoch_progress.current
    return int(progress.processed)


def validation_follows(trainer: pl.Trainer) -> bool:
    """Whether validation may come right after the batch that just ended.

    Lightning decides it after the callbacks' ``on_train_batch_end``, from the same counts.
    """
    progress, every = trainer.fit_loop.epoch_loop.batch_progress, trainer.val_check_batch
    in_epoch, in_all = progress.current.ready, progress.total.ready
    return progress.is_last_batch or (every is not None and (in_epoch % every == 0 or in_all % every == 0))


def epochs_done(checkpoint: dict[str, Any]) -> int:
    """The epochs that a checkpoint's run has trained whole, though the validation of the last may be to come.

    Raises:
        KeyError, TypeError: it says nothing of it.
    """
    epoch, batch = _progress(checkpoint)
    whole = int(epoch["current"]["processed"])
    if epoch["current"]["started"] > whole:
        return whole + bool(batch["is_last_batch"])
    return whole - _is_cut(epoch, batch)


def mend_progress(checkpoint: dict[str, Any], trainer: pl.Trainer) -> None:
    """Puts a checkpoint's progress so that a run that goes on from it trains on each batch once, as if never stopped.

    Two states of Lightning's do not go on so. A run that ends inside an epoch (``max_steps``, ``max_time``) counts that epoch
    as done: the rest of it would be left out. And a run that is limited by steps takes the last batch of an epoch that is done
    for one of the epoch that begins. A run that is at its end stays as it is.
    """
    if trainer.max_steps != -1 and checkpoint["global_step"] >= trainer.max_steps:
        return
    epoch, batch = _progress(checkpoint)
    if _is_cut(epoch, batch):
        for counts in (epoch["current"], epoch["total"]):
            counts["processed"] = counts["completed"] = counts["started"] - 1
    elif trainer.max_steps != -1 and epoch["current"]["processed"] == epoch["current"]["started"]:
        for counts in (epoch["current"], epoch["total"]):
            counts["completed"] = counts["processed"]
        batch["current"] = dict.fromkeys(batch["current"], 0)
        batch["is_last_batch"] = False


def _progress(checkpoint: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    loop = checkpoint["loops"]["fit_loop"]
    return loop["epoch_progress"], loop["epoch_loop.batch_progress"]


def _is_cut(epoch: dict[str, Any], batch: dict[str, Any]) -> bool:
    """Whether a run ended inside an epoch, which then counts as done."""
    closed = epoch["current"]["processed"] == epoch["current"]["started"] > 0
    return bool(closed and batch["current"]["ready"] > 0 and not batch["is_last_batch"])


def keys_of(parser: Any) -> list[str]:
    """All settings that a parser takes, such as ``trainer.max_epochs``; argparse shows them as a page of text only."""
    keys = [
        a.dest for a in parser._actions if a.option_strings and a.dest not in ("help", "config", "print_config", "print_shtab")
    ]
    return [key for key in keys if not key.endswith(".help")]


def type_of(parser: Any, key: str) -> Any:
    """The type that a parser's setting is declared with; None where there is no such setting."""
    return next((getattr(a, "_typehint", None) for a in parser._actions if a.dest == key), None)
