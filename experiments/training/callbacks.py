"""What every run does beside training: draw its randomness from the seed, and sum itself up."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_only

from datamodules.base import run_seed
from datamodules.scene import InputError
from experiments import PACKAGES, ROOT
from experiments.runs.ends import without_ends
from experiments.runs.files import AXES, read_metrics, read_summary
from experiments.runs.findings import DOCUMENT, FINDINGS
from experiments.runs.folder import RunFolder
from experiments.runs.report import write_report
from experiments.runs.writing import write_summary

from .ending import ending
from .left_out import left_out, recorded, say
from .wandb_logging import begin_wandb


class Reproducible(pl.Callback):
    """Reseeds torch before each batch from (seed, epoch, batch, rank).

    Dropout and the detectors' sampling then depend on nothing that an interrupted run would have lost.
    """

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        parts = [run_seed(), trainer.current_epoch, batch_idx, trainer.global_rank]
        seed = int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]) >> 1
        # torch.manual_seed would do, but without a GPU it keeps a stack trace for one to come, which takes 0.8 ms in a run.
        torch.default_generator.manual_seed(seed)
        if pl_module.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif pl_module.device.type == "mps":
            torch.mps.manual_seed(seed)


class RunSummary(pl.Callback):
    """Keeps the run's ``summary.json``: state, metrics, wall time, images/s, peak memory, commit, versions, device."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._images = 0
        self._training_seconds = 0.0
        self._since = 0.0
        self._left_out: list[str] = []
        self.validated = 0
        """Scenes that this process's last validation judged."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            # Every rank of a distributed run must speak of the folder that the first rank chose.
            self.folder.adopt(trainer.strategy.broadcast(str(self.folder.folder)))

    def on_sanity_check_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._begin(trainer)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._begin(trainer)

    def _begin(self, trainer: pl.Trainer) -> None:
        """From here on the run's files are written: its checkpoint, where it goes on from one, has been restored."""
        if self.folder.begun:
            return
        of_wandb = begin_wandb(trainer.loggers)  # first: a server that refuses leaves no run behind
        self.folder.begun = True
        if trainer.global_step:
            self.folder.resume(trainer.global_step)
        before = read_summary(self.folder.folder)
        if again := without_ends(before):
            (self.folder.folder / FINDINGS / DOCUMENT).unlink(missing_ok=True)
        started = before.get("started") or _now()
        values = {"state": "running", "reason": "", "name": self.folder.title, "started": started, **again}
        values |= {"resumed": _now()} if trainer.global_step else {}  # tests of before are of other weights
        self._write({**values, "remarks": remarks_of(trainer), **surroundings(trainer), **of_wandb})

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.folder.flush()  # what was logged before a checkpoint must not be lost behind it

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch is not None:  # every scene of it was left out
            self._images += len(batch["image"]) * trainer.world_size

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._pause()
        self.validated = 0

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if batch is not None and not trainer.sanity_checking:
            self.validated += len(batch["image"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._pause()
        self._since = time.monotonic()

    def _pause(self) -> None:
        if self._since:
            self._training_seconds += time.monotonic() - self._since

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._left_out = left_out(trainer)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        # Behind every on_fit_end: whoever sees that the run is finished finds all done.
        if stage != "fit" or trainer.interrupted:
            return
        self._begin(trainer)  # a run that was killed between its last checkpoint and its end has no step to go on with
        self.folder.flush()
        values = {
            "reason": "",
            **ending(trainer),
            "finished": _now(),
            "remarks": remarks_of(trainer),
            "metrics": last_metrics(self.folder.folder),
            "steps": trainer.global_step,
            "epochs": trainer.current_epoch,
            "seconds": round(self.folder.seconds, 1),
            "images_per_second": round(self._images / max(1e-9, self._training_seconds), 1),
            "peak_memory_mib": peak_memory_mib(),
            "parameters": sum(p.numel() for p in pl_module.parameters()),
            **recorded(self._left_out),
        }
        if trainer.is_global_zero:
            say(self._left_out)
            write_report(self.folder.folder, values)  # before the summary, which says that all is there
        self._write(values)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write({"test": metrics_of(trainer), "tested": _now()})

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        if self.folder.begun and trainer.state.fn == "fit":
            stopped = isinstance(exception, KeyboardInterrupt | SystemExit)
            reason = "" if stopped else f"{type(exception).__name__}: {exception}"[:500]
            chosen = getattr(exception, "state", None)  # of an end that the training chose itself
            with suppress(InputError):  # where the disk is full, the first error is the one to show
                self._write({"state": chosen or ("unfinished" if stopped else "failed"), "reason": reason})
                if chosen and trainer.is_global_zero:
                    self.folder.flush()
                    write_report(self.folder.folder)

    @rank_zero_only
    def _write(self, values: dict[str, Any]) -> None:
        write_summary(self.folder.folder, values)


def last_metrics(folder: Path) -> dict[str, float]:
    """The last value of each metric that the run has logged: the same whether it was interrupted or not."""
    return {name: value for row in read_metrics(folder) for name, value in row.items() if name not in AXES}


def remarks_of(trainer: pl.Trainer) -> list[str]:
    """What was made of the data's files without being asked: a split held out of another, files passed over."""
    return list(getattr(trainer.datamodule, "remarks", ()))  # type: ignore[attr-defined]


def metrics_of(trainer: pl.Trainer) -> dict[str, float]:
    """The last value of everything that was logged."""
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def surroundings(trainer: pl.Trainer) -> dict[str, Any]:
    """Where a run takes place: device, commit, versions."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    packages = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "albumentations", "numpy")
    return {
        "device": f"{trainer.world_size} x {name} ({device.type})",
        "precision": str(trainer.precision),
        "commit": commit(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
    }


def commit() -> str:
    """The commit of Lectern's source, ``+`` behind it where files differ from it, ``+untracked`` where git knows nothing of one
    of them, such as a new study; empty outside a checkout."""
    described = _git("describe", "--always", "--dirty=+", "--exclude=*")
    ours = [f"{package}/*.{end}" for package in PACKAGES for end in ("py", "yaml")]
    new = described and _git("ls-files", "--others", "--exclude-standard", "--", *ours)
    return f"{described}+untracked" if new else described


def _git(*arguments: str) -> str:
    """What git says of Lectern's source; nothing where there is no git, or no checkout."""
    try:
        said = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()


def peak_memory_mib() -> int:
    """The most memory this process held: on the GPU where there is one, otherwise of the process; 0 where it is not counted
    (Windows)."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20)
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
