"""The proximal step of an L1 penalty."""

from __future__ import annotations

import torch
from torch import nn

from lightning_modules.optimizers import ProximalSGD


def test_a_step_is_that_of_sgd_and_then_shrinks_each_weight_towards_zero() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -1.0, 0.02, -0.02, 0.0]))
    optimizer = ProximalSGD([weight], lr=0.1, l1=0.5)
    (0.3 * weight[0]).backward()
    optimizer.step()
    torch.testing.assert_close(weight.data, torch.tensor([1 - 0.03 - 0.05, -0.95, 0.0, 0.0, 0.0]))


def test_it_finds_the_minimum_of_a_quadratic_with_an_l1_penalty() -> None:
    """argmin (w - t)² / 2 + l1 |w| is soft thresholding of t; below the threshold it is exactly zero."""
    target = torch.tensor([2.0, -0.7, 0.3, -0.1])
    weight = nn.Parameter(torch.ones(4))
    optimizer = ProximalSGD([weight], lr=0.2, l1=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        ((weight - target) ** 2 / 2).sum().backward()
        optimizer.step()
    torch.testing.assert_close(weight.data, torch.tensor([1.5, -0.2, 0.0, 0.0]))
    assert (weight == 0).sum() == 2
