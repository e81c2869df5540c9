"""The verdicts on detectors without given proposals, on runs that nobody made; and what their costs rest on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from experiments.lectures.cs231n import detectors_trade_speed_for_accuracy as trade
from experiments.lectures.cs231n import numbers_of_objects_break_regression as numbers
from experiments.lectures.cs231n import single_shot_is_faster_and_less_accurate as single
from experiments.lectures.cs231n import ssd_has_boxes_of_several_scales as scales
from experiments.lectures.cs231n import yolo_is_one_tensor as tensor
from experiments.lectures.cs231n._detectors import AP, AP50, AP75, GFLOP, SECONDS
from experiments.measures.proposals import FewerProposals
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five, untuned


def levels(study: Any, runs: Runs) -> dict[str, Level]:
    return {name: part.level for name, part in Verdict.of(study.parts(runs)).parts.items()}


def detectors(yolo: float, ssd: float, faster: float, gflop: float = 2.0, **kwargs: Any) -> Runs:
    costs = {"YOLO": 1.0, "SSD": 1.0, single.PROPOSALS: gflop}
    aps = {"YOLO": yolo, "SSD": ssd, single.PROPOSALS: faster}
    made = {v: {AP75: five(ap), AP50: five(ap), GFLOP: five(costs[v], 0.0), SECONDS: five(costs[v])} for v, ap in aps.items()}
    return Runs.made_up(made, **kwargs)


def test_single_shot_is_faster_and_less_accurate() -> None:
    holds = detectors(0.5, 0.6, 0.7)
    assert levels(single.study, holds) == {"a": Level.REPRODUCED, "b": Level.REPRODUCED}
    assert_exchange_turns(single.study, holds)
    assert levels(single.study, detectors(0.69, 0.8, 0.7)) == {"a": Level.DIRECTION_ONLY, "b": Level.NOT_REPRODUCED}
    assert levels(single.study, detectors(0.5, 0.6, 0.7, gflop=0.5))["a"] is Level.NOT_REPRODUCED
    assert levels(single.study, detectors(0.05, 0.02, 0.06))["a"] is Level.INCONCLUSIVE
    edge = levels(single.study, detectors(0.5, 0.6, 0.7, **untuned("SSD")))
    assert edge == {"a": Level.REPRODUCED, "b": Level.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("several", "one", "level"),
    [
        (0.6, 0.5, Level.REPRODUCED),
        (0.51, 0.5, Level.DIRECTION_ONLY),
        (0.5, 0.55, Level.NOT_REPRODUCED),
        (0.6, 0.05, Level.INCONCLUSIVE),
    ],
)
def test_several_scales_are_better_than_one(several: float, one: float, level: Level) -> None:
    runs = Runs.made_up(
        {scales.SEVERAL: {AP: five(several), AP50: five(several)}, scales.ONE: {AP: five(one), AP50: five(one)}}
    )
    assert levels(scales.study, runs) == {"a": Level.EXACT, "b": level}
    if level is Level.REPRODUCED:
        assert_exchange_turns(scales.study, runs)


def test_yolo_is_one_tensor_and_has_no_base_boxes() -> None:
    made = {tensor.V1: {AP50: five(0.8), AP75: five(0.5)}, tensor.ANCHORS: {AP50: five(0.85), AP75: five(0.6)}}
    runs = Runs.made_up(made)
    assert levels(tensor.study, runs) == {"a": Level.EXACT, "b": Level.ERRATUM, "c": Level.REPRODUCED, "d": Level.REPRODUCED}
    assert_exchange_turns(tensor.study, runs)
    worse = {tensor.V1: {AP50: five(0.6), AP75: five(0.5)}, tensor.ANCHORS: {AP50: five(0.6), AP75: five(0.4)}}
    found = levels(tensor.study, Runs.made_up(worse))
    assert (found["c"], found["d"]) == (Level.DIRECTION_ONLY, Level.NOT_REPRODUCED)


def grid(faster: float, single_shot: float, *, cost: float = 2.0, few: float = 0.95, **kwargs: Any) -> Runs:
    made: dict[str, dict[str, list[float]]] = {}
    for variant in trade.study.variants:
        two = variant.startswith("Faster")
        ap = faster if two else single_shot
        made[variant] = {AP: five(ap), GFLOP: five(cost if two else 1.0, 0.0), SECONDS: five(1.0)}
        if two:
            made[variant] |= {"proposals5/mAP": five(few * ap), "proposals30/mAP": five(ap)}
    return Runs.made_up(made, **kwargs)


def test_the_grid_has_twelve_points_and_two_ends() -> None:
    assert len(trade.study.variants) == 12
    holds = grid(0.7, 0.5)
    assert levels(trade.study, holds) == {"a": Level.REPRODUCED, "b": Level.REPRODUCED}
    assert_exchange_turns(trade.study, holds)
    assert levels(trade.study, grid(0.5, 0.7))["a"] is Level.NOT_REPRODUCED
    assert levels(trade.study, grid(0.7, 0.5, cost=0.9))["a"] is Level.NOT_REPRODUCED
    assert levels(trade.study, grid(0.7, 0.5, few=0.8))["b"] is Level.DIRECTION_ONLY
    assert levels(trade.study, grid(0.06, 0.05))["a"] is Level.INCONCLUSIVE


def regressions(plain: float, sets: float, detector: float, first: float = 0.9) -> Runs:
    made = {}
    for method, last in ((numbers.PLAIN, plain), (numbers.SETS, sets), (numbers.DETECTOR, detector)):
        made[numbers.name(method, 1)], made[numbers.name(method, 4)] = {AP50: five(first)}, {AP50: five(last)}
    return Runs.made_up(made)


def test_numbers_of_objects_break_an_order_and_not_a_set() -> None:
    holds = regressions(0.3, 0.7, 0.85)
    assert levels(numbers.study, holds) == {"a": Level.REPRODUCED, "b": Level.REPRODUCED}
    swaps = {"mAP50 lost in order − to a set": [(numbers.name(numbers.PLAIN, 4), numbers.name(numbers.SETS, 4))]}
    assert_exchange_turns(numbers.study, holds, swaps)
    assert levels(numbers.study, regressions(0.7, 0.7, 0.85))["a"] is Level.DIRECTION_ONLY
    assert levels(numbers.study, regressions(0.3, 0.7, 0.6))["a"] is Level.DIRECTION_ONLY
    assert levels(numbers.study, regressions(0.95, 0.7, 0.85)) == {"a": Level.NOT_REPRODUCED, "b": Level.NOT_REPRODUCED}
    assert levels(numbers.study, regressions(0.03, 0.7, 0.85, first=0.05))["a"] is Level.INCONCLUSIVE


def test_only_a_detector_with_proposals_can_have_fewer() -> None:
    with pytest.raises(TypeError, match="FewerProposals: int makes no proposals"):
        FewerProposals(5).on_train_end(SimpleNamespace(), SimpleNamespace(network=3))  # type: ignore[arg-type]
