"""The losses between two loggings, which an interrupted run must not lose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from pytorch_lightning.strategies import Strategy
from torch import Tensor

from .distributed import gather_objects
from .transfer import on_cpu


class RunningLosses:
    """Sums of a rank's losses since the last logging; on the device, since reading one each step would wait for it."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.logged_step = 0
        self.epoch = 0
        """That of the checkpoint: at an epoch's end a resumed run counts as in the next one already."""

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Counts one step's losses, detached."""
        for name, value in losses.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.count += 1

    def due_means(self, step: int, every: int) -> dict[str, Tensor]:
        """The means since the last logging, by ``train/<name>``, where ``step`` is one to log; otherwise nothing.

        Args:
            step: optimizer steps done.
            every: between two loggings; 0 logs no step.
        """
        if every == 0 or step == self.logged_step or step % every:
            return {}
        means = {f"train/{name}": value / self.count for name, value in self.sums.items()}
        self.sums, self.count, self.logged_step = {}, 0, step
        return means

    def state(self, epoch: int) -> dict[str, Any]:
        """What a checkpoint keeps. Each rank has sums of its own, and every rank comes by here."""
        sums = gather_objects({name: value.cpu() for name, value in self.sums.items()})
        return {"sums": sums, "count": self.count, "logged_step": self.logged_step, "epoch": epoch}

    def load(self, state: Mapping[str, Any], rank: int, ranks: int, device: torch.device) -> None:
        """Goes on from what :meth:`state` gave; where the ranks are of another number, each takes the mean."""
        sums: list[dict[str, Tensor]] = state["sums"]
        same = len(sums) == ranks
        own = sums[rank] if same else {name: torch.stack([part[name] for part in sums]).mean(0) for name in sums[0]}
        self.sums = {name: value.to(device) for name, value in own.items()}
        self.count, self.logged_step, self.epoch = state["count"], state["logged_step"], state["epoch"]


def over_ranks(means: Mapping[str, Tensor], strategy: Strategy) -> dict[str, Tensor]:
    """Their means over all ranks, on the CPU: Lightning reads what was logged last at every step, and would wait for a GPU."""
    every = [torch.as_tensor(strategy.reduce(value, reduce_op="mean")) for value in means.values()]
    return dict(zip(means, on_cpu(every), strict=True))
