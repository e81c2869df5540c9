"""Multi-label average precision against scikit-learn's definition, written as a loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.classification import MultilabelF1Score

from lightning_modules.metrics.multilabel import MultiLabelAP, MultiLabelF1


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


def test_f1_leaves_out_what_nothing_shows_and_is_scikit_learn_s_over_the_rest() -> None:
    metric = MultiLabelF1(10)
    truth = torch.zeros(2, 10, dtype=torch.long)
    truth[0, 0] = truth[1, 1] = truth[1, 2] = 1
    metric.update(truth.float(), truth)
    assert float(metric.compute()) == 1
    generator = torch.Generator().manual_seed(0)
    scores, truth = torch.rand(40, 5, generator=generator), torch.randint(-1, 2, (40, 5), generator=generator)
    truth[:, 3] = truth[:, 3].clamp(max=0)  # nobody shows it, and it is predicted: no class of the mean
    own, whole = MultiLabelF1(5), MultilabelF1Score(5, average="none", ignore_index=-1)
    own.update(scores, truth)
    whole.update(scores, truth)
    assert float(own.compute()) == pytest.approx(float(whole.compute()[[0, 1, 2, 4]].mean()), abs=1e-6)
    none = MultiLabelF1(2)
    none.update(torch.ones(3, 2), torch.zeros(3, 2, dtype=torch.long))
    assert float(none.compute()) == -1


def test_f1_is_torchmetrics_own_to_the_bit_where_every_class_occurs() -> None:
    generator = torch.Generator().manual_seed(1)
    scores, truth = torch.rand(64, 7, generator=generator), torch.randint(0, 2, (64, 7), generator=generator)
    own, whole = MultiLabelF1(7), MultilabelF1Score(7)
    for metric in (own, whole):
        metric.update(scores, truth)
    assert torch.equal(own.compute(), whole.compute())
