"""What makes a metric exact on any number of processes: counts that do not round, and records put in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

_Record = TypeVar("_Record")

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
