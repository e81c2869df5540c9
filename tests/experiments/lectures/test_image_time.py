"""The verdicts on what an image costs R-CNN, SPP-net, Fast and Faster R-CNN, on runs that nobody made."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from experiments.lectures.cnn import detection_with_rcnn_is_slow as slow
from experiments.lectures.cs231n import each_step_makes_detection_faster as chart
from experiments.lectures.cs231n import faster_rcnn_proposes_by_itself as faster
from experiments.lectures.cs231n import regions_share_the_feature_map as sharing
from experiments.lectures.cs231n import selective_search_takes_the_rest_of_the_time as search
from experiments.lectures.cs231n._image_time import BOUND, DETECTORS, SIDE, TIMED, photograph
from experiments.lectures.cs231n._regions import AP, FAST, FASTER, RCNN
from experiments.lectures.cs231n._without_a_loss import FasterRCNNWithout
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from lightning_modules.means import values
from lightning_modules.networks import FasterRCNN, FastRCNN
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import Options, Values, five, untuned
from tests.support.within import assert_swap_turns

NAN = float("nan")


def timed(
    seconds: tuple[float, ...] = (7.0, 0.4, 0.1, 0.08),
    *,
    searched: float = 0.6,
    flops: tuple[float, ...] = (70.0, 2.0, 1.0, 1.2),
    found: float = 2000.0,
) -> Values:
    values = {f"{kind}/{name}": five(s, 0.001) for name, s in zip(DETECTORS, seconds, strict=True) for kind in ("cpu", "wall")}
    values |= {"cpu/search": five(searched, 0.01), "wall/search": five(searched, 0.01), "found": [found] * 5}
    totals = [s + (0 if name == "Faster R-CNN" else searched) for name, s in zip(DETECTORS, seconds, strict=True)]
    values |= {f"total/{name}": five(t, 0.001) for name, t in zip(DETECTORS, totals, strict=True)}
    return values | {f"gflop/{name}": [f] * 5 for name, f in zip(DETECTORS, flops, strict=True)}


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed(), Level.REPRODUCED),
        (timed((3.0, 0.4, 0.1, 0.08)), Level.REPRODUCED),  # how much longer it takes decides nothing
        (timed(flops=(BOUND / 3, 2, 1, 1)), Level.DIRECTION_ONLY),
        (timed(flops=(2.5 * BOUND, 2, 1, 1)), Level.DIRECTION_ONLY),
        (timed((0.1, 0.4, 0.2, 0.08)), Level.NOT_REPRODUCED),
        (timed((NAN, 0.4, 0.2, 0.08)), Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_rcnn_is_slow(values: Values, level: Level) -> None:
    assert Verdict.of(slow.parts(Runs.made_up({TIMED: values}))).level == level


BOTH = [(f"{kind}/R-CNN", f"{kind}/Fast R-CNN") for kind in ("cpu", "gflop")]


@pytest.mark.parametrize("pair", BOTH)
def test_exchanged_rcnn_is_not_slow(pair: tuple[str, str]) -> None:
    assert_swap_turns(slow.study, Runs.made_up({TIMED: timed()}), "a", pair)
    assert_swap_turns(sharing.study, Runs.made_up(shared(0.5)), "a", pair)


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed(), Level.REPRODUCED),
        (timed(searched=0.15), Level.REPRODUCED),
        (timed(searched=0.05), Level.NOT_REPRODUCED),
        (timed(searched=NAN), Level.INCONCLUSIVE),
        ({**timed(), "cpu/search": [0.05, 0.6, 0.6, 0.05, 0.1]}, Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_the_search_takes_the_rest(values: Values, level: Level) -> None:
    assert Verdict.of(search.parts(Runs.made_up({TIMED: values}))).level == level


def test_exchanged_the_search_does_not_take_the_rest() -> None:
    assert_swap_turns(search.study, Runs.made_up({TIMED: timed()}), "a", ("cpu/search", "cpu/Fast R-CNN"))


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed((11.0, 0.8, 0.1, 0.06)), Level.REPRODUCED),
        (timed((2.0, 0.8, 0.1, 0.06)), Level.REPRODUCED),
        (timed((11.0, 0.1, 0.2, 0.06)), Level.NOT_REPRODUCED),
        (timed((11.0, 0.8, 0.1, 0.8)), Level.NOT_REPRODUCED),
        (timed(flops=(70, 1, 2, 1)), Level.NOT_REPRODUCED),
        ({**timed(), "total/SPP-net": [0.6, 0.9, 0.9, 0.6, 0.7]}, Level.INCONCLUSIVE),
        (timed((11.0, 0.8, NAN, 0.06)), Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_the_chart(values: Values, level: Level) -> None:
    part = chart.parts(Runs.made_up({TIMED: values}))
    assert part.level == level
    assert [effect.paper for effect in part.effects[2:]] == [a / b for a, b in pairwise(chart.CHART.values())]


@pytest.mark.parametrize(("before", "after"), list(pairwise(DETECTORS)))
def test_exchanged_the_chart_is_another(before: str, after: str) -> None:
    assert_swap_turns(chart.study, Runs.made_up({TIMED: timed()}), "a", (f"total/{before}", f"total/{after}"))


def test_each_seed_has_another_part_of_a_photograph() -> None:
    first, again, same_picture = photograph(1), photograph(1), photograph(4)
    assert first.shape == (3, SIDE, SIDE) and first.equal(again) and not first.equal(same_picture)


def shared(fast: float, rcnn: float = 0.5, times: Values | None = None) -> dict[str, Values]:
    def variant(value: float) -> Values:
        return {AP: five(value), "test/mAP_small": five(value), "test/mAP_medium": five(value)}

    return {RCNN: variant(rcnn), TIMED: times or timed(), FAST: variant(fast)}


@pytest.mark.parametrize(
    ("variants", "options", "levels"),
    [
        (shared(0.50), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (shared(0.60), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (shared(0.45), {}, (Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (shared(0.50, times=timed(flops=(30, 2, 1, 1))), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (shared(0.50, times=timed((0.1, 0.4, 0.2, 0.08))), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (shared(0.50, times=timed(found=300.0)), {}, (Level.INCONCLUSIVE, Level.REPRODUCED)),
        (shared(0.05, 0.05), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (shared(NAN), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (shared(0.50), untuned(FAST), (Level.REPRODUCED, Level.INCONCLUSIVE)),
    ],
)
def test_regions_share_the_map(variants: dict[str, Values], options: Options, levels: tuple[Level, Level]) -> None:
    parts = sharing.parts(Runs.made_up(variants, **options))
    assert (parts["a"].level, parts["b"].level) == levels
    assert parts["b"].beyond


def four_losses(whole: float, fast: float = 0.5, without: float = 0.3, times: Values | None = None) -> dict[str, Values]:
    def variant(value: float) -> Values:
        return {AP: five(value), "proposals/recall50": five(0.9), "proposals/count": five(75.0)}

    lacking = {name: variant(without) for name in faster.WITHOUT.values()}
    return {FASTER: variant(whole), **lacking, TIMED: times or timed(), FAST: variant(fast)}


@pytest.mark.parametrize(
    ("variants", "options", "levels"),
    [
        (four_losses(0.5), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (four_losses(0.6), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (four_losses(0.45), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),  # less time, at a price
        (four_losses(0.5, without=0.53), {}, (Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (four_losses(0.5, times=timed(searched=0.1)), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (four_losses(0.5, times=timed((7.0, 0.4, 0.1, 0.9))), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (four_losses(0.5, times=timed(found=300.0)), {}, (Level.INCONCLUSIVE, Level.REPRODUCED)),
        (four_losses(0.05, 0.05, 0.0), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (four_losses(0.5, without=NAN), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (four_losses(0.5), untuned(FASTER), (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
    ],
)
def test_faster_rcnn_proposes_by_itself(variants: dict[str, Values], options: Options, levels: tuple[Level, Level]) -> None:
    parts = faster.parts(Runs.made_up(variants, **options))
    assert (parts["a"].level, parts["b"].level) == levels


def test_exchanged_no_loss_is_missed_and_no_time_is_saved() -> None:
    """That the AP is not below Fast R-CNN's has no direction: exchanged, it may be so too."""
    runs = Runs.made_up(four_losses(0.5))
    assert_exchange_turns(faster.study, runs)
    assert_swap_turns(faster.study, runs, "a", ("total/Fast R-CNN", "total/Faster R-CNN"))


