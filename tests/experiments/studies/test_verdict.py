"""Verdicts: effects and bounds, identities, validity checks, parts, and the ladder."""

from __future__ import annotations

import math
from itertools import product

import pytest

from experiments.studies.effects import Bound, Effect
from experiments.studies.levels import Level
from experiments.studies.needs import Needs
from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Check, Part, ValidityCheck, Verdict, judge_checks

NAN, INF = float("nan"), float("inf")
R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741

# Effects --------------------------------------------------------------------------------------------------------------


def test_ratios_have_a_geometric_mean_and_an_interval_of_logarithms() -> None:
    effect = Effect("ratio", (2.0, 8.0, 4.0), "x")
    assert effect.estimate == pytest.approx(4)
    low, high = effect.interval
    assert low * high == pytest.approx(16)
    assert not Effect("ratio", (0.0, 8.0), "x").is_finite


@pytest.mark.parametrize("values", [(1.0, NAN), (INF, 2.0), ()])
def test_what_was_not_measured_in_every_seed_has_an_open_interval(values: tuple[float, ...]) -> None:
    effect = Effect("effect", values, needs=Needs(low=0))
    assert effect.interval == (-INF, INF) and effect.level is I and effect.nearest() is None


def test_one_seed_decides_nothing() -> None:
    assert Effect("effect", (5.0,), needs=Needs(low=0)).level is I


def test_an_effect_without_a_need_is_not_judged() -> None:
    with pytest.raises(ValueError, match="no need"):
        _ = Effect("effect", (1.0, 2.0)).level


SIX = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0)


@pytest.mark.parametrize(
    ("bounds", "above", "below"),
    [
        (("", "", "", "", "", ">"), R, I),  # more than a value above is above
        ((">", "", "", "", "", ""), R, I),
        (("<", "", "", "", "", ""), I, R),  # less than a value may be anywhere below it
        (("?", "", "", "", "", ""), I, I),  # and two runs that missed their threshold tell nothing
    ],
)
def test_a_bound_shows_what_it_bounds_and_no_more(bounds: tuple[Bound, ...], above: Level, below: Level) -> None:
    assert Effect("effect", SIX, needs=Needs(low=2), bounds=bounds).level is above
    assert Effect("effect", SIX, needs=Needs(high=20, null=30), bounds=bounds).level is below
    assert (
        Effect("effect", SIX[:5], needs=Needs(low=2), bounds=bounds[:5] if any(bounds[:5]) else (">", "", "", "", "")).level
        is I
    )


def reaching(**steps: tuple[float, float, float]) -> Runs:
    return Runs.made_up({variant: {"steps": values} for variant, values in steps.items()})


