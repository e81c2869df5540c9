"""Multi-label average precision against scikit-learn's definition, written as a loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.metrics.multilabel import MultiLabelAP


def by_hand(scores: list[float], truth: list[int]) -> float:
    """The sum over positives, in falling order of distinct scores, of the precision at each."""
    judged = sorted(((s, t) for s, t in zip(scores, truth, strict=True) if t >= 0), reverse=True)
    positives = sum(t for _, t in judged)
    return sum(sum(t2 for _, t2 in judged[: i + 1]) / (i + 1) for i, (_, t) in enumerate(judged) if t) / positives


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9999), st.sampled_from([-1, 0, 1])), min_size=1, max_size=12, unique_by=lambda x: x[0])
)
def test_one_class_is_the_sum_over_its_positives(pairs: list[tuple[int, int]]) -> None:
    scores, truth = [s / 10_000 for s, _ in pairs], [t for _, t in pairs]
    metric = MultiLabelAP()
    metric.update(torch.tensor(scores)[:, None], torch.tensor(truth)[:, None], torch.arange(len(pairs)))
    expected = by_hand(scores, truth) if 1 in truth else -1
    assert float(metric.compute()["map"]) == pytest.approx(expected, abs=1e-5)


def test_a_class_that_nothing_shows_is_left_out() -> None:
    metric = MultiLabelAP()
    truth = torch.tensor([[1, 0, -1], [0, 0, -1]])
    metric.update(torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.9, 0.3]]), truth, torch.arange(2))
    assert float(metric.compute()["map"]) == 1