def test_both_detectors_have_one_second_stage() -> None:
    """The same settings, and from the same seed the same weights; only the proposer is added."""
    networks, names = [], ("head", "pooling", "samples", "nms_threshold")
    changes = {name: faster.study.variant(name).changes for name in (FAST, FASTER)}
    assert all(changes[FAST][f"model.network.{name}"] == changes[FASTER][f"model.network.{name}"] for name in names[:2])
    for kind, name in ((FastRCNN, FAST), (FasterRCNN, FASTER)):
        torch.manual_seed(0)
        settings = {n: changes[name][f"model.network.{n}"] for n in names[2:] if f"model.network.{n}" in changes[name]}
        networks.append(kind(6, **settings))
    fast, whole = networks
    for name in ("samples", "positive_fraction", "foreground", "background", "nms_threshold", "score_threshold"):
        assert getattr(fast, name) == getattr(whole, name), name
    assert all(p.equal(q) for p, q in zip(fast.head.parameters(), whole.head.parameters(), strict=True))


def test_a_loss_is_left_out_and_the_others_stay_as_they_are() -> None:
    images, boxes, labels = torch.rand(1, 3, 64, 64), [torch.tensor([[8.0, 8.0, 40.0, 40.0]])], [torch.tensor([1])]
    whole = FasterRCNN(3)
    for without in faster.WITHOUT:
        network = FasterRCNNWithout(3, without=without)
        network.load_state_dict(whole.state_dict())
        found = []
        for detector in (network, whole):
            torch.manual_seed(0)
            found.append(values(detector.eval().losses(detector(images), boxes, labels)))
        assert found[0] == {name: loss for name, loss in found[1].items() if name != without} and len(found[0]) == 3
