"""What no gradient renews is forgotten: weight decay halves a weight every ln 2 / (γλ) steps.

Deck “CNN, R-CNN”, slide “Nonlinearity – Activation function”; Loshchilov & Hutter 2019: an L2 term in the loss and decay of the
weights are the same for plain SGD, and are not for Adam.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check

LR, DECAY = 0.01, 0.1
SLOW = LR / 100
"""So slow that a velocity follows its weight."""


def weights_over(steps: int, make: Callable[[list[Tensor]], torch.optim.Optimizer], *, l2_in_loss: bool = False) -> float:
    """A weight that starts at 1 and has no gradient but, if asked, that of DECAY/2 · w² in the loss."""
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = make([weight])
    for _ in range(steps):
        weight.grad = DECAY * weight.detach() if l2_in_loss else torch.zeros_like(weight)
        optimizer.step()
    return float(weight.detach())


def half_life(decay: float) -> int:
    """The first step after which a weight without gradient is at most half of what it was."""
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=LR, weight_decay=decay)
    for step in range(1, 100_000):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        if float(weight.detach()) <= 0.5:
            return step
    raise ArithmeticError(f"a decay of {decay} halves no weight in 100,000 steps")


def checks() -> list[Check]:
    def sgd(parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=LR, weight_decay=DECAY)

    def adam(parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=LR)

    def adamw(parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=LR, weight_decay=DECAY)

    def momentum(parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=SLOW, momentum=0.9, weight_decay=DECAY)

    lives = [
        Check(f"half-life in steps at γ = {LR:g}, λ = {decay:g}", half_life(decay), math.log(2) / (LR * decay), 0.01)
        for decay in (0.03, 0.1, 0.3)
    ]
    apart = abs(weights_over(100, adam, l2_in_loss=True) - weights_over(100, adamw))
    # With momentum κ each step's pull goes on for 1/(1-κ) steps: rates of decay are 1/(1-κ) times as high.
    early = -math.log(weights_over(10, momentum)) / 10
    late = -math.log(weights_over(1000, momentum) / weights_over(500, momentum)) / 500
    return [
        Check("a weight after 50 steps of decay, (1 - γλ)⁵⁰", weights_over(50, sgd), (1 - LR * DECAY) ** 50, 1e-12),
        *lives,
        Check(
            "SGD with an L2 term in the loss, 50 steps",
            weights_over(50, lambda p: torch.optim.SGD(p, lr=LR), l2_in_loss=True),
            weights_over(50, sgd),
            1e-12,
        ),
        Check.yes_or_no("Adam with an L2 term in the loss forgets as AdamW does", apart < 0.01, "no", beyond=True),
        Check(
            "with momentum 0.9 forgetting is 1/(1 - κ) times as fast",
            late / (SLOW * DECAY),
            10.0,
            0.01,
            lecture="momentum is not considered",
            beyond=True,
        ),
        Check.yes_or_no("and slower at first, before the velocity is there", early < 0.9 * late, "yes", beyond=True),
    ]


study = Exact(
    claim="A11",
    says="Regularization has the interpretation of gradual forgetting",
    slide="Nonlinearity – Activation function",
    paper="Loshchilov & Hutter 2019, propositions 1 and 2.",
    checks=checks,
    amendments=(Amendment("2026-11-26", "what Adam and momentum make of it is beyond the lecture"),),
)
