"""A run's folder: made once, written by one process, found where it lies; its metrics file, its summary."""

from __future__ import annotations

import csv
import os
import shutil
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytorch_lightning as pl
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from datamodules.scene import InputError

from .files import CONFIG, METRICS, SUMMARY, read_metrics, read_summary
from .lock import LOCK, RunLock, holder
from .writing import as_csv, cells, ordered, write_atomically, writing


def new_run_name(root: Path, name: str, now: datetime | None = None) -> str:
    """A folder name below root/name that is not taken: the time, and a number where that is taken."""
    stamp = (now or datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
    version, n = stamp, 1
    while (root / name / version).exists():
        n += 1
        version = f"{stamp}_{n}"
    return version


def make_folder(root: Path, name: str) -> Path:
    """A new folder root/name/<time>: its making is what gives it to this process, so two never get the same.

    Raises:
        InputError: it cannot be made.
    """
    version, n = new_run_name(root, name), 1
    while True:
        folder = root / name / (version if n == 1 else f"{version}_{n}")
        with writing(folder), suppress(FileExistsError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            return folder
        n += 1  # another process has made it meanwhile


def checked_name(name: str, option: str) -> str:
    """A name that is a path below the folder of all runs.

    Raises:
        InputError: it leads out of it, or is none.
    """
    path = Path(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or not name.isprintable():
        raise InputError(f"{option} {name!r}: a name below the folder of all runs is expected, without '..'; --runs says where")
    return name


class RunFolder(Logger):
    """Lightning's logger of a run: a folder with ``metrics.csv`` and, at the end, ``summary.json``.

    ``metrics.csv`` has one row a step: the columns ``step`` (optimizer steps done before this one), ``epoch``, ``seconds``
    since the run's first start, then one column a metric. A resumed run takes the file up where its checkpoint was written;
    later rows of the interrupted run are cut off, so that no step is doubled or missing.

    A run is its folder, wherever that lies: its path is never made from a name in a file of its own. Whoever writes it has
    it from :meth:`make` or :meth:`open`, and holds its lock.

    Args:
        folder: the run's.
        title: the experiment's name, as reports show it.
    """

    def __init__(self, folder: Path, title: str) -> None:
        super().__init__()
        self.folder, self.title = folder, title
        self.begun = False
        """Whether anything of the training has been written: until then a failed command leaves no trace."""
        self.lock: RunLock | None = None
        self._columns: list[str] = []
        self._row: dict[str, Any] = {}
        self._written_at: int | None = None
        self._start = time.monotonic()

    @classmethod
    def make(
        cls, root: Path, name: str, version: str | None = None, *, overwrite: bool = False, about: dict[str, Any] | None = None
    ) -> Self:
        """A new run's folder, root/name/version, held by this process.

        Args:
            root: the folder of all runs.
            name: of the experiment; a path below root.
            version: the folder's name; the time where there is none.
            overwrite: in place of a run of that name.
            about: what the lock says of its holder.

        Raises:
            InputError: there is such a run, or the folder cannot be made.
        """
        if version is None:
            folder = make_folder(root, name)
        else:
            folder = root / name / version
            if overwrite and folder.exists():
                _remove_run(folder)
            with writing(folder):
                folder.parent.mkdir(parents=True, exist_ok=True)
                try:
                    folder.mkdir()
                except FileExistsError:
                    raise InputError(
                        f"{folder}: there is such a run; another --version makes one beside it, --overwrite true one in its "
                        "place, and --ckpt_path its last.ckpt goes on with it"
                    ) from None
        return cls._made(folder, name, about)

    @classmethod
    def _made(cls, folder: Path, title: str, about: Mapping[str, Any] | None = None) -> Self:
        run = cls(folder, title)
        run.lock = _NewLock(folder, about, run)
        with writing(folder / LOCK):
            run.lock.acquire()
        return run

    @classmethod
    def open(cls, folder: Path, about: dict[str, Any] | None = None) -> Self:
        """The folder of a run that exists, held by this process.

        Raises:
            InputError: another process writes it.
        """
        run = cls(folder, title_of(folder))
        run.lock = RunLock(folder / LOCK, about)
        with writing(folder / LOCK):
            if not run.lock.acquire():
                raise InputError(f"{folder}: another process is writing this run ({_who(folder)})")
        return run

    def release(self) -> None:
        """Gives the folder back: another process may write it."""
        if self.lock:
            self.lock.release()

    @property
    def name(self) -> str:
        return ""  # Lightning joins save_dir, name and version to the folder, where a callback of the user's names none

    @property
    def version(self) -> str:
        return self.folder.name

    @property
    def save_dir(self) -> str:
        return str(self.folder.parent)

    @property
    def log_dir(self) -> str:
        return str(self.folder)

    def adopt(self, folder: str) -> None:
        """Takes another place: the ranks of a distributed run have the first one's."""
        self.folder = Path(folder)

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
            self._columns = ordered(list(dict.fromkeys([*self._columns, *(key for row in rows for key in row), *new])))
            # With the current row in it: killed between two writes, the file would lack what it had of that row before.
            self._rewrite([*rows, self._row])
            return
        with writing(path), path.open("r+", encoding="utf-8", newline="") as file:
            file.seek(0, os.SEEK_END)
            if self._written_at is None:
                self._written_at = file.tell()
            file.seek(self._written_at)
            csv.DictWriter(file, self._columns, restval="").writerow(cells(self._row))
            file.truncate()

    @rank_zero_only
    def resume(self, step: int) -> None:
        """Keeps of an older ``metrics.csv`` the rows before ``step``, and goes on with the last of them."""
        rows = read_metrics(self.folder)
        kept = [row for row in rows if row["step"] < step]
        self._columns = ordered(list(dict.fromkeys(key for row in rows for key in row)))
        self._row, self._written_at = dict(kept[-1]) if kept else {}, None
        self._rewrite(kept)
        if kept:
            self._start = time.monotonic() - kept[-1].get("seconds", 0.0)

    def _rewrite(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes the whole file at once; its last row is the current step's, where there is one."""
        text, before = as_csv(self._columns, rows)
        write_atomically(self.folder / METRICS, text)
        self._written_at = before if self._row else None


class _NewLock(RunLock):
    """Of a folder that was made here: where nothing has begun when it is released, the folder goes too."""

    def __init__(self, folder: Path, about: Mapping[str, Any] | None, run: RunFolder) -> None:
        super().__init__(folder / LOCK, about)
        self.run = run

    def release(self) -> None:
        if self._file is not None and not self.run.begun:
            shutil.rmtree(self.path.parent, ignore_errors=True)
            with suppress(OSError):  # one that holds other runs stays
                for parent in self.path.parent.parents[: len(Path(self.run.title).parts)]:
                    parent.rmdir()
        super().release()


def title_of(folder: Path) -> str:
    """What the run is called: what its summary says, which nothing but a title is made of."""
    name = read_summary(folder).get("name")
    return name if isinstance(name, str) and name else folder.resolve().parent.name


def is_run(folder: Path) -> bool:
    """Whether this is a run's folder, of a training or of a measurement."""
    return any((folder / part).is_file() for part in (CONFIG, SUMMARY, METRICS, LOCK))


def _remove_run(folder: Path) -> None:
    """Removes a run that another is to take the place of.

    Raises:
        InputError: it is none, or another process writes it.
    """
    if not is_run(folder) and any(folder.iterdir()):
        raise InputError(f"{folder}: is no run's folder, and is not overwritten")
    lock = RunLock(folder / LOCK)
    try:
        with writing(folder):
            if not lock.acquire():
                raise InputError(f"{folder}: another process is writing this run ({_who(folder)}), and it is not overwritten")
            gone = folder.with_name(f".{folder.name}.{os.getpid()}")
            folder.rename(gone)
            shutil.rmtree(gone)
    finally:
        lock.release()


def _who(folder: Path) -> str:
    about = holder(folder / LOCK)
    return f"process {about.get('process', '?')} on {about.get('host', '?')}"


def folder_of(trainer: pl.Trainer) -> Path | None:
    """The folder of a trainer's run, or None where it has none (``fast_dev_run``, no logger)."""
    return next((logger.folder for logger in trainer.loggers if isinstance(logger, RunFolder)), None)


def is_finished(folder: Path) -> bool:
    """Whether the run came to its end; a run without this mark did not, whatever its exit code was."""
    return read_summary(folder).get("state") == "finished"
