"""The verdicts on depth, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cnn import deeper_residual_nets_are_better as deeper
from experiments.lectures.cnn import plain_nets_degrade as plain
from experiments.lectures.cnn import residual_nets_do_not_degrade as residual
from experiments.lectures.cnn._depth import ERROR, RUNNING, TEST_ERROR
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

GOOD, BAD, CHANCE = five(0.10), five(0.40), five(0.83)
APART = [0.1, 0.4, 0.1, 0.4, 0.12]
Errors = dict[str, tuple[list[float], list[float]]]
"""By variant, training and test error."""


def made(errors: Errors, **kwargs: dict[str, bool]) -> Runs:
    variants = {name: {ERROR: train, TEST_ERROR: test, RUNNING: test} for name, (train, test) in errors.items()}
    return Runs.made_up(variants, **kwargs)


def levels(parts: Verdict) -> dict[str, Level]:
    return {key: part.level for key, part in parts.parts.items()}


def plain_nets(deep: list[float], shallow: list[float], deep_later: list[float], shallow_later: list[float] = GOOD) -> Errors:
    errors = {plain.DEEP: deep, plain.SHALLOW: shallow, "plain-56, 3×": deep_later, "plain-20, 3×": shallow_later}
    return {name: (values, values) for name, values in errors.items()}


@pytest.mark.parametrize(
    ("errors", "level"),
    [
        (plain_nets(BAD, GOOD, BAD), Level.REPRODUCED),
        (plain_nets(BAD, GOOD, GOOD), Level.DIRECTION_ONLY),
        (plain_nets(GOOD, GOOD, GOOD), Level.NOT_REPRODUCED),
        (plain_nets(GOOD, BAD, GOOD), Level.NOT_REPRODUCED),
        (plain_nets(CHANCE, CHANCE, CHANCE, CHANCE), Level.INCONCLUSIVE),
        (plain_nets(APART, five(0.2), BAD), Level.INCONCLUSIVE),
        (plain_nets(CHANCE, GOOD, CHANCE), Level.REPRODUCED),  # the deep one need not learn
    ],
)
def test_plain_nets(errors: Errors, level: Level) -> None:
    assert levels(Verdict.of(plain.parts(made(errors)))) == {"a": level, "b": level}


def test_training_and_test_error_of_plain_nets_are_judged_apart() -> None:
    errors = plain_nets(BAD, GOOD, BAD)
    errors["plain-56"] = (BAD, GOOD)
    assert levels(Verdict.of(plain.parts(made(errors)))) == {"a": Level.REPRODUCED, "b": Level.NOT_REPRODUCED}


@pytest.mark.parametrize(
    ("errors", "level"),
    [
        ((BAD, GOOD, GOOD), Level.REPRODUCED),
        ((BAD, five(0.2), GOOD), Level.DIRECTION_ONLY),
        ((five(0.13), GOOD, GOOD), Level.DIRECTION_ONLY),  # better, and by less than 5 points
        ((GOOD, GOOD, GOOD), Level.NOT_REPRODUCED),
        ((GOOD, BAD, GOOD), Level.NOT_REPRODUCED),
        ((APART, five(0.2), GOOD), Level.INCONCLUSIVE),
        ((BAD, GOOD, CHANCE), Level.INCONCLUSIVE),
    ],
)
def test_residual_nets(errors: tuple[list[float], ...], level: Level) -> None:
    variants = {name: (v, v) for name, v in zip((residual.PLAIN, residual.DEEP, residual.SHALLOW), errors, strict=True)}
    assert Verdict.of(residual.parts(made(variants))).level == level


Depths = dict[int, float]


def by_depth(train: Depths, test: Depths, spread: float = 0.002) -> Errors:
    errors = {deeper.long(d): (five(train[d], spread), five(test[d], spread)) for d in deeper.DEPTHS}
    return {**errors, **{deeper.short(d): errors[deeper.long(d)] for d in deeper.DEPTHS}}


FALLING = {8: 0.3, 20: 0.2, 56: 0.1}


@pytest.mark.parametrize(
    ("train", "test", "spread", "level"),
    [
        (FALLING, FALLING, 0.002, (Level.REPRODUCED, Level.REPRODUCED)),
        (FALLING, {8: 0.3, 20: 0.1, 56: 0.2}, 0.002, (Level.DIRECTION_ONLY, Level.DIRECTION_ONLY)),
        (FALLING, {8: 0.3, 20: 0.4, 56: 0.5}, 0.002, (Level.DIRECTION_ONLY, Level.NOT_REPRODUCED)),
        ({8: 0.3, 20: 0.1, 56: 0.2}, FALLING, 0.002, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        ({8: 0.3, 20: 0.2, 56: 0.3}, FALLING, 0.002, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        ({8: 0.1, 20: 0.2, 56: 0.3}, FALLING, 0.002, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        ({8: 0.84, 20: 0.2, 56: 0.1}, FALLING, 0.002, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        ({8: 0.0, 20: 0.0, 56: 0.0}, FALLING, 0.0, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),  # by heart: nothing can fall
    ],
)
def test_deeper_is_better(train: Depths, test: Depths, spread: float, level: tuple[Level, Level]) -> None:
    verdict = Verdict.of(deeper.parts(made(by_depth(train, test, spread))))
    assert tuple(levels(verdict).values()) == level


def test_an_undecided_gap_from_8_to_56_layers_is_inconclusive() -> None:
    errors = by_depth(FALLING, FALLING)
    errors[deeper.long(56)] = ([0.1, 0.5, 0.1, 0.5, 0.2], GOOD)
    assert Verdict.of(deeper.parts(made(errors))).level == Level.INCONCLUSIVE


def test_an_exchange_turns_the_verdicts_on_depth() -> None:
    assert_exchange_turns(plain.study, made(plain_nets(BAD, GOOD, BAD)))
    assert_exchange_turns(
        residual.study, made({residual.PLAIN: (BAD, BAD), residual.DEEP: (GOOD, GOOD), residual.SHALLOW: (GOOD, GOOD)})
    )
    assert_exchange_turns(deeper.study, made(by_depth(FALLING, FALLING)))


@pytest.mark.parametrize(
    ("study", "errors", "untuned"),
    [
        (plain.study, plain_nets(BAD, GOOD, BAD), "plain-20"),
        (residual.study, {"plain-56": (BAD, BAD), "residual-56": (GOOD, GOOD), "residual-20": (GOOD, GOOD)}, "residual-56"),
        (deeper.study, by_depth(FALLING, FALLING), "residual-56"),
    ],
    ids=lambda value: getattr(value, "claim", ""),
)
def test_a_rate_at_the_edge_is_inconclusive(study, errors: Errors, untuned: str) -> None:  # type: ignore[no-untyped-def]
    assert Verdict.of(study.parts(made(errors, inside={untuned: False}))).level == Level.INCONCLUSIVE
