"""Segmentation scores are what plain loops over pixels count."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lightning_modules.metrics.segmentation import BandAccuracy, SegmentationScores, near_border

CLASSES = ("sky", "road", "car")


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Predictions and truth, (B, H, W)."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)))
    seed, classes = draw(st.integers(0, 2**31)), draw(st.integers(1, 3))
    random = torch.Generator().manual_seed(seed)
    preds = torch.randint(classes, shape, generator=random, dtype=torch.uint8)
    target = torch.randint(classes, shape, generator=random, dtype=torch.uint8)
    return preds, target.masked_fill(torch.rand(shape, generator=random) < draw(st.sampled_from([0, 0.3, 1])), 255)


def mean(values: list[float]) -> float:
    return fmean(values) if values else math.nan


def measured(preds: Tensor, target: Tensor) -> dict[str, float]:
    metric = SegmentationScores(CLASSES)
    metric.update(preds, target)
    return {key: value.item() for key, value in metric.compute().items()}


@given(pairs())
@settings(deadline=None)
def test_scores_are_those_of_a_loop(pair: tuple[Tensor, Tensor]) -> None:
    pixels = [(p, t) for p, t in zip(*(x.flatten().tolist() for x in pair), strict=True) if t != 255]
    ious: dict[str, float] = {}
    accuracies: list[float] = []
    for c, name in enumerate(CLASSES):
        both = sum(p == t == c for p, t in pixels)
        either = sum(c in (p, t) for p, t in pixels)
        ious[f"iou/{name}"] = both / either if either else math.nan
        if true := sum(t == c for _, t in pixels):
            accuracies.append(both / true)
    expected = {
        "miou": mean([iou for iou in ious.values() if not math.isnan(iou)]),
        "pixel_accuracy": mean([p == t for p, t in pixels]),
        "class_accuracy": mean(accuracies),
        **ious,
    }
    assert measured(*pair) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert measured(*(x.long() for x in pair)) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_a_class_that_is_nowhere_is_left_out_of_the_mean() -> None:
    target = torch.tensor([[[0, 0, 1, 255]]])
    got = measured(torch.tensor([[[0, 0, 1, 2]]]), target)
    assert (got["miou"], got["pixel_accuracy"]) == (1, 1)
    assert math.isnan(got["iou/car"])
    # A class that is predicted where it is not counts against the mean.
    assert measured(torch.tensor([[[0, 0, 2, 2]]]), target)["miou"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("value", [-1, 3, 254, 255, 256, 70_000])
def test_a_prediction_out_of_range_is_an_error(value: int) -> None:
    with pytest.raises(ValueError, match="classes are 0 to 2, and 255 is ignore"):
        measured(torch.tensor([[[0, value]]]), torch.tensor([[[0, 1]]]))


@pytest.mark.parametrize("value", [3, 254, 256, 70_000])
def test_a_truth_out_of_range_is_an_error(value: int) -> None:
    with pytest.raises(ValueError, match="classes are 0 to 2, and 255 is ignore"):
        measured(torch.tensor([[[0, 1]]]), torch.tensor([[[0, value]]]))


@pytest.mark.parametrize("metric", [SegmentationScores(CLASSES), BandAccuracy(1)])
def test_masks_of_different_sizes_are_an_error(metric: Any) -> None:
    with pytest.raises(ValueError, match=r"preds are \(1, 2, 2\), target is \(1, 2, 3\)"):
        metric.update(torch.zeros(1, 2, 2).long(), torch.zeros(1, 2, 3).long())


@given(pairs(), st.integers(1, 3))
@settings(deadline=None)
def test_the_band_is_where_another_class_is_near(pair: tuple[Tensor, Tensor], radius: int) -> None:
    preds, target = pair
    images, height, width = target.shape
    right = total = 0
    for i in range(images):
        for y in range(height):
            for x in range(width):
                rows, columns = slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1)
                here, near = target[i, y, x].item(), set(target[i, rows, columns].flatten().tolist())
                if here != 255 and near - {here, 255}:
                    total += 1
                    right += int(preds[i, y, x].item() == here)
    metric = BandAccuracy(radius)
    metric.update(preds, target)
    assert metric.compute().item() == pytest.approx(right / total if total else math.nan, abs=1e-6, nan_ok=True)


def test_the_band_of_a_straight_border_is_two_radii_wide() -> None:
    target = torch.zeros(1, 8, 10).long()
    target[:, :, 5:] = 1
    for radius in (1, 2, 3):
        assert near_border(target, radius)[0].sum(1).tolist() == [2 * radius] * 8


def test_a_shifted_outline_costs_more_in_the_band_than_in_the_image() -> None:
    target = torch.zeros(1, 16, 16, dtype=torch.uint8)
    target[:, 4:12, 4:12] = 1
    preds = target.roll(1, 2)
    metric = BandAccuracy(1)
    metric.update(preds, target)
    assert metric.compute() < 0.8 < 0.9 < measured(preds, target)["pixel_accuracy"]
