"""Means over counted things, which travel undivided: what was added up, and how many there were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from .distributed import gather_objects


@dataclass(frozen=True, eq=False, slots=True)
class Mean:
    """A mean over counted things (pixels, keypoints, regions, images), not divided yet.

    Micro-batches, ranks and evaluation batches count different numbers of things, so the mean of their means is not the mean
    of all. Both parts add up, and are divided once. A weight of the loss is a factor of ``total``.
    """

    total: Tensor
    """float (), the sum over all of them; 0, and still with a gradient, where there are none."""
    count: Tensor
    """int64 (). Means over the same things hold the same tensor: :class:`lightning_modules.accumulation.Step` then has one
    backward pass for all of them."""

    @classmethod
    def of(cls, values: Tensor) -> Mean:
        """The mean of all ``values``."""
        return cls(values.sum(), counted(values.numel(), values))

    @property
    def value(self) -> Tensor:
        """float (): the mean; 0 where nothing was counted."""
        return self.total / self.count.clamp(min=1)


def counted(number: int, like: Tensor) -> Tensor:
    """A count as :class:`Mean` takes it, on the device of ``like``."""
    return torch.full((), number, dtype=torch.long, device=like.device)  # unlike torch.tensor, no wait for a GPU


def full_precision(values: Tensor) -> Tensor:
    """Half precision as float32; float32 and float64 as they are."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def values(losses: dict[str, Mean]) -> dict[str, Tensor]:
    """Each mean, by name."""
    return {name: mean.value for name, mean in losses.items()}


def with_total(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses by name, and under ``loss`` their sum."""
    first, *others = losses.values()
    return {**losses, "loss": sum(others, first)}


def mean_losses(batches: Iterable[dict[str, Mean]]) -> dict[str, float]:
    """Each loss over all batches of all ranks, by name, and under ``loss`` their sum; a rank may have no batch."""
    own: dict[str, tuple[float, int]] = {}
    for losses in batches:
        for name, mean in losses.items():
            total, count = own.get(name, (0.0, 0))
            own[name] = total + float(mean.total), count + int(mean.count)
    gathered = gather_objects(own)
    parts = {name: [part[name] for part in gathered if name in part] for part in gathered for name in part}
    means = {name: sum(t for t, _ in each) / max(1, sum(c for _, c in each)) for name, each in parts.items()}
    return {**means, "loss": sum(means.values())} if means else {}
