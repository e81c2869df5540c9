"""What is asked of an evaluation, scene by scene, so that it can be said what went wrong, and where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor
from torchmetrics import Metric

from datamodules.loading import collate
from datamodules.scene import Batch, Scene
from experiments.runs.findings import BaselineFinding, Finding
from lightning_modules.base import Prediction, Task
from lightning_modules.distributed import gather_objects

_Task = TypeVar("_Task", bound=Task)
_Metric = TypeVar("_Metric", bound=Metric)
_Record = TypeVar("_Record")


class TrainingSample(NamedTuple):
    """Training scenes that a baseline is made of; none where the training split is not here."""

    scenes: Sequence[Scene] = ()
    """As an evaluation would see them, not augmented; what they show is left out: ``image`` is (3, 1, 1), and no ``masks``."""
    total: int = 0
    """Of the training split."""
    mean_image: Tensor | None = None
    """float64 (3, H, W), of the scenes' images."""

    def batch(self) -> Batch:
        """The scenes as a batch."""
        batch = collate(list(self.scenes))
        assert batch is not None
        return batch

    def __str__(self) -> str:
        count = len(self.scenes)
        return f"the {count} training scenes" if count == self.total else f"{count} of {self.total} training scenes"


class MeasuredValues(NamedTuple):
    """The figures of an evaluation, by the split and by name (``test/miou``)."""

    split: str
    values: Mapping[str, float]

    def beside(
        self, baselines: Mapping[str, float], name: str, lower_is_better: Iterable[str] = (), note: str = ""
    ) -> list[BaselineFinding]:
        """A section for each figure that has a baseline; names without the split, and what was not measured is left out."""
        return [
            BaselineFinding(
                title=f"{metric}, beside a baseline",
                metric=f"{self.split}/{metric}",
                value=self.values[f"{self.split}/{metric}"],
                baseline=baseline,
                name=name,
                higher_is_better=metric not in lower_is_better,
                note=note,
            )
            for metric, baseline in baselines.items()
            if f"{self.split}/{metric}" in self.values
        ]


class Inquiry(ABC, Generic[_Task]):
    """Looks at each batch of an evaluation beside the task, changes nothing of it, and says at the end what went wrong.

    Batches are given to :meth:`add` as they come; then :meth:`take` and :meth:`gather` are called once on each process, and
    :meth:`sections` on the first. What is kept of a scene are some numbers: never its image, and never a mask.

    Args:
        task: what is evaluated.
        metrics: its metrics of the split, by name; only their states are read.
    """

    def __init__(self, task: _Task, metrics: Mapping[str, Metric]) -> None:
        self.task, self.metadata, self.metrics = task, task.metadata, list(metrics.values())

    @abstractmethod
    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        """Takes up a batch, which the metrics have been given already.

        Returns:
            How wrong each of its B scenes is: the worst are shown. 0 where nothing is wrong, or nothing was to be judged.
        """

    def take(self) -> None:
        """Takes what it needs of the metrics' states, before they are reset; they are this process's own."""
        return None

    @abstractmethod
    def gather(self) -> None:
        """Brings together what all processes have; the same on any number of them, bit for bit."""

    @abstractmethod
    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        """What went wrong, and where; the baselines first."""

    @property
    def least_score(self) -> float | None:
        """Of a detection that is drawn; None where the user's own (``pictures.min_score``) is taken. Known at the end."""
        return None

    def metric(self, kind: type[_Metric]) -> _Metric | None:
        """The task's metric of a class, and of no class derived from it."""
        return next((metric for metric in self.metrics if type(metric) is kind), None)


def merged(own: Mapping[int, _Record]) -> dict[int, _Record]:
    """The records of all processes, by their scene's place in the split, and in that order."""
    every = [record for part in gather_objects(dict(own)) for record in part.items()]
    return dict(sorted(every, key=lambda entry: entry[0]))


def values_of(rows: Mapping[int, Any], column: int) -> list[Any]:
    """One column of records that are tuples."""
    return [row[column] for row in rows.values()]
