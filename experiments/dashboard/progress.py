"""How far a run under way is: the step that it is at, how many there will be, and how long that takes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.dashboard import library
from experiments.dashboard.library import RunInfo
from experiments.runs.files import METRICS, Column


@dataclass(frozen=True)
class RunProgress:
    """Of a training; what is not known is None."""

    steps: int
    """Optimizer steps done when a row was last logged."""
    total: int | None
    """Optimizer steps in all; an estimate until the first epoch has ended."""
    seconds: float
    """Of training so far."""
    left: float | None
    """Seconds that the rest takes at the speed so far, counted from now."""

    @property
    def share(self) -> float | None:
        return min(1.0, self.steps / self.total) if self.total else None


def progress_of(run: RunInfo, now: float | None = None) -> RunProgress | None:
    """How far a run is by what it has logged; None before its first row.

    Args:
        run: its settings and its ``metrics.csv`` are looked at.
        now: Unix time; the present where it is None.
    """
    columns = library.columns(run)
    steps, seconds = columns.get("step"), columns.get("seconds")
    if steps is None or not len(steps) or not math.isfinite(steps[-1]) or abs(steps[-1]) > 2**53:
        return None
    done = int(steps[-1]) + 1
    took = float(seconds[-1]) if seconds is not None and math.isfinite(seconds[-1]) else 0.0
    total = _total(run.settings, columns)
    pace = took / done if done > 0 else 0.0
    left = None
    if total and pace > 0:
        left = max(0.0, (total - done) * pace - _since_last_row(run, now))
    return RunProgress(done, total, took, left)


def _since_last_row(run: RunInfo, now: float | None) -> float:
    try:
        changed = (run.folder / METRICS).stat().st_mtime
    except OSError:
        return 0.0
    return max(0.0, (time.time() if now is None else now) - changed)


def _total(settings: Mapping[str, Any], columns: Mapping[str, Column]) -> int | None:
    """The least of what ends the training: ``max_steps``, and ``max_epochs`` of as many steps as one has."""
    most = _positive(settings.get("trainer.max_steps"))
    epochs, each = _positive(settings.get("trainer.max_epochs")), _steps_of_an_epoch(settings, columns)
    found = [most, epochs * each if epochs and each else None]
    return min((count for count in found if count), default=None)


def _steps_of_an_epoch(settings: Mapping[str, Any], columns: Mapping[str, Column]) -> int | None:
    """As the rows say that a validation at an epoch's end has written; before, as the data and the batch size say."""
    validated = [values for name, values in columns.items() if name.startswith("val/")]
    each_epoch = _positive(settings.get("trainer.check_val_every_n_epoch")) and not settings.get("trainer.val_check_interval")
    if validated and each_epoch and "epoch" in columns:
        for step, epoch, value in zip(columns["step"], columns["epoch"], validated[0], strict=True):
            if math.isfinite(value) and math.isfinite(epoch) and 0 <= epoch < 2**31:
                return round((step + 1) / (epoch + 1))
    size, batch = _positive(settings.get("data.train")), _positive(settings.get("data.batch_size"))
    together = _positive(settings.get("trainer.accumulate_grad_batches")) or 1
    if not size or not batch or settings.get("trainer.limit_train_batches") is not None:
        return None
    devices = _positive(settings.get("trainer.devices")) or 1
    return math.ceil(size / (batch * together * devices))


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None