def test_a_run_that_missed_its_threshold_makes_a_bound() -> None:
    effect = reaching(slow=(INF, 400, 600), fast=(100, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert effect.by_seed == (10, 4, 6) and effect.bounds == (">", "", "")
    other = reaching(slow=(400, 400, 600), fast=(INF, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert other.bounds == ("<", "", "")
    both = reaching(slow=(INF, 400, 600), fast=(INF, 100, 100)).ratio("ratio", "slow", "fast", "steps", budget=1000)
    assert both.bounds == ("?", "", "")
    without = reaching(slow=(INF, 400, 600), fast=(100, 100, 100)).ratio("ratio", "slow", "fast", "steps")
    assert not without.is_finite


# Parts ----------------------------------------------------------------------------------------------------------------

OF = {
    R: Effect("held", (3.0, 3.1, 2.9), "points", Needs(low=2)),
    D: Effect("half", (1.0, 1.1, 0.9), "points", Needs(low=2)),
    N: Effect("refuted", (-3.0, -3.1, -2.9), "points", Needs(low=2)),
    I: Effect("open", (-3.0, 3.1, 0.0), "points", Needs(low=2)),
}


@pytest.mark.parametrize(("first", "second"), product(OF, OF))
def test_every_effect_of_a_part_has_to_hold(first: Level, second: Level) -> None:
    levels = {first, second}
    wanted = N if N in levels else I if I in levels else D if D in levels else R
    assert Part(says="", effects=(OF[first], OF[second])).level is wanted


@pytest.mark.parametrize("condition", list(OF))
def test_without_its_conditions_the_direction_is_the_most_there_is(condition: Level) -> None:
    assert Part(says="", effects=(OF[R],), conditions=(OF[condition],)).level is (R if condition is R else D)
    assert Part(says="", effects=(OF[N],), conditions=(OF[condition],)).level is N


def test_a_failed_validity_check_goes_before_everything_and_says_why() -> None:
    checks = (ValidityCheck("the first", True), ValidityCheck("the second", False, "0.3"))
    part = Part(says="", effects=(OF[R],), validity_checks=checks, because="It holds.")
    assert part.level is I
    assert part.reason == "A condition of the experiment was not met: the second (0.3)."
    assert Part(says="", effects=(OF[R],), validity_checks=checks[:1], because="It holds.").reason == "It holds."


@pytest.mark.parametrize("effect", [Effect("e", (1.0, NAN), needs=Needs(low=0)), Effect("e", (), needs=Needs(low=0))])
def test_what_was_not_measured_is_inconclusive_and_named(effect: Effect) -> None:
    for part in (Part(says="", effects=(OF[R], effect)), Part(says="", effects=(OF[N],), conditions=(effect,))):
        assert part.level is I and "e was not measured in every seed" in part.reason


def test_what_is_undecided_says_what_would_decide_it() -> None:
    effect = Effect("gain", (-0.5, 2.0, 1.0, 0.2, 1.5), "points", Needs(low=0))
    reason = Part(says="", effects=(effect,), because=lambda level: f"It is {level}.").reason
    assert reason.startswith("It is inconclusive.")
    assert f"tell {effect.detectable():.2g} points from a bound" in reason
    assert f"{effect.seeds_needed()} seeds would decide it" in reason


def test_a_part_that_is_wrong_may_be_an_erratum() -> None:
    assert Part(says="", effects=(OF[N],), erratum="The slide says so.").level is Level.ERRATUM
    assert Part(says="", effects=(OF[R],), erratum="The slide says so.").level is R
    assert Part(says="", effects=(OF[I],), erratum="The slide says so.").level is I


def test_a_broken_identity_refutes_what_effects_show() -> None:
    assert Part(says="", effects=(OF[R],), checks=(Check("one", 1, 1),)).level is R
    assert Part(says="", effects=(OF[R],), checks=(Check("one", 1, 2),)).level is N


def test_a_part_that_nothing_decides_is_refused() -> None:
    with pytest.raises(ValueError, match="an effect or a check"):
        Part(says="It is so.")
    with pytest.raises(ValueError, match="gain has no need"):
        Part(says="It is so.", effects=(OF[R],), conditions=(Effect("gain", (1.0, 2.0)),))


def test_the_headline_is_the_first_part_and_the_lectures() -> None:
    verdict = Verdict.of({"a": Part(says="", effects=(OF[D],)), "b": Part(says="", effects=(OF[N],), beyond=True)})
    assert verdict.level is D
    assert Verdict.of(Part(says="", effects=(OF[R],))).level is R
    with pytest.raises(ValueError, match="first part"):
        Verdict.of({"a": Part(says="", effects=(OF[D],), beyond=True)})
    with pytest.raises(ValueError, match="first part"):
        Verdict.of({})


# Validity checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "greater", "passed"),
    [
        ((0.5, 0.6), True, True),
        ((0.5, 0.25), True, True),  # the mean is judged
        ((0.3, 0.25), True, False),
        ((0.5, NAN), True, False),
        ((0.05, 0.06), False, True),
        ((0.05, NAN), False, False),
        ((0.15, 0.2), False, False),
    ],
)
def test_a_variant_beats_the_trivial_answer(values: tuple[float, ...], greater: bool, passed: bool) -> None:
    runs = Runs.made_up({"variant": {"score": values}, "other": {"score": [0.2, 0.2]}})
    assert runs.beats("score", 0.2, greater=greater, by=0.1, variants=["variant"]).passed == passed
    assert not runs.beats("score", 0.2, greater=greater, by=0.1).passed  # the other does not


def test_a_variant_without_the_measure_beats_nothing() -> None:
    assert not Runs.made_up({"variant": {"score": [1.0]}}).beats("other", 0.2).passed


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


def test_identities_are_judged_together_and_what_the_slide_has_wrong_apart() -> None:
    good, bad = Check("one", 1, 1), Check("two", 1, 2)
    slip = Check("three", 1.6, 1.6, lecture="about 2", wrong=True)
    assert judge_checks("It is so.", [good, good]).level is Level.EXACT
    broken = judge_checks("It is so.", [good, bad])
    assert broken.level is N and "two" in broken.because and "one" not in broken.because
    both = judge_checks("It is so.", [good, slip], "The slide rounds.")
    assert [part.level for part in both.parts.values()] == [Level.EXACT, Level.ERRATUM]
    assert both.parts["b"].says == "about 2" and "The slide rounds." in both.parts["b"].reason
    alone = judge_checks("It is about 2.", [slip], "The slide rounds.")
    assert alone.level is Level.ERRATUM and alone.headline.says == "It is about 2."
    with pytest.raises(ValueError, match="first part"):
        judge_checks("It is so.", [])


def test_whether_something_is_so_is_shown_as_yes_or_no() -> None:
    check = Check.yes_or_no("a line separates the exclusive or", False, "no", lecture="none does")
    assert (check.computed, check.expected, check.lecture) == ("no", "no", "none does") and check.holds
    assert not Check.yes_or_no("they are equal", True, "no").holds


def test_steps_to_a_threshold() -> None:
    run = Run("variant", 0, None, {}, {"loss": [(9, 2.0), (19, 1.0), (29, 1.5)]})
    assert run.steps_to("loss", 1.0) == 19
    assert run.steps_to("loss", 0.5) == INF
    assert math.isnan(run.steps_to("other", 1.0))
    assert run.last_step("loss") == 29 and math.isnan(run.last_step("other"))
