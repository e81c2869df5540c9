"""The words that verdicts are written in: intervals, equivalence, bounds, validity checks and the ladder."""

from __future__ import annotations

import json
import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Bound, Check, Effect, Level, Rule, ValidityCheck, bootstrap_interval, judge_checks

NAN, INF = float("nan"), float("inf")


# Intervals ------------------------------------------------------------------------------------------------------------


def test_the_interval_of_three_seeds_by_hand() -> None:
    # 27 resamples; 2.5 % of them is less than one, so that the interval reaches from the least mean to the greatest.
    assert bootstrap_interval([1, 2, 6]) == (1, 6)
    # At 80 %, 10 % of 27 is 2.7: the third least mean. The least are 1 (once) and 4/3 (three times).
    low, high = bootstrap_interval([1, 2, 6], 0.8)
    means = sorted(sum(sample) / 3 for sample in product([1, 2, 6], repeat=3))
    assert low == pytest.approx(means[2]) == pytest.approx(4 / 3)
    assert high == pytest.approx(means[24])


def test_the_interval_of_many_seeds_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).normal(3, 1, 12)
    low, high = bootstrap_interval(values.tolist())
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(2))
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.03)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.03)
    assert bootstrap_interval(values.tolist()) == (low, high)  # no matter of chance


@settings(deadline=None)  # 5^5 means, on a busy machine
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5))
def test_an_interval_holds_the_mean_and_lies_within_the_values(values: list[float]) -> None:
    low, high = bootstrap_interval(values)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) - slack <= low <= np.mean(values) + slack
    assert np.mean(values) - slack <= high <= max(values) + slack


def test_ratios_have_a_geometric_mean() -> None:
    effect = Effect("ratio", (2.0, 8.0), "x")
    assert effect.estimate == pytest.approx(4)
    assert effect.interval == pytest.approx((2, 8))
    assert math.isnan(Effect("ratio", (0.0, 8.0), "x").estimate)


# Above, below, the same -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "above", "below", "excludes_above", "excludes_below"),
    [
        ((1.0, 2.0, 3.0), True, False, False, True),
        ((-1.0, -2.0, -3.0), False, True, True, False),
        ((-1.0, 2.0, 3.0), False, False, False, False),
        ((0.0, 0.0, 0.0), False, False, True, True),
        ((NAN, 2.0, 3.0), False, False, False, False),
        ((INF, 2.0, 3.0), False, False, False, False),
        ((), False, False, False, False),
    ],
)
def test_above_and_below_zero(
    values: tuple[float, ...], above: bool, below: bool, excludes_above: bool, excludes_below: bool
) -> None:
    effect = Effect("effect", values)
    assert (effect.above(0), effect.below(0)) == (above, below)
    assert (effect.excludes_above(0), effect.excludes_below(0)) == (excludes_above, excludes_below)


@pytest.mark.parametrize(
    ("bounds", "above", "below"),
    [
        (("", "", ""), True, False),
        ((">", "", ""), True, False),  # more than a value above is above
        (("<", "", ""), False, False),  # less than a value above may be anywhere
        (("?", "", ""), False, False),
    ],
)
def test_a_bound_shows_what_it_bounds_and_no_more(bounds: tuple[Bound, ...], above: bool, below: bool) -> None:
    effect = Effect("effect", (5.0, 6.0, 7.0), bounds=bounds)
    assert (effect.above(2), effect.below(2)) == (above, below)
    assert not any(bounds) or not (effect.excludes_below(2) or effect.excludes_above(9) or effect.equivalent(100))
    small = Effect("effect", (1.0, 1.0, 1.0), bounds=bounds)
    assert small.below(2) == (">" not in bounds and "?" not in bounds)


def test_two_one_sided_tests_against_scipy() -> None:
    values = (0.2, -0.3, 0.4, 0.1)
    effect = Effect("difference", values)
    for margin in (0.3, 0.4, 0.5, 0.6):
        too_high = stats.ttest_1samp(values, margin, alternative="less").pvalue
        too_low = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
        assert effect.equivalent(margin) == (max(too_high, too_low) < 0.05), margin
    assert effect.equivalent(0.6)
    assert not effect.equivalent(0.3)
    assert not Effect("one seed", (0.0,)).equivalent(1)
    assert not Effect("diverged", (0.0, NAN)).equivalent(1)


# Censoring ------------------------------------------------------------------------------------------------------------


def reaching(**steps: tuple[float, float, float]) -> Runs:
    return Runs.made_up({variant: {"steps": values} for variant, values in steps.items()})


