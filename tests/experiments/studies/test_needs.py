"""Needs: one object that is the rule, the words and the band."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.studies.effects import Effect
from experiments.studies.levels import Level
from experiments.studies.needs import Needs

R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741
INF = math.inf


@pytest.mark.parametrize(
    ("needs", "interval", "level"),
    [
        (Needs(low=0), (1, 2), R),
        (Needs(low=0), (0, 2), I),  # an end at no effect is outside
        (Needs(low=0), (-2, -1), N),
        (Needs(low=0), (-2, 0), N),
        (Needs(low=2), (2, 3), R),
        (Needs(low=2), (1, 3), D),
        (Needs(low=2), (-1, 3), I),
        (Needs(low=2, high=4), (3, 5), D),
        (Needs(low=2, high=4), (5, 6), D),  # larger than the paper's: the direction, and not the size
        (Needs(high=-2), (-4, -3), R),
        (Needs(high=-2), (-3, -1), D),
        (Needs(high=-2), (0, 3), N),
        (Needs(-1, 1), (-0.5, 0.9), R),
        (Needs(-1, 1), (-0.5, 1.5), I),
        (Needs(-1, 1), (1, 2), N),
        (Needs(low=-1), (-0.5, 9), R),
        (Needs(low=-1), (-3, 1), I),
        (Needs(low=-1), (-3, -1), N),
        (Needs(low=-1.1, high=-0.9), (-1.05, -0.95), R),
        (Needs(low=-1.1, high=-0.9), (-0.8, -0.5), D),
        (Needs(low=-1.1, high=-0.9), (0.1, 0.5), N),
        (Needs(low=98, absolute=True), (98.5, 99), R),
        (Needs(low=98, absolute=True), (10, 20), I),  # a missed threshold refutes nothing
        (Needs(low=98, null=16, absolute=True), (80, 90), D),
        (Needs(low=98, null=16, absolute=True), (10, 20), I),
        (Needs(low=98, null=16, absolute=True), (10, 12), I),
        (Needs(high=2.5, null=90, absolute=True), (3, 4), D),
    ],
)
def test_the_level_of_an_interval(needs: Needs, interval: tuple[float, float], level: Level) -> None:
    assert needs.level(interval, interval, ratio=False) == level


@pytest.mark.parametrize(
    ("needs", "interval", "level"),
    [
        (Needs(low=3, high=12), (4, 8), R),
        (Needs(low=3, high=12), (1.1, 8), D),
        (Needs(low=3, high=12), (0.5, 1), N),
        (Needs(low=3, high=12), (0.5, 2), I),
        (Needs(low=1), (1.5, 2), R),
        (Needs(high=0.3), (0.2, 0.4), D),
        (Needs(high=0.3), (1, 2), N),
        (Needs(0.5, 2), (0.8, 1.2), R),
    ],
)
def test_no_effect_is_1_for_a_ratio(needs: Needs, interval: tuple[float, float], level: Level) -> None:
    assert needs.level(interval, interval, ratio=True) == level


def test_within_a_declared_margin_there_is_no_effect_unless_the_interval_excludes_that() -> None:
    needs = Needs(low=0, margin=1)
    assert needs.level((-0.6, 0.9), (-0.4, 0.7), ratio=False) is N
    assert needs.level((-1.4, 1.2), (-0.9, 0.9), ratio=False) is N  # the narrow interval is the test
    assert needs.level((-1.4, 1.4), (-1.1, 1.1), ratio=False) is I
    assert needs.level((0.1, 0.9), (0.2, 0.8), ratio=False) is R  # small, and there
    assert Needs(low=0).level((-0.6, 0.9), (-0.4, 0.7), ratio=False) is I


@pytest.mark.parametrize(
    ("needs", "unit", "words"),
    [
        (Needs(low=0), "points", "> 0"),
        (Needs(low=2), "points", "≥ 2 points"),
        (Needs(low=1), "points", "≥ 1 point"),
        (Needs(high=-2), "points", "≤ −2 points"),
        (Needs(high=0), "", "< 0"),
        (Needs(-1, 1), "points", "within ±1 point"),
        (Needs(low=1), "x", "> 1 ×"),
        (Needs(low=3, high=12), "x", "3 to 12 ×"),
        (Needs(low=-1.1, high=-0.9), "", "−1.1 to −0.9"),
        (Needs(high=30), "%", "≤ 30 %"),
    ],
)
def test_the_words_are_the_rules(needs: Needs, unit: str, words: str) -> None:
    assert needs.words(unit) == words


@pytest.mark.parametrize(
    "wrong", [{}, {"low": 2, "high": 1}, {"low": math.nan}, {"low": 0, "margin": 0}, {"low": 0, "margin": -1}]
)
def test_what_is_no_need_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Needs(**wrong)


numbers = st.lists(st.floats(-50, 50), min_size=5, max_size=8)


@settings(deadline=None)
@given(numbers, st.floats(0, 10))
def test_the_other_way_round_nothing_that_held_holds(values: list[float], low: float) -> None:
    needs = Needs(low=low)
    level, exchanged = (Effect("a − b", tuple(sign * v for v in values), "points", needs).level for sign in (1, -1))
    assert level not in (R, D) or exchanged is N


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=8), st.floats(1, 10))
def test_nor_of_a_ratio(values: list[float], low: float) -> None:
    needs = Needs(low=low)
    level = Effect("a / b", tuple(values), "x", needs).level
    assert level not in (R, D) or Effect("b / a", tuple(1 / v for v in values), "x", needs).level is N


@settings(deadline=None)
@given(numbers, st.floats(-5, 5), st.floats(0, 10), st.one_of(st.none(), st.floats(0.1, 5)))
def test_what_would_change_a_level_changes_it(values: list[float], low: float, width: float, margin: float | None) -> None:
    effect = Effect("gain", tuple(values), needs=Needs(low, low + width, margin=margin))
    if nearest := effect.nearest():
        level, shift = nearest
        moved = Effect("gain", tuple(v + shift * (1 + 1e-6) + math.copysign(1e-7, shift) for v in values), needs=effect.needs)
        less = Effect("gain", tuple(v + 0.99 * shift for v in values), needs=effect.needs)
        assert moved.level is level is not effect.level
        assert less.level is effect.level or abs(shift) < 1e-5
