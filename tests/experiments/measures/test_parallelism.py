"""Work and span of what is known by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from experiments.measures.parallelism import WorkAndSpan, work_and_span


def test_a_matrix_product_is_two_operations_for_each_product() -> None:
    a, b = torch.zeros(8, 32), torch.zeros(32, 4)
    assert work_and_span(lambda: a @ b) == WorkAndSpan(2 * 8 * 32 * 4, 1 + 11)


def test_what_waits_adds_to_the_chain_and_what_does_not_adds_to_the_work_alone() -> None:
    a, b = torch.zeros(64), torch.zeros(64)
    one, two, side = (work_and_span(f) for f in (lambda: a.exp(), lambda: a.exp().exp(), lambda: (a.exp(), b.exp())))
    assert two == WorkAndSpan(2 * one.work, 2 * one.span)
    assert side == WorkAndSpan(2 * one.work, one.span)


def test_what_is_changed_in_place_is_waited_for() -> None:
    a = torch.zeros(64)
    found = work_and_span(lambda: a.add_(1).view(8, 8).mul_(2))
    assert found.work == 2 * 64 and found.span == 2 * 7


def test_a_view_costs_nothing() -> None:
    assert work_and_span(lambda: torch.zeros(2, 3).view(6).unsqueeze(0)).span <= 1 + 3


def test_twice_the_images_are_twice_the_work_and_hardly_a_longer_chain() -> None:
    def step(images: int) -> WorkAndSpan:
        with torch.device("meta"):
            network, batch = (
                nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10)),
                torch.empty(images, 3, 8, 8),
            )
            return work_and_span(lambda: network(batch).sum().backward())

    few, many = step(16), step(32)
    assert many.work == pytest.approx(2 * few.work, rel=0.05)
    assert few.span < many.span < few.span + 20
    assert many.speedup(64) > few.speedup(64) > 32


def test_an_empty_or_one_long_chain_gains_nothing() -> None:
    assert WorkAndSpan(100, 100).speedup(10**9) == pytest.approx(1)
    assert WorkAndSpan(100, 0).speedup(4) == 4
