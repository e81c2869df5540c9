"""PCK and the keypoint error count what plain loops over instances and keypoints count."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lightning_modules.metrics.pose import PCK, BoxPCK, KeypointError, PCKh, TorsoPCK

KEYPOINTS = ("right_hip", "left_shoulder", "neck", "head_top", "left_wrist")


def measured(metric: PCK | KeypointError, *batches: dict[str, Tensor]) -> dict[str, float]:
    for batch in batches:
        metric.update(**batch)
    return {key: value.item() for key, value in metric.compute().items()}


def batch(keypoints: list[Any], target: list[Any], **boxes: list[Any]) -> dict[str, Tensor]:
    named = {"keypoints": keypoints, "target": target, **boxes}
    return {key: torch.tensor(value, dtype=torch.float32) for key, value in named.items()}


points = st.tuples(st.integers(0, 12), st.integers(0, 12))
keypoints = st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from([0, 1, 2]))
instances = st.lists(
    st.tuples(
        st.lists(points, min_size=5, max_size=5),
        st.lists(keypoints, min_size=5, max_size=5),
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(5, 15), st.integers(5, 15)),
    ),
    min_size=1,
    max_size=5,
)


def share(right: float, labelled: int) -> float:
    return right / labelled if labelled else math.nan


@given(instances)
@settings(deadline=None, max_examples=50)
def test_pck_is_a_count_over_figures_and_keypoints(instances: list[Any]) -> None:
    keypoints, target, boxes = map(list, zip(*instances, strict=True))

    def torso(true: list[Any], box: Any) -> float:
        ends = [true[KEYPOINTS.index(end)] for end in ("left_shoulder", "right_hip")]
        return math.dist(ends[0][:2], ends[1][:2]) if ends[0][2] and ends[1][2] else 0

    def head(true: list[Any], box: Any) -> float:
        return math.dist(true[2][:2], true[3][:2]) if true[2][2] and true[3][2] else 0

    def side(true: list[Any], box: Any) -> float:
        return float(max(box[2] - box[0], box[3] - box[1]))

    # Thresholds at which no distance of whole points is a tie that float32 could round either way.
    for metric, length, extra in (
        (TorsoPCK(KEYPOINTS, [0.313, 0.97]), torso, {}),
        (PCKh(KEYPOINTS, [0.313, 0.97]), head, {}),
        (BoxPCK(KEYPOINTS, [0.313, 0.97]), side, {"boxes": boxes}),
    ):
        right, labelled = {t: [0] * 5 for t in (0.313, 0.97)}, [0] * 5
        left_out = 0
        for found, true, box in instances:
            size = length(true, box)
            left_out += size == 0 and any(v for _, _, v in true)
            for k, (x, y, v) in enumerate(true):
                if v and size:
                    labelled[k] += 1
                    for t in right:
                        right[t][k] += math.dist(found[k], (x, y)) <= t * size
        expected = {f"{metric.name}_left_out": float(left_out)}
        for t, counts in right.items():
            expected[f"{metric.name}{100 * t:g}"] = share(sum(counts), sum(labelled))
            for k, keypoint in enumerate(KEYPOINTS):
                expected[f"{metric.name}{100 * t:g}/{keypoint}"] = share(counts[k], labelled[k])
        got = measured(metric, batch(keypoints, target, **extra))
        assert got == pytest.approx(expected, abs=1e-6, nan_ok=True)


@given(instances)
@settings(deadline=None, max_examples=50)
def test_the_keypoint_error_is_the_mean_distance(instances: list[Any]) -> None:
    keypoints, target, _ = map(list, zip(*instances, strict=True))
    distances: list[list[float]] = [
        [math.dist(found[k], true[k][:2]) for found, true in zip(keypoints, target, strict=True) if true[k][2]]
        for k in range(5)
    ]
    expected = {f"keypoint_error/{keypoint}": share(sum(d), len(d)) for keypoint, d in zip(KEYPOINTS, distances, strict=True)}
    expected["keypoint_error"] = share(sum(sum(d) for d in distances), sum(len(d) for d in distances))
    assert measured(KeypointError(KEYPOINTS), batch(keypoints, target)) == pytest.approx(expected, abs=1e-5, nan_ok=True)


INSTANCE = [[0, 0, 2], [0, 10, 2], [0, 12, 2], [0, 16, 2], [8, 8, 1]]  # torso 10, head 4


def test_usual_thresholds_and_keys() -> None:
    wrist_off = [keypoint[:2] for keypoint in INSTANCE[:4]] + [[8, 9.5]]
    torso = measured(TorsoPCK(KEYPOINTS), batch([wrist_off], [INSTANCE]))
    assert (torso["PCK10"], torso["PCK20"]) == pytest.approx((0.8, 1.0))
    assert (torso["PCK10/left_wrist"], torso["PCK20/left_wrist"], torso["PCK_left_out"]) == (0, 1, 0)
    assert measured(PCKh(KEYPOINTS), batch([wrist_off], [INSTANCE]))["PCKh50"] == 1
    box = measured(BoxPCK(KEYPOINTS), batch([wrist_off], [INSTANCE], boxes=[[0, 0, 8, 16]]))
    assert (box["PCKbox10"], box["PCKbox20"]) == pytest.approx((1, 1))


def test_a_keypoint_just_at_the_threshold_is_right() -> None:
    at_two = [keypoint[:2] for keypoint in INSTANCE[:4]] + [[8, 10]]
    assert measured(TorsoPCK(KEYPOINTS, [0.5]), batch([[*at_two[:4], [8, 13]]], [INSTANCE]))["PCK50/left_wrist"] == 1
    assert measured(PCKh(KEYPOINTS), batch([at_two], [INSTANCE]))["PCKh50/left_wrist"] == 1


def test_figures_without_a_measure_are_left_out_and_reported() -> None:
    unlabelled = [[*keypoint[:2], 0] if k == 0 else keypoint for k, keypoint in enumerate(INSTANCE)]
    flat = [[0, 10, 2], *INSTANCE[1:]]  # hip on the shoulder
    nobody = [[*keypoint[:2], 0] for keypoint in INSTANCE]
    perfect, wrong = [keypoint[:2] for keypoint in INSTANCE], [[99, 99]] * 5
    got = measured(TorsoPCK(KEYPOINTS), batch([perfect, wrong, wrong, wrong], [INSTANCE, unlabelled, flat, nobody]))
    assert (got["PCK20"], got["PCK_left_out"]) == (1, 2)


def test_a_third_value_of_a_prediction_is_passed_over() -> None:
    perfect = [[x, y, 0.01] for x, y, _ in INSTANCE]
    assert measured(TorsoPCK(KEYPOINTS), batch([perfect], [INSTANCE]))["PCK10"] == 1
    assert measured(KeypointError(KEYPOINTS), batch([perfect], [INSTANCE]))["keypoint_error"] == 0


@pytest.mark.parametrize("far", [math.nan, math.inf, 2.0e7])
def test_a_keypoint_put_nowhere_is_wrong_and_has_no_error_in_pixels(far: float) -> None:
    found = [keypoint[:2] for keypoint in INSTANCE[:4]] + [[far, 8]]
    torso = measured(TorsoPCK(KEYPOINTS), batch([found], [INSTANCE]))
    assert torso["PCK20"] == pytest.approx(0.8)
    error = measured(KeypointError(KEYPOINTS), batch([found], [INSTANCE]))
    assert math.isnan(error["keypoint_error"])
    assert math.isnan(error["keypoint_error/left_wrist"])
    assert error["keypoint_error/neck"] == 0


def test_a_missing_keypoint_is_named() -> None:
    with pytest.raises(ValueError, match="PCKh needs the keypoint 'head_top'; the keypoints are neck, nose"):
        PCKh(("neck", "nose"))


@pytest.mark.parametrize("metric", [TorsoPCK(KEYPOINTS), BoxPCK(KEYPOINTS), KeypointError(KEYPOINTS)])
def test_a_batch_without_a_figure_changes_nothing(metric: PCK | KeypointError) -> None:
    extra = {"boxes": torch.zeros(0, 4)} if isinstance(metric, BoxPCK) else {}
    got = measured(metric, {"keypoints": torch.zeros(0, 5, 2), "target": torch.zeros(0, 5, 3), **extra})
    assert all(math.isnan(value) for key, value in got.items() if "left_out" not in key)