def test_a_run_that_missed_its_threshold_makes_a_bound() -> None:
    effect = reaching(slow=(INF, 400, 600), fast=(100, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert effect.by_seed == (10, 4, 6)
    assert effect.bounds == (">", "", "")
    assert effect.above(3)
    assert not effect.below(20)
    other = reaching(slow=(400, 400, 600), fast=(INF, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert other.bounds == ("<", "", "")
    assert not other.above(0.1)


def test_two_runs_that_missed_it_decide_nothing() -> None:
    effect = reaching(slow=(INF, 400, 600), fast=(INF, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert effect.bounds == ("?", "", "")
    assert Rule((effect,)).judge(reproduced=True, because="").level == Level.INCONCLUSIVE


def test_without_a_budget_a_missed_threshold_decides_nothing() -> None:
    effect = reaching(slow=(INF, 400, 600), fast=(100, 100, 100)).ratio("ratio", "slow", "fast", "steps")
    assert Rule((effect,)).judge(reproduced=True, because="").level == Level.INCONCLUSIVE


def test_steps_to_a_threshold() -> None:
    run = Run("variant", 0, None, {}, {"loss": [(9, 2.0), (19, 1.0), (29, 1.5)]})
    assert run.steps_to("loss", 1.0) == 19
    assert run.steps_to("loss", 0.5) == INF
    assert run.steps_to("other", 1.0) == INF


# The ladder -----------------------------------------------------------------------------------------------------------


GOOD = Effect("effect", (1.0, 2.0))


@pytest.mark.parametrize("reproduced", [True, False])
@pytest.mark.parametrize("direction", [True, False])
@pytest.mark.parametrize("refuted", [True, False])
def test_the_first_test_that_holds_decides(reproduced: bool, direction: bool, refuted: bool) -> None:
    level = Rule((GOOD,)).judge(reproduced=reproduced, direction=direction, refuted=refuted, because=str).level
    steps = ((reproduced, Level.REPRODUCED), (direction, Level.DIRECTION_ONLY), (refuted, Level.NOT_REPRODUCED))
    assert level == next((step for holds, step in steps if holds), Level.INCONCLUSIVE)


@pytest.mark.parametrize("effect", [Effect("e", (1.0, NAN)), Effect("e", ()), Effect("e", (1.0,), bounds=("?",))])
def test_what_was_not_measured_is_inconclusive_and_named(effect: Effect) -> None:
    verdict = Rule((GOOD, effect)).judge(reproduced=True, refuted=True, because="It holds.")
    assert verdict.level == Level.INCONCLUSIVE
    assert "e was not measured in every seed" in verdict.because


def test_a_failed_validity_check_goes_before_everything_and_says_why() -> None:
    validity_checks = (ValidityCheck("the first", True), ValidityCheck("the second", False, "0.3"))
    verdict = Rule((GOOD,), validity_checks).judge(reproduced=True, because="It holds.")
    assert verdict.level == Level.INCONCLUSIVE
    assert "the second (0.3)" in verdict.because
    assert "the first" not in verdict.because
    assert Rule((GOOD,), validity_checks[:1]).judge(reproduced=True, because="It holds.").because == "It holds."


# Validity checks
# ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "greater", "passed"),
    [
        ((0.5, 0.6), True, True),
        ((0.5, 0.25), True, False),  # one seed is enough to fail
        ((0.5, NAN), True, False),
        ((0.05, 0.06), False, True),
        ((0.05, NAN), False, False),
        ((0.05, 0.2), False, False),
    ],
)
def test_every_seed_beats_the_trivial_answer(values: tuple[float, ...], greater: bool, passed: bool) -> None:
    runs = Runs.made_up({"variant": {"score": values}})
    assert runs.beats("score", 0.2, greater=greater, by=0.1).passed == passed


def test_an_variant_without_the_measure_beats_nothing() -> None:
    assert not Runs.made_up({"variant": {"score": [1.0]}}).beats("other", 0.2).passed


def test_an_variant_whose_best_lr_is_at_the_edge_is_named() -> None:
    validity_check = Runs([], inside={"relu": True, "tanh": False}).tuned()
    assert not validity_check.passed
    assert "tanh" in validity_check.detail
    assert "relu" not in validity_check.detail
    assert Runs([], inside={"relu": True}).tuned().passed


def test_a_study_with_a_seed_missing_is_not_complete() -> None:
    runs = Runs.made_up({"a": {"x": [1, 2, 3]}, "b": {"x": [1, 2]}})
    assert runs.complete(2).passed
    validity_check = runs.complete(3)
    assert not validity_check.passed
    assert validity_check.detail == "b"


# Comparisons ----------------------------------------------------------------------------------------------------------


def test_variants_are_compared_seed_by_seed() -> None:
    runs = Runs.made_up({"a": {"x": [0.5, 0.7, 0.6]}, "b": {"x": [0.4, 0.5]}})
    effect = runs.difference("a − b", "a", "b", "x")
    assert effect.by_seed == pytest.approx((10, 20))  # points, of the seeds that both have


def test_the_shared_lr_comparison_is_at_the_others_best_lr() -> None:
    runs = Runs(
        [
            *(Run("a", seed, 0.1, {"x": 0.5}) for seed in range(3)),
            *(Run("b", seed, 0.01, {"x": 0.4}) for seed in range(3)),
            Run("a", 0, 0.01, {"x": 0.9}),
            Run("b", 0, 0.1, {"x": 0.1}),
        ],
        {"a": 0.1, "b": 0.01},
    )
    assert runs.difference("gap", "a", "b", "x").by_seed == pytest.approx((10, 10, 10))
    shared_lr = runs.shared_lr("gap", "a", "b", "x")
    assert shared_lr is not None
    assert shared_lr.by_seed == pytest.approx((50,))
    assert Runs(runs.all[:6], runs.lrs).shared_lr("gap", "a", "b", "x") is None


# Identities -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("computed", "expected", "tolerance", "holds"),
    [
        (3, 3, 0.0, True),
        (3.0000001, 3, 0.0, False),
        (3.0000001, 3, 1e-6, True),
        (1e6 + 0.5, 1e6, 1e-6, True),
        (1e6 + 2, 1e6, 1e-6, False),
        (NAN, NAN, 1.0, False),
        (NAN, 0.0, 0.0, False),
        (INF, 0.0, 1.0, False),
        ("a", "a", 0.0, True),
        ("a", "b", 9.0, False),
        ("3", 3, 9.0, False),
    ],
)
def test_a_check(computed: float | str, expected: float | str, tolerance: float, holds: bool) -> None:
    assert Check("it", computed, expected, tolerance).holds == holds


def test_identities_are_judged_together() -> None:
    good, bad = Check("one", 1, 1), Check("two", 1, 2)
    assert judge_checks([good, good]).level == Level.EXACT
    wrong = judge_checks([good, bad])
    assert wrong.level == Level.NOT_REPRODUCED
    assert "two" in wrong.because
    assert "one" not in wrong.because
    assert judge_checks([]).level == Level.INCONCLUSIVE


def test_whether_something_is_so_is_shown_as_yes_or_no() -> None:
    check = Check.yes_or_no("a line separates the exclusive or", False, "no", lecture="none does")
    assert (check.computed, check.expected, check.lecture) == ("no", "no", "none does") and check.holds
    assert not Check.yes_or_no("they are equal", True, "no").holds


def test_the_identities_of_a_rule_stand_in_its_verdict_whatever_comes_out() -> None:
    check = Check("weights", 1, 1)
    rise = Effect("rise", (1.0, 1.1, 1.2))
    verdict = Rule((rise,), checks=(check,)).judge(reproduced=True, because="")
    failed = Rule((rise,), (ValidityCheck("learns", False),), checks=(check,)).judge(reproduced=True, because="")
    assert verdict.level == Level.REPRODUCED and failed.level == Level.INCONCLUSIVE
    assert verdict.checks == failed.checks == (check,)


@pytest.mark.parametrize(
    ("values", "no_rise", "no_fall"),
    [
        ((-3.0, -2.0, -2.5), True, False),
        ((3.0, 2.0, 2.5), False, True),
        ((0.01, -0.02, 0.01), True, True),  # the same within the margin
        ((5.0, -5.0, 1.0), False, False),
        ((NAN, -2.0, -2.5), False, False),
    ],
)
def test_a_claimed_rise_or_fall_is_refuted(values: tuple[float, ...], no_rise: bool, no_fall: bool) -> None:
    effect = Effect("gain", values, "points")
    assert (effect.shows_no_rise(1), effect.shows_no_fall(1)) == (no_rise, no_fall)


def test_a_verdict_is_plain_data() -> None:
    effects = (Effect("ratio", (2.0, 8.0), "x"), Effect("lost", (NAN, 1.0)))
    verdict = Rule(effects, (ValidityCheck("validity_check", True),), shared_lr=effects[0]).judge(reproduced=True, because="")
    plain: dict[str, Any] = json.loads(json.dumps(verdict.as_dict()))
    assert plain["level"] == "inconclusive"
    assert plain["effects"][0]["estimate"] == pytest.approx(4)
    assert plain["effects"][1]["estimate"] is None
    assert plain["shared_lr"]["interval"] == pytest.approx([2, 8])
    assert judge_checks([Check("one", 1, 1)]).as_dict()["checks"][0]["holds"] is True
