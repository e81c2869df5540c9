"""Learning-rate schedules that know the run's length by themselves."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class Schedule(LRScheduler):
    """Multiplies each group's learning rate by a factor of the run's progress, at every optimizer step.

    The task sets ``total_steps`` from the trainer, so that a recipe's schedule fits when its epochs are changed; where a run is
    resumed with another length, the task stretches it.
    """

    total_steps = 1

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__(optimizer)

    @abstractmethod
    def factor(self, progress: float) -> float:
        """The factor at ``progress`` in [0, 1], the part of the run's steps that are done."""

    def stretch(self, total_steps: int) -> None:
        """Gives the schedule another length, and says so; the learning rates are at once those of the steps that are done.

        A resumed run has restored the length that it was begun with: one that is made longer would go on at the old end.
        Where the length is the same, nothing is touched.
        """
        if total_steps == self.total_steps:
            return
        name = type(self).__name__
        rank_zero_info(f"{name} is laid out over {total_steps} steps from here on, and no longer over {self.total_steps}")
        self.total_steps = total_steps
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        self._last_lr = [lr.clone() if isinstance(lr, Tensor) else lr for lr in (g["lr"] for g in self.optimizer.param_groups)]

    def get_lr(self) -> list[float | Tensor]:
        factor = self.factor(min(1.0, self.last_epoch / max(1, self.total_steps)))
        return [base * factor for base in self.base_lrs]


class WarmupCosine(Schedule):
    """Linear warm-up, then half a cosine down to ``final`` (Loshchilov and Hutter 2017, without restarts).

    Args:
        optimizer: given by the task.
        warmup: part of the run in which the rate rises linearly from 1/100 of itself.
        final: factor at the end.
    """

    def __init__(self, optimizer: Optimizer, warmup: float = 0.05, final: float = 0.0) -> None:
        self.warmup, self.final = warmup, final
        super().__init__(optimizer)

    def factor(self, progress: float) -> float:
        if progress < self.warmup:
            return 0.01 + 0.99 * progress / self.warmup
        rest = (progress - self.warmup) / max(1e-12, 1 - self.warmup)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * rest))


class Triangle(Schedule):
    """Linear up to the rate itself, then linear down to 0 (Smith 2017, "Cyclical Learning Rates", one cycle of it).

    Args:
        optimizer: given by the task.
        top: part of the run at which the rate is highest.
    """

    def __init__(self, optimizer: Optimizer, top: float = 0.25) -> None:
        self.top = top
        super().__init__(optimizer)

    def factor(self, progress: float) -> float:
        return progress / self.top if progress < self.top else (1 - progress) / (1 - self.top)


class Steps(Schedule):
    """Multiplies by ``gamma`` at each of the given parts of the run (He et al. 2016, section 4.2: at 1/2 and 3/4)."""

    def __init__(self, optimizer: Optimizer, at: Sequence[float] = (0.5, 0.75), gamma: float = 0.1) -> None:
        self.at, self.gamma = list(at), gamma
        super().__init__(optimizer)

    def factor(self, progress: float) -> float:
        return self.gamma ** sum(progress >= part for part in self.at)
