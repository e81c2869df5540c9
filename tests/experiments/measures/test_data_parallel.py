"""Two processes against one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from experiments.measures.data_parallel import apart, gradients_alone, gradients_of_processes


@pytest.mark.slow  # two processes import torch
def test_two_processes_have_the_gradient_of_one_where_their_shares_are_equal() -> None:
    rng = torch.Generator().manual_seed(0)
    images, labels = torch.randn(8, 3, 4, 4, generator=rng, dtype=torch.float64), torch.arange(8) % 3
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    equal, unequal = gradients_of_processes([(network, (4, 4)), (network, (6, 2))], images, labels)
    alone = gradients_alone(network, images, labels)
    assert apart(equal, alone) < 1e-12
    assert apart(unequal, alone) > 1e-3
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("shares", [[(4, 4), (2, 3, 3)], [(4, 3)]])
def test_shares_that_cannot_be_are_refused(shares: list[tuple[int, ...]]) -> None:
    shared = [(nn.Linear(1, 1), part) for part in shares]
    with pytest.raises(ValueError, match="8 images expected"):
        gradients_of_processes(shared, torch.zeros(8, 3, 4, 4), torch.zeros(8, dtype=torch.int64))


def test_the_greatest_difference_is_relative_to_the_greatest_entry() -> None:
    expected = [torch.tensor([1.0, -4.0]), torch.tensor([2.0])]
    assert apart([torch.tensor([1.0, -4.0]), torch.tensor([1.0])], expected) == 0.25
