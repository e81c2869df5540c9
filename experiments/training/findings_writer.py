"""What an evaluation leaves beside its figures: what went wrong, and where."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from datamodules.scene import Batch
from experiments.findings.choosing import inquiry_into
from experiments.findings.inquiry import Inquiry, MeasuredValues
from experiments.findings.training_sample import training_sample
from experiments.runs.findings import DOCUMENT, FINDINGS, MOST_PICTURES, Findings
from experiments.runs.folder import folder_of
from experiments.runs.writing import write_atomically
from lightning_modules.base import Task
from lightning_modules.distributed import gather_objects

from .charts import draw_charts
from .gallery import Candidate, Worst, draw_gallery


class FindingsWriter(pl.Callback):
    """Writes ``findings/`` at the end of a test or a validation (see :mod:`experiments.runs.findings`).

    It looks at what the task has predicted already, and changes none of its figures. What it keeps of a scene are some numbers;
    of the worst scenes, whose pictures it draws, all.

    Args:
        worst: pictures of the worst scenes.
        least_score: of a detection that is drawn, where none is right; otherwise it is that of the best F1.
        checkpoint: what is evaluated: ``best``, ``last``, or a file's name.
    """

    def __init__(self, worst: int, least_score: float, checkpoint: str) -> None:
        self.worst, self.least_score, self.checkpoint = Worst(min(worst, MOST_PICTURES)), least_score, checkpoint
        self._inquiry: Inquiry[Any] | None = None
        self._scenes = 0

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._begin(pl_module, "test")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._begin(pl_module, "val")

    def _begin(self, task: Any, split: str) -> None:
        metrics = task.test_metrics if split == "test" else task.val_metrics
        self._inquiry, self._scenes = inquiry_into(task, dict(metrics.items())), 0

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._add(pl_module, outputs, batch)

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._add(pl_module, outputs, batch)

    def _add(self, task: Task, predictions: Any, batch: Batch) -> None:
        if predictions is None or self._inquiry is None:
            return
        try:
            wrong = self._inquiry.add(predictions, batch)
            self.worst.offer(list(wrong), predictions, batch, task)
        except Exception as error:  # of a task of the user's own, whose metrics are given something else
            self._drop(task, error)
            return
        self._scenes += len(predictions)

    def _drop(self, task: Any, error: Exception) -> None:
        """Goes on without findings: the figures are worth more."""
        self._inquiry = None
        missing = (
            f"{type(task).__name__} gives its metrics no {error.args[0]}" if type(error) is KeyError and error.args else ""
        )
        _say(missing or error)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._take(pl_module)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._take(pl_module)

    def _take(self, task: Any) -> None:
        if self._inquiry is not None:  # called before the task's own, which resets its metrics
            try:
                self._inquiry.take()
            except Exception as error:
                self._drop(task, error)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, pl_module, "test")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, pl_module, "val")

    def _write(self, trainer: pl.Trainer, task: Any, split: Any) -> None:
        # A task of the user's own may have given up on one rank: then all do.
        inquiry, folder = self._inquiry, folder_of(trainer)
        if not all(gather_objects(inquiry is not None and folder is not None)):
            return
        assert inquiry is not None and folder is not None
        inquiry.gather()
        worst, scenes = self.worst.gather(), sum(gather_objects(self._scenes))
        if not trainer.is_global_zero or not scenes:
            return
        try:
            self._draw_and_write(trainer, task, split, inquiry, worst, scenes, _emptied(folder / FINDINGS))
        except Exception as error:  # of a task or data of the user's own: the figures are measured, and are not lost for it
            _say(error)

    def _draw_and_write(
        self,
        trainer: pl.Trainer,
        task: Any,
        split: Any,
        inquiry: Inquiry[Any],
        worst: list[Candidate],
        scenes: int,
        place: Path,
    ) -> None:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        training = training_sample(trainer.datamodule, scenes)  # type: ignore[attr-defined]
        sections = inquiry.sections(MeasuredValues(split, values), training)
        least = self.least_score if inquiry.least_score is None else inquiry.least_score
        gallery = draw_gallery(worst, task.metadata, place, least)
        sections += [gallery] if gallery else []
        draw_charts(sections, place)
        write_findings(place, Findings(split=split, checkpoint=self.checkpoint, scenes=scenes, sections=tuple(sections[:64])))


def _say(why: Exception | str) -> None:
    """One line on stderr on why there are no findings."""
    said = why if isinstance(why, str) else f"{type(why).__name__}: {' '.join(str(why).split())[:300]}"
    print(f"lectern: no findings: {said}", file=sys.stderr)


def write_findings(folder: Path, findings: Findings) -> None:
    """Writes the document, behind its pictures: whoever finds it finds all."""
    write_atomically(folder / DOCUMENT, findings.as_json())


def _emptied(folder: Path) -> Path:
    """The folder without what an evaluation of before has left: a run that goes on is tested again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).unlink(missing_ok=True)
    for picture in folder.glob("*.png"):
        picture.unlink()
    return folder
