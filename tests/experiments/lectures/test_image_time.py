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
from experiments.lectures.cs231n._image_time import BOUND, DETECTORS, TIMED
from experiments.lectures.cs231n._regions import AP, FAST, FASTER, RCNN
from experiments.lectures.cs231n._without_a_loss import FasterRCNNWithout
from experiments.studies.results import Runs
from experiments.studies.verdict import Level
from lightning_modules.means import values
from lightning_modules.networks import FasterRCNN
from tests.support.made_up_verdicts import Options, Values, three, untuned

NAN = float("nan")


def timed(
    seconds: tuple[float, ...] = (7.0, 0.4, 0.1, 0.08), *, searched: float = 0.6, flops: float = 70.0, found: float = 2000.0
) -> Values:
    values = {f"{kind}/{name}": three(s, 0.0) for name, s in zip(DETECTORS, seconds, strict=True) for kind in ("cpu", "wall")}
    values |= {"cpu/search": three(searched, 0.0), "wall/search": three(searched, 0.0), "found": [found] * 3}
    return values | {"gflop/R-CNN": three(flops), "gflop/Fast R-CNN": [1.0] * 3}


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed(), Level.REPRODUCED),
        (timed(flops=BOUND / 3), Level.DIRECTION_ONLY),
        (timed(flops=2.5 * BOUND), Level.DIRECTION_ONLY),
        (timed((3.0, 0.4, 0.1, 0.08)), Level.DIRECTION_ONLY),
        (timed((0.1, 0.4, 0.2, 0.08)), Level.NOT_REPRODUCED),
        (timed((NAN, 0.4, 0.2, 0.08)), Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_rcnn_is_slow(values: Values, level: Level) -> None:
    assert slow.verdict(Runs.made_up({TIMED: values})).level == level


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed(), Level.REPRODUCED),
        (timed(searched=0.15), Level.DIRECTION_ONLY),
        (timed(searched=0.05), Level.NOT_REPRODUCED),
        (timed(searched=NAN), Level.INCONCLUSIVE),
        ({**timed(), "cpu/search": [0.05, 0.6, 0.6]}, Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_the_search_takes_the_rest(values: Values, level: Level) -> None:
    assert search.verdict(Runs.made_up({TIMED: values})).level == level


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (timed((11.0, 0.8, 0.1, 0.06)), Level.REPRODUCED),
        (timed((2.0, 0.8, 0.1, 0.06)), Level.DIRECTION_ONLY),
        (timed((11.0, 0.8, 0.1, 0.3)), Level.DIRECTION_ONLY),
        (timed((11.0, 0.1, 0.2, 0.06)), Level.NOT_REPRODUCED),
        (timed((11.0, 0.8, 0.1, 0.8)), Level.NOT_REPRODUCED),
        ({**timed(), "cpu/SPP-net": [0.05, 0.2, 0.2]}, Level.INCONCLUSIVE),
        (timed((11.0, 0.8, NAN, 0.06)), Level.INCONCLUSIVE),
        (timed(found=300.0), Level.INCONCLUSIVE),
    ],
)
def test_the_chart(values: Values, level: Level) -> None:
    verdict = chart.verdict(Runs.made_up({TIMED: values}))
    assert verdict.level == level
    assert [effect.paper for effect in verdict.effects] == [a / b for a, b in pairwise(chart.CHART.values())]


def shared(fast: float, rcnn: float = 0.5, times: Values | None = None) -> dict[str, Values]:
    def variant(value: float) -> Values:
        return {AP: three(value), "test/mAP_small": three(value), "test/mAP_medium": three(value)}

    return {RCNN: variant(rcnn), TIMED: times or timed(), FAST: variant(fast)}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (shared(0.50), {}, Level.REPRODUCED),
        (shared(0.60), {}, Level.REPRODUCED),
        (shared(0.45), {}, Level.DIRECTION_ONLY),
        (shared(0.50, times=timed((3.0, 0.4, 0.1, 0.08))), {}, Level.DIRECTION_ONLY),
        (shared(0.50, times=timed((0.1, 0.4, 0.2, 0.08))), {}, Level.NOT_REPRODUCED),
        (shared(0.50, times=timed(found=300.0)), {}, Level.INCONCLUSIVE),
        (shared(0.05, 0.05), {}, Level.INCONCLUSIVE),
        (shared(NAN), {}, Level.INCONCLUSIVE),
        (shared(0.50), untuned(FAST), Level.INCONCLUSIVE),
    ],
)
def test_regions_share_the_map(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert sharing.verdict(Runs.made_up(variants, **options)).level == level


def four_losses(whole: float, fast: float = 0.5, without: float = 0.3, times: Values | None = None) -> dict[str, Values]:
    def variant(value: float) -> Values:
        return {AP: three(value), "proposals/recall50": three(0.9), "proposals/count": three(75.0)}

    lacking = {name: variant(without) for name in faster.WITHOUT.values()}
    return {FASTER: variant(whole), **lacking, TIMED: times or timed(), FAST: variant(fast)}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (four_losses(0.5), {}, Level.REPRODUCED),
        (four_losses(0.6), {}, Level.REPRODUCED),
        (four_losses(0.45), {}, Level.DIRECTION_ONLY),
        (four_losses(0.5, without=0.5), {}, Level.DIRECTION_ONLY),
        (four_losses(0.5, times=timed(searched=0.1)), {}, Level.DIRECTION_ONLY),
        (four_losses(0.5, times=timed((7.0, 0.4, 0.1, 0.9))), {}, Level.NOT_REPRODUCED),
        (four_losses(0.5, times=timed(found=300.0)), {}, Level.INCONCLUSIVE),
        (four_losses(0.05, 0.05, 0.0), {}, Level.INCONCLUSIVE),
        (four_losses(0.5, without=NAN), {}, Level.INCONCLUSIVE),
        (four_losses(0.5), untuned(FASTER), Level.INCONCLUSIVE),
    ],
)
def test_faster_rcnn_proposes_by_itself(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert faster.verdict(Runs.made_up(variants, **options)).level == level


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
