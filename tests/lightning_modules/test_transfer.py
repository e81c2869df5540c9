"""What an evaluation needs of a batch comes to the CPU in one copy."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lightning_modules.transfer import fields_on_cpu, on_cpu


def test_all_dtypes_and_shapes_arrive_as_they_were() -> None:
    random = torch.Generator().manual_seed(0)
    tensors = [
        torch.rand(3, generator=random) > 0.5,
        torch.rand(5, 4, generator=random, requires_grad=True),
        torch.arange(7),
        torch.zeros(0, 4),
        torch.rand(2, 3, generator=random).bfloat16(),
        torch.rand(4, 6, generator=random).double().T,
        torch.tensor(9),
        torch.zeros(0, 8, 8, dtype=torch.uint8),
        torch.randint(0, 2, (3, 5, 7), generator=random, dtype=torch.uint8),
    ]
    for given, moved in zip(tensors, on_cpu(tensors), strict=True):
        assert moved.dtype == given.dtype and moved.shape == given.shape and not moved.requires_grad
        assert torch.equal(moved, given)
    assert on_cpu([]) == []


def test_a_batch_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    copies, plain = [], Tensor.cpu
    monkeypatch.setattr(Tensor, "cpu", lambda tensor: copies.append(tensor.shape) or plain(tensor))
    boxes = [torch.rand(n, 4) for n in (3, 0, 2)]
    found = [{"boxes": b, "labels": torch.arange(len(b)), "elsewhere": torch.zeros(1)} for b in boxes]
    there = [{"boxes": b + 1, "crowd": torch.zeros(len(b), dtype=torch.bool)} for b in boxes]
    (moved, targets), (index,) = fields_on_cpu([found, there], ("boxes", "labels", "crowd"), torch.arange(3))
    assert len(copies) == 1
    assert index.tolist() == [0, 1, 2]
    for given, here in zip([*found, *there], [*moved, *targets], strict=True):
        assert here.keys() == given.keys() - {"elsewhere"}
        assert all(torch.equal(here[name], given[name]) for name in here)
