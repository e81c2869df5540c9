"""Optimizers that torch lacks."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch.optim import SGD
from torch.optim.optimizer import ParamsT


class ProximalSGD(SGD):
    """SGD with momentum, then the proximal step of an L1 penalty: w ← sign(w) · max(|w| − lr · l1, 0).

    The penalty's subgradient, l1 · sign(w), would make weights jump around zero and leave hardly any at it; the proximal step
    (soft thresholding; Parikh & Boyd 2014, "Proximal algorithms", section 6.5.2) sets them to exactly 0. It stands outside the
    momentum, so that with momentum κ it weighs (1 − κ) times what the same factor in the loss would.

    Args:
        params: given by the task.
        lr: learning rate.
        momentum: of the gradient.
        l1: weight of the sum of absolute values.
    """

    def __init__(self, params: ParamsT, lr: float = 1e-3, momentum: float = 0.0, l1: float = 0.0) -> None:
        super().__init__(params, lr=lr, momentum=momentum)
        self.l1 = l1

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = cast(Any, super().step)(closure)
        for group in self.param_groups:
            for weight in group["params"]:
                weight.copy_(weight.sign() * (weight.abs() - group["lr"] * self.l1).clamp(min=0))
        return loss
