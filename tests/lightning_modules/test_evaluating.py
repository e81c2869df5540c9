"""Evaluation mode for a while, and draws that depend on seed, epoch and image alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lightning_modules.draws import generator
from lightning_modules.evaluating import evaluating


def test_each_part_comes_back_into_its_own_mode_also_after_an_error() -> None:
    frozen, module = nn.BatchNorm1d(2).eval(), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2))
    module.append(frozen)
    module.training = False  # a part may train where the whole does not
    before = [part.training for part in module.modules()]
    with pytest.raises(KeyError), evaluating(module):
        assert not any(part.training for part in module.modules())
        raise KeyError
    assert [part.training for part in module.modules()] == before and True in before and False in before


def test_draws_are_those_of_the_key_and_the_run_s_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def numbers(seed: int, *key: int) -> list[int]:
        monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
        return torch.randperm(1000, generator=generator(*key)).tolist()

    assert numbers(3, 1, 2) == numbers(3, 1, 2)
    different = [numbers(3, 1, 2), numbers(3, 2, 1), numbers(4, 1, 2), numbers(3, 1, 3), numbers(3, 7)]
    assert len({tuple(draws) for draws in different}) == len(different)
    state = torch.random.get_rng_state()
    numbers(0, 5)
    assert torch.equal(torch.random.get_rng_state(), state)
