"""At the end of a run, its two checkpoints on the test split: the one that validation chose, and the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ProgressBar
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy
from pytorch_lightning.utilities import rank_zero_only

from datamodules.base import DataModule
from datamodules.scene import InputError
from experiments.command_line.mistakes import one_line, shortened, what_was_wrong
from experiments.runs.ends import ENDS, NOT_TESTED, compared, ends_lines
from experiments.runs.evaluation import EvaluationFolder
from experiments.runs.files import CHECKPOINTS
from experiments.runs.findings import DOCUMENT, FINDINGS
from experiments.runs.folder import RunFolder
from experiments.runs.writing import write_summary
from lightning_modules.base import Task
from lightning_modules.distributed import gather_objects

from .callbacks import RunSummary, metrics_of
from .checkpoint_io import load
from .ending import ending
from .evaluated import is_limited
from .findings_writer import FindingsWriter
from .once import callbacks_of


def compare_ends(trainer: pl.Trainer, task: Task, data: DataModule, run: RunFolder, config: Any) -> list[str]:
    """Tests ``best.ckpt`` and ``last.ckpt`` of a run that has come to its end, and writes both into its summary.

    Afterwards the task has the weights of ``last.ckpt``, which it had before. Nothing is logged into ``metrics.csv``: a run
    that goes on from here is the same as if it had never been tested. The summary's ``test`` is that of the best.

    Args:
        trainer: after its fit.
        task: what was trained.
        data: whose test split is taken.
        run: the run's folder.
        config: the command's settings, of which ``findings`` and ``pictures`` are read: what went wrong is written of the best.

    Returns:
        What there is to say of it, line by line; nothing where the run is not at its end, or has no checkpoint.
    """
    # What is to be done the first process says, so that no other waits for it.
    names, same = trainer.strategy.broadcast(_to_test(trainer, run.folder / CHECKPOINTS))
    if not names:
        return []
    if not isinstance(trainer.strategy, DDPStrategy | SingleDeviceStrategy):  # which load a whole checkpoint on each device
        return _not_tested(run, f"{type(trainer.strategy).__name__} shards its weights; lectern test does it")
    if is_limited(trainer, "test"):
        limit = trainer.limit_test_batches  # type: ignore[attr-defined]
        return _not_tested(run, f"trainer.limit_test_batches {limit} leaves out a part of the split; lectern test takes all")
    validated = sum(gather_objects(next((c.validated for c in callbacks_of(trainer) if isinstance(c, RunSummary)), 0)))
    tested: dict[str, dict[str, float]] = {}
    try:
        with _only(trainer, run):
            for name in names:
                wanted = config.findings and name == names[0]
                own = [FindingsWriter(config.pictures.count, config.pictures.min_score, name)] if wanted else []
                trainer.callbacks = [*_bars(trainer), *own]  # type: ignore[attr-defined]
                trainer.test(task, data, ckpt_path=str(run.folder / CHECKPOINTS / f"{name}.ckpt"), verbose=False)
                tested[name] = metrics_of(trainer)
    except (InputError, OSError) as error:  # the run is at its end, and no test split takes that away
        return _not_tested(run, shortened(what_was_wrong(error) or one_line(error)))
    monitor = task.monitor.replace("val/", "test/", 1)
    ends = compared(tested, monitor, task.mode, validated, same)
    _write(trainer, run, ends, tested[names[0]])
    return ends_lines(ends)


def _to_test(trainer: pl.Trainer, folder: Path) -> tuple[list[str], bool]:
    """Which checkpoints are to be tested, the best first, and whether one stands for both; none of a run not at its end."""
    if ending(trainer)["state"] != "finished" or trainer.limit_test_batches == 0 or not trainer.is_global_zero:  # type: ignore[attr-defined]
        return [], False
    there = [name for name in ("best", "last") if (folder / f"{name}.ckpt").is_file()]
    same = len(there) == 2 and same_weights(folder / "best.ckpt", folder / "last.ckpt")
    return (there[:1] if same else there), same


def same_weights(first: Path, second: Path) -> bool:
    """Whether two checkpoints hold the same weights, bit for bit."""
    own, other = (load(path)["state_dict"] for path in (first, second))
    return own.keys() == other.keys() and all(torch.equal(own[key], other[key]) for key in own)


@contextmanager
def _only(trainer: pl.Trainer, run: RunFolder) -> Iterator[None]:
    """Without the run's callbacks and loggers, which would take a test of the best for one of the training."""
    callbacks, loggers = callbacks_of(trainer), trainer.loggers
    trainer.loggers = [EvaluationFolder(run.folder, run.title)]  # where findings lie; it logs nothing
    try:
        yield
    finally:
        trainer.callbacks, trainer.loggers = callbacks, loggers  # type: ignore[attr-defined]


def _bars(trainer: pl.Trainer) -> list[pl.Callback]:
    return [callback for callback in callbacks_of(trainer) if isinstance(callback, ProgressBar)]


def _not_tested(run: RunFolder, why: str) -> list[str]:
    """Says in the summary why there is no test; what went wrong in a half of it is removed."""
    ends = {NOT_TESTED: why}
    _note(run, ends)
    return ends_lines(ends)


@rank_zero_only
def _note(run: RunFolder, ends: dict[str, Any]) -> None:
    (run.folder / FINDINGS / DOCUMENT).unlink(missing_ok=True)
    write_summary(run.folder, {ENDS: ends})


@rank_zero_only
def _write(trainer: pl.Trainer, run: RunFolder, ends: dict[str, Any], best: dict[str, float]) -> None:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    write_summary(run.folder, {"test": best, "tested": now, ENDS: ends})
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            last = {f"last/{name}": value for name, value in ends.get("last", {}).items()}
            logger.experiment.summary.update({**best, **last})
