"""What makes a metric exact on any number of processes: counts that do not round, and records put in order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

_Record = TypeVar("_Record")
Arrays: TypeAlias = dict[str, NDArray[Any]]

STEP = 2.0**-24
"""What :func:`to_steps` rounds to: the precision of a float32 near 1."""


def to_steps(values: Tensor) -> Tensor:
    """Floats as int64 multiples of ``STEP``.

    Sums of floats depend on their order, and so on the number of processes; sums of these do not. Values must be
    finite and below 2^20 in size: half a million of them then add up without overflow.
    """
    return (values / STEP).round().long()


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """float32 quotients of two integer tensors, rounded once; nan where both are 0."""
    # Divided on the CPU: not every accelerator has float64, and a float32 cannot hold a count of pixels.
    return (numerator.cpu().double() / denominator.cpu().double()).float().to(numerator.device)


class ExactMetric(Metric):  # type: ignore[misc]
    """What both kinds share.

    Args:
        kwargs: those of ``torchmetrics.Metric``.
    """

    full_state_update = False

    def __init__(self, **kwargs: Any) -> None:
        # With a cache, a process that got no sample since the last compute would answer at once, and the others would
        # wait for it forever.
        super().__init__(compute_with_cache=False, **kwargs)


class CountMetric(ExactMetric):
    """A metric over int64 counts: added up over all processes they are what one process would have counted.

    ``MetricCollection`` takes two metrics for one (its compute groups) whose counts have the same names and, after one
    batch, the same values: counts that an argument of the metric decides should have a name that tells it.
    """

    def add_count(self, name: str, *size: int) -> None:
        """Have int64 counts of shape ``size``, all 0, as the attribute ``name``."""
        self.add_state(name, torch.zeros(size, dtype=torch.long), dist_reduce_fx="sum")

    def increase(self, name: str, by: Tensor) -> None:
        """Add to the counts ``name``."""
        setattr(self, name, getattr(self, name) + by)


class GatheredMetric(ExactMetric, Generic[_Record]):
    """A metric over records, one a sample, which all processes share before it is computed.

    A subclass calls :meth:`add` in ``update`` and reads :meth:`in_order` in ``compute``. The records of all processes
    travel in one ``all_gather_object``, so each process may have any number of samples, or none; they are sorted by
    the sample's place in its split, so the result is the same, bit for bit, on one process and on many.

    The records are no torchmetrics states (``add_state``): those have to be tensors, would be gathered tensor by
    tensor, and could be mistaken by ``MetricCollection`` for the states of another metric (its compute groups).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.records: dict[int, _Record] = {}

    def add(self, index: int, record: _Record) -> None:
        """Keep the record of the sample at place ``index`` of its split.

        Raises:
            ValueError: where that sample has a record already.
        """
        self._merge({index: record})

    def in_order(self) -> list[_Record]:
        """All records, by their sample's place in the split."""
        return [self.records[index] for index in sorted(self.records)]

    def reset(self) -> None:
        """Forget all records."""
        super().reset()
        self.records = {}

    def _merge(self, records: dict[int, _Record]) -> None:
        if twice := self.records.keys() & records.keys():
            raise ValueError(
                f"{type(self).__name__} was given sample {min(twice)} twice: an evaluation sees each sample of its"
                " split once, on one process (was the metric reset?)"
            )
        self.records.update(records)

    # What follows is the protocol by which torchmetrics copies, restores, merges and synchronises a metric's state.

    @property
    def metric_state(self) -> dict[str, Any]:
        """The records, as the one state that ``merge_state`` takes from another metric."""
        return {"records": dict(self.records)}

    def _copy_state_dict(self) -> dict[str, Any]:
        return self.metric_state

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        self._merge(incoming_state["records"])

    def _sync_dist(self, dist_sync_fn: Callable[..., Any] | None = None, process_group: Any | None = None) -> None:
        group = process_group or self.process_group
        gathered: list[Any] = [None] * dist.get_world_size(group)
        dist.all_gather_object(gathered, self.records, group=group)
        self.records = {}
        for records in gathered:
            self._merge(records)


_EXTRAS = ("difficult", "crowd", "area")
"""What a target may have beside its place and its label."""


class DetectionMetric(GatheredMetric[_Record]):
    """A metric over the detections and the objects of each image.

    Args:
        classes: the names of the classes that labels count.
        per_class: report each class's own value too.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True
    geometry: tuple[str, ...] = ("boxes",)
    """The fields that tell where an object is: ``boxes``, ``masks`` or ``keypoints``."""

    def __init__(self, classes: Sequence[str], *, per_class: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = tuple(classes)
        self.per_class = per_class

    @abstractmethod
    def record(self, prediction: Arrays, target: Arrays) -> _Record:
        """What must be kept of one image."""

    def update(self, predictions: Sequence[dict[str, Tensor]], targets: Sequence[dict[str, Tensor]], index: Tensor) -> None:
        """Add B images.

        Args:
            predictions: for each image ``boxes`` (N, 4) float xyxy in pixels, ``labels`` (N,) int64 from 0, ``scores``
                (N,) float, and ``masks`` (N, H, W) uint8 or ``keypoints`` (N, K, 3) float where those are evaluated. Any
                device, any order.
            targets: for each image ``boxes`` (M, 4), ``labels`` (M,) and, where there are any, ``difficult`` (M,) bool,
                ``crowd`` (M,) bool, ``area`` (M,) float in square pixels, ``masks`` (M, H, W) uint8, ``keypoints`` (M, K, 3).
            index: int64 (B,), the place of each image in its split.

        Raises:
            ValueError: where a field is missing or has not one entry an object, a label is no class's, or an image
                comes twice.
        """
        if not len(predictions) == len(targets) == len(index):
            raise ValueError(
                f"{type(self).__name__}.update: one entry an image expected, got {len(predictions)} predictions,"
                f" {len(targets)} targets, {len(index)} indices"
            )
        for place, prediction, target in zip(index.tolist(), predictions, targets, strict=True):
            found = self._arrays(prediction, (*self.geometry, "labels", "scores"), f"prediction of sample {place}")
            there = self._arrays(target, (*self.geometry, "labels"), f"target of sample {place}")
            self.add(place, self.record(found, there))

    def _arrays(self, values: dict[str, Tensor], needed: tuple[str, ...], where: str) -> Arrays:
        if missing := [key for key in needed if key not in values]:
            raise ValueError(f"{where} lacks {missing[0]}: {type(self).__name__} needs {', '.join(needed)}")
        arrays = {key: _array(values[key]) for key in (*needed, *_EXTRAS) if key in values}
        counts = {key: len(array) for key, array in arrays.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"{where}: one entry an object expected in each field, got {counts}")
        labels = arrays["labels"]
        if (strange := labels[(labels < 0) | (labels >= len(self.classes))]).size:
            raise ValueError(f"{where}: label {strange[0]} is out of range, the classes are 0 to {len(self.classes) - 1}")
        return arrays


def _array(value: Tensor) -> NDArray[Any]:
    # NumPy has no bfloat16, which mixed precision leaves in boxes and scores.
    wide = value.to(torch.promote_types(value.dtype, torch.float32)) if value.is_floating_point() else value
    return wide.detach().cpu().numpy().copy()  # a view would keep the whole batch
