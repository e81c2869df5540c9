"""The exchange test itself: a comparison passes it, and what only looks like one does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from experiments.studies.results import Run, Runs
from experiments.studies.study import Study, Training
from experiments.studies.verdict import Effect, Needs, Part
from tests.support.exchange import assert_exchange_turns

MORE = Needs(low=0)
RUNS = Runs.made_up({"tall": {"height": [3.0, 3.1, 2.9, 3.0, 3.2]}, "short": {"height": [1.0, 1.2, 0.9, 1.1, 1.0]}})


def heights(by_variant: Mapping[str, Run]) -> tuple[float, float]:
    return by_variant["tall"].value("height"), by_variant["short"].value("height")


def study(effect: Callable[[Runs], Effect]) -> Study:
    return Study(
        claim="D12",
        says="One is taller.",
        slide="none",
        work=Training("none"),
        variants={"tall": {}, "short": {}},
        parts=lambda runs: Part(says="One is taller.", effects=(effect(runs),)),
    )


def test_a_comparison_turns() -> None:
    assert_exchange_turns(study(lambda runs: runs.difference("tall − short", "tall", "short", "height", needs=MORE)), RUNS)
    combined = study(lambda runs: runs.combined("gap", lambda by: heights(by)[0] - heights(by)[1], needs=MORE))
    assert_exchange_turns(combined, RUNS, {"gap": [("tall", "short")]})
    with pytest.raises(AssertionError, match="say in `swaps`"):
        assert_exchange_turns(combined, RUNS)


@pytest.mark.parametrize(
    "effect",
    [
        lambda runs: runs.combined("gap", lambda by: abs(heights(by)[0] - heights(by)[1]), needs=MORE),
        lambda runs: runs.combined("gap", lambda by: max(heights(by)) - min(heights(by)), needs=MORE),
        lambda runs: runs.combined("gap", lambda by: sum(heights(by)), needs=MORE),
    ],
    ids=["its size alone", "the greatest less the least", "no comparison"],
)
def test_what_does_not_turn_is_found(effect: Callable[[Runs], Effect]) -> None:
    with pytest.raises(AssertionError, match="exchanged"):
        assert_exchange_turns(study(effect), RUNS, {"gap": [("tall", "short")]})


def test_runs_in_which_the_claim_does_not_hold_are_refused() -> None:
    smaller = study(lambda runs: runs.difference("short − tall", "short", "tall", "height", needs=MORE))
    with pytest.raises(AssertionError, match="before any exchange"):
        assert_exchange_turns(smaller, RUNS)


def test_an_equivalence_alone_is_no_comparison() -> None:
    same = study(lambda runs: runs.difference("tall − short", "tall", "short", "height", needs=Needs(-1000, 1000)))
    with pytest.raises(AssertionError, match="no comparison"):
        assert_exchange_turns(same, RUNS)
