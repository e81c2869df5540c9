"""Operations on boxes against those that they stand for."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import batched_nms

from lightning_modules.networks.boxes import first_of_nms


@given(st.integers(0, 300), st.integers(1, 40), st.floats(0.05, 0.95), st.floats(1, 40), st.integers(1, 3), st.integers(0, 99))
def test_the_first_boxes_are_those_that_all_of_non_maximum_suppression_begins_with(
    number: int, count: int, threshold: float, side: float, groups: int, seed: int
) -> None:
    """Whether the boxes are many or few, apart or on top of each other, and more or fewer than are wanted."""
    rng = torch.Generator().manual_seed(seed)
    corners = 50 * torch.rand(number, 2, generator=rng)
    boxes = torch.cat([corners, corners + side * (0.1 + torch.rand(number, 2, generator=rng))], 1)
    scores = torch.linspace(1, 0, number)
    group = torch.randint(groups, (number,), generator=rng)
    expected = batched_nms(boxes, scores, group, threshold)[:count]
    assert first_of_nms(boxes, scores, group, (100, 100), threshold, count).equal(expected)
