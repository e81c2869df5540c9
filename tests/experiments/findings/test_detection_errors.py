"""Errors of detectors by type: by hand, against a plain loop, and against what the metric has matched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.findings.detection import objects_of
from experiments.findings.detection_errors import ImageObjects, Outcome, confusion_of_image, errors_of
from experiments.findings.detection_tables import (
    best_threshold,
    mean_ap50,
    precision_curves,
    precisions_by_class,
    right_at_half,
)
from lightning_modules.metrics.matching import together
from lightning_modules.metrics.voc import BoxAP

CAT, DOG = 0, 1
NAMES = ("cat", "dog")
OBJECT = [0.0, 0.0, 10.0, 10.0]


def image(
    found: list[tuple[list[float], int]], there: list[tuple[list[float], int]], ignored: list[bool] | None = None
) -> ImageObjects:
    """Detections by descending score, and objects, each a box and a label."""
    return ImageObjects(
        np.array([box for box, _ in found], np.float32).reshape(-1, 4),
        np.array([label for _, label in found], np.int64),
        np.array([box for box, _ in there], np.float32).reshape(-1, 4),
        np.array([label for _, label in there], np.int64),
        np.array(ignored or [False] * len(there), bool),
    )


HALF = [0.0, 0.0, 10.0, 5.0]
"""IoU 0.5 with the object."""
PART = [0.0, 0.0, 10.0, 4.0]
"""IoU 0.4."""
SLIVER = [0.0, 0.0, 10.0, 0.5]
"""IoU 0.05."""
ELSEWHERE = [50.0, 50.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("box", "label", "right", "expected"),
    [
        (HALF, CAT, True, Outcome.RIGHT),
        (PART, CAT, False, Outcome.LOCALIZATION),
        (HALF, DOG, False, Outcome.CLASS),
        (PART, DOG, False, Outcome.BOTH),
        (SLIVER, CAT, False, Outcome.BACKGROUND),
        (SLIVER, DOG, False, Outcome.BACKGROUND),
        (ELSEWHERE, CAT, False, Outcome.BACKGROUND),
    ],
)
def test_one_detection_and_one_cat(box: list[float], label: int, right: bool, expected: Outcome) -> None:
    errors = errors_of(image([(box, label)], [(OBJECT, CAT)]), np.array([right]), np.array([True]))
    assert errors.outcomes.tolist() == [expected]
    assert errors.missed.tolist() == [not right]
    assert errors.covered.tolist() == [expected in (Outcome.LOCALIZATION, Outcome.CLASS)]


def test_the_second_detection_of_an_object_is_a_duplicate() -> None:
    errors = errors_of(image([(OBJECT, CAT), (HALF, CAT)], [(OBJECT, CAT)]), np.array([True, False]), np.array([True, True]))
    assert errors.outcomes.tolist() == [Outcome.RIGHT, Outcome.DUPLICATE] and not errors.missed.any()


def test_what_is_passed_over_is_no_error_and_is_not_missed() -> None:
    crowd = image([(OBJECT, CAT)], [(OBJECT, CAT)], [True])
    errors = errors_of(crowd, np.array([False]), np.array([False]))
    assert errors.outcomes.tolist() == [Outcome.IGNORED] and not errors.missed.any()
    assert confusion_of_image(crowd, errors, 2) == []


def test_an_image_without_objects_has_only_background() -> None:
    errors = errors_of(image([(OBJECT, CAT)], []), np.array([False]), np.array([True]))
    assert errors.outcomes.tolist() == [Outcome.BACKGROUND]
    assert confusion_of_image(image([(OBJECT, CAT)], []), errors, 2) == [(2, CAT)]


def test_an_object_that_nobody_finds_is_taken_for_the_background() -> None:
    missed = image([], [(OBJECT, DOG)])
    none = np.zeros(0, bool)
    assert confusion_of_image(missed, errors_of(missed, none, none), 2) == [(DOG, 2)]


def test_an_object_is_taken_for_one_other_class_and_the_second_is_background() -> None:
    two = image([(OBJECT, DOG), (HALF, DOG)], [(OBJECT, CAT)])
    errors = errors_of(two, np.array([False, False]), np.array([True, True]))
    assert sorted(confusion_of_image(two, errors, 2)) == [(CAT, DOG), (2, DOG)]


boxes = st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 8)] * 2).map(lambda v: [v[0], v[1], v[0] + v[2], v[1] + v[3]])
objects = st.lists(st.tuples(boxes, st.integers(0, 1), st.booleans()), max_size=5)
detections = st.lists(st.tuples(boxes, st.integers(0, 1), st.integers(1, 9)), max_size=8)


def metric_of(images: list[tuple[list, list]]) -> tuple[BoxAP, list[ImageObjects]]:
    metric, kept = BoxAP(NAMES, per_class=True), []
    for place, (found, there) in enumerate(images):
        prediction = {
            "boxes": torch.tensor([b for b, _, _ in found], dtype=torch.float32).reshape(-1, 4),
            "labels": torch.tensor([c for _, c, _ in found], dtype=torch.long),
            "scores": torch.tensor([s / 10 for *_, s in found], dtype=torch.float32),
        }
        target = {
            "boxes": torch.tensor([b for b, _, _ in there], dtype=torch.float32).reshape(-1, 4),
            "labels": torch.tensor([c for _, c, _ in there], dtype=torch.long),
            "difficult": torch.tensor([d for *_, d in there], dtype=torch.bool),
        }
        metric.update([prediction], [target], torch.tensor([place]))
        kept.append(objects_of(prediction, target))
    return metric, kept


@given(st.lists(st.tuples(detections, objects), min_size=1, max_size=3))
@settings(max_examples=150)
def test_types_and_confusion_agree_with_the_metric_and_with_a_plain_loop(images: list[tuple[list, list]]) -> None:
    metric, kept = metric_of(images)
    for place, own in enumerate(kept):
        right, counts = right_at_half(metric.records[place].found)
        errors = errors_of(own, right, counts)
        assert errors.outcomes.tolist() == plain_outcomes(own, right, counts)
        pairs = confusion_of_image(own, errors, 2)
        # Each object that is to be found is in a row once, and each detection that counts in a column once.
        there = sorted(own.true_labels[~own.ignored].tolist())
        assert sorted(truth for truth, _ in pairs if truth != 2) == there
        assert sorted(said for _, said in pairs if said != 2) == sorted(own.labels[counts].tolist())
        assert sum(truth == said for truth, said in pairs) == right.sum()


def plain_outcomes(own: ImageObjects, right: np.ndarray, counts: np.ndarray) -> list[int]:
    """The same, object by object."""
    said = []
    for d in range(len(own.labels)):
        same, others = [0.0], [0.0]
        for g in range(len(own.true_labels)):
            if not own.ignored[g]:
                (same if own.labels[d] == own.true_labels[g] else others).append(plain_iou(own.boxes[d], own.true_boxes[g]))
        if right[d]:
            said.append(Outcome.RIGHT)
        elif not counts[d]:
            said.append(Outcome.IGNORED)
        elif 0.1 <= max(same) < 0.5:
            said.append(Outcome.LOCALIZATION)
        elif max(others) >= 0.5:
            said.append(Outcome.CLASS)
        elif max(same) >= 0.5:
            said.append(Outcome.DUPLICATE)
        else:
            said.append(Outcome.BACKGROUND if max(same + others) < 0.1 else Outcome.BOTH)
    return [int(outcome) for outcome in said]


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, float(width)) * max(0.0, float(height))
    return common / (float((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])) - common)


@given(st.lists(st.tuples(detections, objects), min_size=1, max_size=4))
@settings(max_examples=60)
def test_precision_by_class_is_the_metric_s_own(images: list[tuple[list, list]]) -> None:
    metric, _ = metric_of(images)
    measured = metric.compute()
    table = together(metric.in_order())
    own = precisions_by_class(table, len(NAMES))
    for c, name in enumerate(NAMES):
        expected = float(measured[f"AP/{name}"])
        assert np.isnan(own[c, 0]) if expected == -1 else own[c, 0] == pytest.approx(expected, abs=1e-6)
    assert mean_ap50(table, len(NAMES)) == pytest.approx(float(measured["mAP50"]), abs=1e-6)
    for line in precision_curves(table, NAMES).series[-1:]:
        known = own[NAMES.index(line.name), 1]
        assert np.mean(line.y) == pytest.approx(known, abs=1e-6)


@given(st.lists(st.tuples(detections, objects), min_size=1, max_size=3))
@settings(max_examples=60)
def test_the_threshold_is_the_one_of_the_best_f1(images: list[tuple[list, list]]) -> None:
    metric, _ = metric_of(images)
    table = together(metric.in_order())
    right, counts = right_at_half(table.found)
    scores, positives = table.found["score"], int(table.there["counts"][:, 0].sum())

    def f1(threshold: float) -> float:
        said = counts & (scores >= threshold)
        return 2 * float((right & said).sum()) / max(1, said.sum() + positives)

    best = best_threshold(table)
    if best is None:
        assert not right.any()
    else:
        assert f1(best) == max(f1(float(score)) for score in scores)
