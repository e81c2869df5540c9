"""A run's folder: where it lies, its metrics file, its summary."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytorch_lightning as pl
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from datamodules.scene import InputError
from datamodules.temporary import beside

from .files import METRICS, SUMMARY, read_metrics, read_summary


def write_atomically(path: Path, text: str) -> None:
    """Writes beside the target and renames, so that a reader never sees half a file.

    Raises:
        InputError: the disk is full, the folder read-only, or the like; what was there before is intact.
    """
    draft = beside(path)
    with _writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with suppress(OSError):  # where the folder is read-only there is nothing to remove
                draft.unlink(missing_ok=True)
            raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says about a file into one line that names it."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def new_run_name(root: Path, name: str, now: datetime | None = None) -> str:
    """A folder name below root/name that is not taken: the time, and a number where that is taken."""
    stamp = (now or datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
    version, n = stamp, 1
    while (root / name / version).exists():
        n += 1
        version = f"{stamp}_{n}"
    return version


class RunFolder(Logger):
    """Lightning's logger of a run: the folder root/name/version with ``metrics.csv`` and, at the end, ``summary.json``.

    ``metrics.csv`` has one row a step: the columns ``step`` (optimizer steps done before this one), ``epoch``, ``seconds``
    since the run's first start, then one column a metric. A resumed run takes the file up where its checkpoint was written;
    later rows of the interrupted run are cut off, so that no step is doubled or missing.
    """

    def __init__(self, root: str | Path = "runs", name: str = "run", version: str | None = None) -> None:
        super().__init__()
        self._root, self._name = Path(root), name
        self._version = version or new_run_name(self._root, name)
        self._columns: list[str] = []
        self._row: dict[str, Any] = {}
        self._written_at: int | None = None
        self._start = time.monotonic()

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The folder of a run that exists."""
        parts = folder.parts
        # The name of a run may have a slash in it: root is what is left above name and version.
        name = read_summary(folder).get("name") or folder.parent.name
        depth = len(Path(name).parts) + 1
        return cls(Path(*parts[:-depth]) if len(parts) > depth else Path(), name, folder.name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return self._version

    @property
    def save_dir(self) -> str:
        return str(self._root)

    @property
    def log_dir(self) -> str:
        return str(self.folder)

    @property
    def folder(self) -> Path:
        return self._root / self._name / self._version

    def adopt(self, version: str) -> None:
        """Takes another name for the folder: the ranks of a distributed run use the first one's."""
        self._version = version

    @property
    def seconds(self) -> float:
        """Since the run's first start, time in which it was interrupted left out."""
        return time.monotonic() - self._start

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """The configuration lies in ``config.yaml`` already."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        step = -1 if step is None else step
        if self._row.get("step") != step:
            self.flush()
            self._row, self._written_at = {"step": step, "seconds": round(self.seconds, 3)}, None
        self._row |= {key: float(value) for key, value in metrics.items()}

    @rank_zero_only
    def save(self) -> None:
        """Called by Lightning now and then; a row is written when the next step begins."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.flush()

    @rank_zero_only
    def flush(self) -> None:
        """Writes the current step's row, in place of what was written of it before."""
        if not self._row:
            return
        path = self.folder / METRICS
        if new := [key for key in self._row if key not in self._columns]:
            rows = [row for row in read_metrics(self.folder) if row["step"] != self._row["step"]]
            # A run that was stopped between training and test has rows, but nobody who resumed it.
            self._columns = _ordered(list(dict.fromkeys([*self._columns, *(key for row in rows for key in row), *new])))
            self._rewrite(rows)
            self._written_at = None
        with _writing(path), path.open("r+", encoding="utf-8", newline="") as file:
            file.seek(0, os.SEEK_END)
            if self._written_at is None:
                self._written_at = file.tell()
            file.seek(self._written_at)
            csv.DictWriter(file, self._columns, restval="").writerow(_text(self._row))
            file.truncate()

    @rank_zero_only
    def resume(self, step: int) -> None:
        """Keeps of an older ``metrics.csv`` the rows before ``step``, and goes on with the last of them."""
        rows = read_metrics(self.folder)
        kept = [row for row in rows if row["step"] < step]
        self._columns = _ordered(list(dict.fromkeys(key for row in rows for key in row)))
        self._row, self._written_at = {}, None
        self._rewrite(kept[:-1])
        if kept:
            self._start = time.monotonic() - kept[-1].get("seconds", 0.0)
            self._row = dict(kept[-1])
            self.flush()

    def _rewrite(self, rows: list[dict[str, float]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="")
        writer.writeheader()
        writer.writerows(_text(row) for row in rows)
        write_atomically(self.folder / METRICS, text.getvalue())


class EvaluationFolder(RunFolder):
    """The folder of a run that is evaluated: its training's ``metrics.csv`` is left as it is."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """The results go into ``summary.json``, at the end."""


def folder_of(trainer: pl.Trainer) -> Path | None:
    """The folder of a trainer's run, or None where it has none (``fast_dev_run``, no logger)."""
    return next((logger.folder for logger in trainer.loggers if isinstance(logger, RunFolder)), None)


def _ordered(columns: list[str]) -> list[str]:
    first = [c for c in ("step", "epoch", "seconds") if c in columns]
    return first + sorted(c for c in columns if c not in first)


def _text(row: dict[str, Any]) -> dict[str, str]:
    # repr of a float loses no digit; a whole number is written without a fraction.
    return {key: str(int(v)) if float(v).is_integer() and key in ("step", "epoch") else repr(v) for key, v in row.items()}


def write_summary(folder: Path, values: dict[str, Any]) -> None:
    """Merges ``values`` into the run's ``summary.json``; numbers that are not finite become null, as JSON asks."""
    summary = read_summary(folder) | values
    write_atomically(folder / SUMMARY, json.dumps(_plain(summary), indent=2, allow_nan=False) + "\n")


def is_finished(folder: Path) -> bool:
    """Whether the run came to its end; a run without this mark did not, whatever its exit code was."""
    return read_summary(folder).get("state") == "finished"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
