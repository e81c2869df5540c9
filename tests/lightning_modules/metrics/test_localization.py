"""Localization scores are what a plain loop over images counts."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.metrics.localization import LocalizationScores

Box = tuple[int, int, int, int]


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    return x, y, x + draw(st.integers(1, 6)), y + draw(st.integers(1, 6))


def overlap(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(width, 0) * max(height, 0)
    return inside / (sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b)) - inside)


def measured(images: list[Any], logits: bool = False) -> dict[str, float]:
    metric = LocalizationScores()
    label, box, target_label, target_box = map(torch.tensor, zip(*images, strict=True))
    metric.update(torch.eye(9)[label] if logits else label, box.float(), target_label, target_box.float())
    return {key: value.item() for key, value in metric.compute().items()}


def mean(values: list[float]) -> float:
    return fmean(values) if values else math.nan


@given(st.lists(st.tuples(st.integers(0, 2), boxes(), st.integers(0, 2), boxes()), min_size=1, max_size=12))
@settings(deadline=None)
def test_scores_are_those_of_a_loop(images: list[tuple[int, Box, int, Box]]) -> None:
    scored = [(label == truth, overlap(box, target)) for label, box, truth, target in images]
    expected = {
        "iou": mean([iou for _, iou in scored]),
        "iou_right_class": mean([iou for right, iou in scored if right]),
        "iou_wrong_class": mean([iou for right, iou in scored if not right]),
        "class_error": mean([not right for right, _ in scored]),
        "localization_error": mean([not (right and iou >= 0.5) for right, iou in scored]),
    }
    assert measured(images) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert measured(images, logits=True) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_half_an_overlap_with_the_right_class_is_enough() -> None:
    whole, half, less = (0, 0, 10, 10), (0, 0, 10, 5), (0, 0, 10, 4.9)
    assert measured([(1, half, 1, whole)])["localization_error"] == 0
    assert measured([(1, less, 1, whole)])["localization_error"] == 1
    assert measured([(2, whole, 1, whole)]) == pytest.approx(
        {"iou": 1, "iou_right_class": math.nan, "iou_wrong_class": 1, "class_error": 1, "localization_error": 1}, nan_ok=True
    )


@pytest.mark.parametrize("box", [(5.0, 5.0, 1.0, 1.0), (math.nan,) * 4, (math.inf,) * 4, (3.0, 3.0, 3.0, 3.0)])
def test_a_box_that_is_none_overlaps_nothing(box: tuple[float, ...]) -> None:
    images = [(1, box, 1, (0.0, 0.0, 10.0, 10.0)), (1, (0.0, 0.0, 10.0, 10.0), 1, (0.0, 0.0, 10.0, 10.0))]
    got = measured(images)
    assert (got["iou"], got["localization_error"]) == (0.5, 0.5)


def test_a_batch_without_a_main_object_changes_nothing() -> None:
    metric, none = LocalizationScores(), torch.zeros(0, dtype=torch.long)
    metric.update(none, torch.zeros(0, 4), none, torch.zeros(0, 4))
    assert all(value.isnan() for value in metric.compute().values())
