"""The intervals that verdicts rest on: against scipy, and in simulated studies whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.studies.effects import Effect
from experiments.studies.levels import Level
from experiments.studies.needs import Needs
from experiments.studies.statistics import detectable, median_interval, seeds_needed, t_interval

REPETITIONS = 10_000
NOISE = 3 * math.sqrt(0.025 * 0.975 / REPETITIONS)
"""Three standard errors of a rate of 2.5 % in so many repetitions: .47 %."""


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_the_interval_holds_the_truth_in_95_of_100_studies(seeds: int) -> None:
    numbers = np.random.default_rng(seeds).normal(3, 2, (REPETITIONS, seeds))
    intervals = np.array([t_interval(row) for row in numbers])
    covered = np.mean((intervals[:, 0] <= 3) & (intervals[:, 1] >= 3))
    assert 0.935 <= covered <= 0.965


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_of_ratios_too(seeds: int) -> None:
    numbers = np.exp(np.random.default_rng(seeds).normal(math.log(2), 0.3, (3000, seeds)))
    intervals = np.array([Effect("ratio", tuple(row), "x").interval for row in numbers])
    covered = np.mean((intervals[:, 0] <= 2) & (intervals[:, 1] >= 2))
    assert 0.935 <= covered <= 0.965


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_with_no_effect_at_all_few_studies_say_that_there_is_one(seeds: int) -> None:
    positive = {Level.REPRODUCED, Level.DIRECTION_ONLY}
    numbers = np.random.default_rng(10 + seeds).normal(0, 1, (REPETITIONS, seeds))
    for needs in (Needs(low=0), Needs(high=0)):
        found = [Effect("gain", tuple(row), needs=needs).level in positive for row in numbers[:4000]]
        assert np.mean(found) <= 0.025 + NOISE * math.sqrt(REPETITIONS / 4000)


def test_the_bootstrap_that_was_there_before_held_the_truth_of_three_seeds_in_75_of_100() -> None:
    # Why it went: of three numbers the 2.5 % and 97.5 % quantiles of all resampled means are the least and the greatest.
    numbers = np.random.default_rng(0).normal(0, 1, (REPETITIONS, 3))
    assert np.mean((numbers.min(1) <= 0) & (numbers.max(1) >= 0)) == pytest.approx(0.75, abs=0.02)


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), st.sampled_from([0.9, 0.95]))
def test_the_interval_is_scipys(values: list[float], confidence: float) -> None:
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    low, high = t_interval(values, confidence)
    if np.ptp(values) == 0:
        assert low == high == np.mean(values)
    elif spread > 1e-9:
        theirs = stats.t.interval(confidence, len(values) - 1, np.mean(values), spread)
        assert (low, high) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_counts_that_do_not_vary_are_known_exactly_and_one_number_tells_nothing() -> None:
    assert t_interval([0.1, 0.1, 0.1]) == (pytest.approx(0.1), pytest.approx(0.1))
    assert t_interval([7.0]) == (-math.inf, math.inf)


def test_the_interval_of_a_median_holds_it_and_needs_six_numbers() -> None:
    assert median_interval([1.0] * 5, [1.0] * 5) == (-math.inf, math.inf)
    assert median_interval(list(range(6)), list(range(6))) == (0, 5)
    numbers = np.random.default_rng(1).exponential(1, (4000, 8))  # skewed: no law is assumed
    intervals = np.array([median_interval(row, row) for row in numbers])
    truth = math.log(2)
    assert np.mean((intervals[:, 0] <= truth) & (intervals[:, 1] >= truth)) >= 0.94


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_an_effect_of_the_detectable_size_is_found_in_80_of_100_studies(seeds: int) -> None:
    # On average over the studies' own standard deviations: the size is that of a standard deviation of 1.
    size = detectable(np.random.default_rng(0).normal(0, 1, seeds).tolist()) / float(
        np.std(np.random.default_rng(0).normal(0, 1, seeds), ddof=1)
    )
    numbers = np.random.default_rng(2).normal(size, 1, (4000, seeds))
    found = np.mean([t_interval(row)[0] > 0 for row in numbers])
    assert 0.72 <= found <= 0.88


def test_more_seeds_are_asked_for_the_nearer_a_bound_is() -> None:
    values = [1.0, 2.0, 3.0, 2.5, 1.5]
    far, near = seeds_needed(values, 2.0), seeds_needed(values, 0.2)
    assert far is not None and near is not None and far < 6 < 80 < near
    assert seeds_needed(values, 1e-9) is None
    assert seeds_needed(values, 0.0) is None
    assert seeds_needed([1.0], 1.0) is None
