"""VOC's average precision is what the development kits compute."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lightning_modules.metrics.voc import (
    BoxAP,
    Voc2007AP,
    Voc2010AP,
    VocAP,
    area_under_precision,
    eleven_point_precision,
)

CLASSES = ("dog", "cat")
Kit = tuple[int, int, int, int]  # x1, y1, x2, y2: whole pixels, counted from 1, both ends inside
Found = tuple[Kit, int, float]
There = tuple[Kit, int, bool]


def kit_overlap(a: Kit, b: Kit) -> Fraction:
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return Fraction(0)
    areas = [(x2 - x1 + 1) * (y2 - y1 + 1) for x1, y1, x2, y2 in (a, b)]
    return Fraction(width * height, sum(areas) - width * height)


def kit_outcomes(images: list[tuple[list[Found], list[There]]], label: int) -> tuple[list[bool], int]:
    """VOCevaldet.m as loops: which detections are right (those on difficult objects left out), and how many objects."""
    found = [(score, i, box) for i, (dets, _) in enumerate(images) for box, c, score in dets if c == label]
    taken: set[tuple[int, int]] = set()
    right = []
    for _, i, box in sorted(found, key=lambda f: -f[0]):
        best, at = Fraction(-1), -1
        for j, (other, c, _) in enumerate(images[i][1]):
            if c == label and kit_overlap(box, other) > best:
                best, at = kit_overlap(box, other), j
        if best < Fraction(1, 2):
            right.append(False)
        elif not images[i][1][at][2]:
            right.append((i, at) not in taken)
            taken.add((i, at))
    return right, sum(c == label and not difficult for _, objects in images for _, c, difficult in objects)


def curve(right: list[bool], positives: int) -> list[tuple[Fraction, Fraction]]:
    """(recall, precision) after each detection."""
    return [(Fraction(sum(right[:n]), positives), Fraction(sum(right[:n]), n)) for n in range(1, len(right) + 1)]


def kit_2007(right: list[bool], positives: int) -> Fraction:
    points = curve(right, positives)
    return sum(max((p for r, p in points if r >= Fraction(t, 10)), default=Fraction(0)) for t in range(11)) / Fraction(11)


def kit_2010(right: list[bool], positives: int) -> Fraction:
    recall = [Fraction(0), *(r for r, _ in curve(right, positives)), Fraction(1)]
    precision = [Fraction(0), *(p for _, p in curve(right, positives)), Fraction(0)]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum(((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall))), Fraction(0))


def continuous(boxes: list[Kit]) -> Tensor:
    return torch.tensor([(x1 - 1, y1 - 1, x2, y2) for x1, y1, x2, y2 in boxes], dtype=torch.float32).reshape(-1, 4)


def measured(metric: VocAP, images: list[tuple[list[Found], list[There]]]) -> dict[str, float]:
    predictions = [
        {
            "boxes": continuous([box for box, _, _ in dets]),
            "labels": torch.tensor([c for _, c, _ in dets], dtype=torch.long),
            "scores": torch.tensor([score for _, _, score in dets]),
        }
        for dets, _ in images
    ]
    targets = [
        {
            "boxes": continuous([box for box, _, _ in objects]),
            "labels": torch.tensor([c for _, c, _ in objects], dtype=torch.long),
            "difficult": torch.tensor([difficult for _, _, difficult in objects], dtype=torch.bool),
        }
        for _, objects in images
    ]
    metric.update(predictions, targets, torch.arange(len(images)))
    return {key: value.item() for key, value in metric.compute().items()}


@st.composite
def kit_boxes(draw: st.DrawFn) -> Kit:
    x, y = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return x, y, x + draw(st.integers(0, 5)), y + draw(st.integers(0, 5))


labels = st.integers(0, 1)
images = st.lists(
    st.tuples(
        st.lists(st.tuples(kit_boxes(), labels, st.sampled_from([0.25, 0.5, 0.75])), max_size=8),
        st.lists(st.tuples(kit_boxes(), labels, st.booleans()), max_size=5),
    ),
    min_size=1,
    max_size=4,
)


@given(images)
@settings(deadline=None)
def test_both_years_are_those_of_the_kit(images: list[tuple[list[Found], list[There]]]) -> None:
    for metric, kit in ((Voc2007AP(CLASSES, per_class=True), kit_2007), (Voc2010AP(CLASSES, per_class=True), kit_2010)):
        outcomes = [kit_outcomes(images, label) for label in range(2)]
        aps = [float(kit(right, positives)) if positives else math.nan for right, positives in outcomes]
        present = [ap for ap in aps if not math.isnan(ap)]
        expected = {f"mAP_voc{metric.voc.name}": float(np.mean(present)) if present else math.nan}
        expected |= {f"AP_voc{metric.voc.name}/{name}": ap for name, ap in zip(CLASSES, aps, strict=True)}
        assert measured(metric, images) == pytest.approx(expected, abs=1e-6, nan_ok=True)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 10))
@settings(deadline=None)
def test_precision_over_recall_is_summed_exactly(outcomes: list[bool], missed: int) -> None:
    right, positives = np.array(outcomes, bool), sum(outcomes) + missed
    if positives == 0:
        assert math.isnan(eleven_point_precision(right, 0))
        assert math.isnan(area_under_precision(right, 0))
        return
    assert eleven_point_precision(right, positives) == pytest.approx(float(kit_2007(outcomes, positives)), abs=1e-12)
    assert area_under_precision(right, positives) == pytest.approx(float(kit_2010(outcomes, positives)), abs=1e-12)


def test_a_recall_of_just_three_tenths_reaches_its_point() -> None:
    """As floats, 3 * 0.1 > 3 / 10: four of the eleven points (0, .1, .2, .3) have precision 1, not three."""
    assert eleven_point_precision(np.ones(3, bool), 10) == pytest.approx(4 / 11)
    assert area_under_precision(np.ones(3, bool), 10) == pytest.approx(0.3)


BOX: Kit = (1, 1, 10, 10)
AWAY: Kit = (21, 1, 30, 10)


def both(dets: list[Found], objects: list[There]) -> tuple[float, float]:
    """AP of 2007 and of 2010 of one image."""
    images = [(dets, objects)]
    return measured(Voc2007AP(CLASSES), images)["mAP_voc07"], measured(Voc2010AP(CLASSES), images)["mAP_voc10"]


def test_a_duplicate_is_wrong() -> None:
    twice = [(BOX, 0, 0.9), (BOX, 0, 0.8), (AWAY, 0, 0.7)]
    # Precision 1 up to recall 1/2, then 2/3: six points of eleven, and half of the area.
    assert both(twice, [(BOX, 0, False), (AWAY, 0, False)]) == pytest.approx(((6 + 5 * 2 / 3) / 11, 0.5 + 0.5 * 2 / 3))


def test_equal_scores_rank_as_given() -> None:
    right, wrong = (BOX, 0, 0.5), (AWAY, 0, 0.5)
    assert both([right, wrong], [(BOX, 0, False)]) == (1, 1)
    assert both([wrong, right], [(BOX, 0, False)]) == (0.5, 0.5)


def test_difficult_objects_are_passed_over() -> None:
    objects = [(BOX, 0, False), (AWAY, 0, True)]
    assert both([(AWAY, 0, 0.9), (AWAY, 0, 0.8), (BOX, 0, 0.7)], objects) == (1, 1)
    assert both([(BOX, 0, 0.7)], objects) == (1, 1)


def test_a_detection_belongs_to_the_object_it_overlaps_most_even_if_that_is_taken() -> None:
    objects = [(BOX, 0, False), ((1, 1, 10, 14), 0, False)]
    # Both detections overlap the first most: the second is a duplicate, though it overlaps the other by 10 / 14.
    assert both([(BOX, 0, 0.9), (BOX, 0, 0.8)], objects) == pytest.approx((6 / 11, 0.5))


def test_half_an_overlap_is_enough() -> None:
    assert both([((1, 1, 10, 5), 0, 0.9)], [(BOX, 0, False)]) == (1, 1)
    assert both([((1, 1, 10, 4), 0, 0.9)], [(BOX, 0, False)]) == (0, 0)


def test_nothing_found_is_zero_and_nothing_to_find_is_nan() -> None:
    assert both([], [(BOX, 0, False)]) == (0, 0)
    assert all(map(math.isnan, both([(BOX, 0, 0.9)], [])))
    assert all(map(math.isnan, both([(BOX, 0, 0.9)], [(BOX, 0, True)])))
    # Of the classes, the one with an object alone is averaged.
    assert both([(BOX, 0, 0.9), (AWAY, 1, 0.9)], [(BOX, 0, False)]) == (1, 1)


def test_objects_without_a_difficult_flag_all_count() -> None:
    metric = Voc2010AP(CLASSES)
    box = continuous([BOX])
    found = {"boxes": box, "labels": torch.tensor([0]), "scores": torch.tensor([0.9])}
    metric.update([found], [{"boxes": box, "labels": torch.tensor([0])}], torch.tensor([0]))
    assert metric.compute()["mAP_voc10"] == 1


@pytest.mark.parametrize("flag", ["difficult", "crowd"])
@pytest.mark.parametrize("detected", [False, True])
def test_a_region_that_need_not_be_found_is_passed_over_by_every_measure(flag: str, detected: bool) -> None:
    """One object found exactly, and one flagged region that is found, with the higher score, or not: AP is 1."""
    there = {"boxes": torch.tensor([[0.0, 0, 9, 9], [20, 20, 60, 60]]), "labels": torch.tensor([0, 0])}
    rows = [0, 1] if detected else [0]
    found = {"boxes": there["boxes"][rows], "labels": there["labels"][rows], "scores": torch.tensor([0.9, 0.95])[rows]}
    metric = BoxAP(CLASSES)
    metric.update([found], [there | {flag: torch.tensor([False, True])}], torch.tensor([0]))
    values = metric.compute()
    assert [float(values[key]) for key in ("mAP", "mAP_voc07", "mAP_voc10")] == pytest.approx([1, 1, 1])
    alone = BoxAP(CLASSES)
    alone.update([found], [{k: v[1:] for k, v in there.items()} | {flag: torch.tensor([True])}], torch.tensor([0]))
    assert math.isnan(float(alone.compute()["mAP_voc10"]))  # nothing is to be found
