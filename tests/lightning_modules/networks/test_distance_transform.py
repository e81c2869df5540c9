"""The generalised distance transform, against the maximum over all moves."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.networks import distance_transform as module
from lightning_modules.networks.distance_loops import compiled_transforms, row_transforms
from lightning_modules.networks.distance_transform import DoubleArray, distance_transform


def cost(costs: DoubleArray, dx: int, dy: int) -> float:
    return float(costs[0] * dx + costs[1] * dx * dx + costs[2] * dy + costs[3] * dy * dy)


def by_brute_force(scores: DoubleArray, costs: DoubleArray) -> DoubleArray:
    best = np.full(scores.shape, -np.inf)
    for (y, x), _ in np.ndenumerate(scores):
        for (row, column), score in np.ndenumerate(scores):
            best[y, x] = max(best[y, x], score - cost(costs, column - x, row - y))
    return best


sides = st.integers(1, 9)


@pytest.fixture(params=["with numba", "without"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(module, "numba_is_there", lambda: False)


@pytest.mark.usefixtures("both_ways")
def test_it_is_the_maximum_over_all_moves() -> None:
    @given(st.integers(0, 10**6), sides, sides, st.sampled_from([0.005, 0.1, 1.0, 30.0]))
    @settings(max_examples=25, deadline=None)
    def holds(seed: int, height: int, width: int, stiffness: float) -> None:
        rng = np.random.default_rng(seed)
        scores = rng.normal(0, 2, (height, width))
        costs = np.array([rng.normal(), stiffness, rng.normal(), stiffness * rng.uniform(0.5, 2)])
        found = distance_transform(scores, costs)
        np.testing.assert_allclose(found.values, by_brute_force(scores, costs), rtol=0, atol=1e-9)
        for (y, x), value in np.ndenumerate(found.values):  # the place that it names is worth what it says
            row, column = int(found.rows[y, x]), int(found.columns[y, x])
            assert scores[row, column] - cost(costs, column - x, row - y) == pytest.approx(value, abs=1e-9)

    holds()


def test_the_loop_is_the_same_uncompiled() -> None:
    scores = np.random.default_rng(0).normal(0, 3, (20, 30))
    written, taken = (np.empty((20, 30)), np.empty((20, 30), np.int64)), (np.empty((20, 30)), np.empty((20, 30), np.int64))
    row_transforms(scores, 0.3, 0.02, *written)
    compiled_transforms()(scores, 0.3, 0.02, *taken)
    assert all((a == b).all() for a, b in zip(written, taken, strict=True))


@pytest.mark.usefixtures("both_ways")
def test_where_all_is_equal_nothing_moves() -> None:
    found = distance_transform(np.zeros((4, 6)), np.array([0, 0.01, 0, 0.01]))
    assert (found.rows == np.arange(4)[:, None]).all() and (found.columns == np.arange(6)).all()
    assert not found.values.any()


def test_time_grows_as_the_pixels_do() -> None:
    """16 times the pixels in at most 32 times the time; the table of all moves would take 64 times."""

    def seconds(side: int) -> float:
        scores, least = np.random.default_rng(0).normal(0, 2, (side, side)), np.inf
        for _ in range(5):
            began = time.process_time()
            distance_transform(scores, np.array([0.1, 0.02, -0.1, 0.02]))
            least = min(least, time.process_time() - began)
        return float(least)

    seconds(16)
    assert seconds(1024) <= 32 * seconds(256)


def test_a_move_that_costs_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        distance_transform(np.zeros((3, 3)), np.array([0.0, 0.0, 0.0, 1.0]))
