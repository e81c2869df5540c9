"""G01: the rule on runs that nobody made, and what its measurements give."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.lectures.cs231n import _ladder as ladder
from experiments.lectures.cs231n import deep_learning_lifted_detection as lifted
from experiments.lectures.cs231n._ladder import DEFORMABLE, FAST, FASTER, RCNN, SYSTEMS, TIMED
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from lightning_modules.networks import DPM
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import APART, five, untuned


def rungs(*aps: float, **kwargs: Any) -> Runs:
    made = {name: {ladder.AP: five(ap, 0.002 * (i + 1))} for i, (name, ap) in enumerate(zip(ladder.LADDER, aps, strict=True))}
    return Runs.made_up({**made, TIMED: {ladder.seconds_of(name): five(0.5) for name in SYSTEMS}}, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (rungs(0.5, 0.6, 0.7, 0.8), Level.REPRODUCED),
        (rungs(0.5, 0.6, 0.7, 0.65), Level.DIRECTION_ONLY),
        (rungs(0.5, 0.6, 0.55, 0.8), Level.DIRECTION_ONLY),
        (rungs(0.5, 0.6, 0.6, 0.8), Level.DIRECTION_ONLY),
        (rungs(0.5, 0.4, 0.7, 0.8), Level.NOT_REPRODUCED),
        (rungs(0.5, 0.6, 0.7, math.nan), Level.INCONCLUSIVE),
        (rungs(0.05, 0.6, 0.7, 0.8), Level.INCONCLUSIVE),
        (rungs(0.5, 0.6, 0.7, 0.8, **untuned(FAST)), Level.INCONCLUSIVE),
    ],
    ids=[
        "each higher",
        "Faster lower",
        "Fast lower",
        "Fast as high",
        "R-CNN lower",
        "not measured",
        "nothing found",
        "untuned",
    ],
)
def test_each_rung_is_to_be_higher_than_the_one_before(runs: Runs, level: Level) -> None:
    assert Verdict.of(lifted.parts(runs)).level is level


def test_seeds_that_disagree_decide_nothing() -> None:
    runs = Runs.made_up(
        {
            DEFORMABLE: {ladder.AP: [0.5, 0.4, 0.6, 0.5, 0.45]},
            RCNN: {ladder.AP: [*APART, 0.9, 0.1]},
            FAST: {ladder.AP: five(0.7)},
            FASTER: {ladder.AP: five(0.8)},
            TIMED: {ladder.seconds_of(name): five(0.5) for name in SYSTEMS},
        }
    )
    assert Verdict.of(lifted.parts(runs)).level is Level.INCONCLUSIVE


def test_exchanged_rungs_turn_the_verdict() -> None:
    assert_exchange_turns(lifted.study, rungs(0.5, 0.6, 0.7, 0.8))


def test_the_published_figures_stand_beside_and_decide_nothing() -> None:
    part = lifted.parts(rungs(0.5, 0.6, 0.7, 0.8))
    assert [effect.paper for effect in part.effects] == [pytest.approx(66.0 - 33.7)]
    assert "2012 41" in part.also[0] and "Faster R-CNN 69.9 %" in part.reason
    assert all(name in part.also[-1] for name in SYSTEMS)
    years = [point.year for point in ladder.CHART]
    assert years == sorted(years)
    assert [point.is_deep for point in ladder.CHART] == [year > 2012 for year in years]


def test_all_rungs_have_the_same_scenes() -> None:
    """The part models draw theirs themselves, the ConvNets' are those of the configuration."""
    settings = lifted.study.job("cpu", FASTER, 0.002, 3).settings["data"]["init_args"]
    assert settings["data_seed"] == 3 and settings["image_size"] == ladder.SIDE
    assert {split: settings[split] for split in ladder.IMAGES} == ladder.IMAGES
    assert {name: tuple(v) if isinstance(v, list) else v for name, v in settings["style"].items()} == ladder.STYLE


def test_part_models_learn_from_few_scenes(tmp_path: Path) -> None:
    found = ladder.deformable_parts(seed=0, folder=tmp_path, images={"train": 12, "val": 4, "test": 8})
    assert 0.02 < found.values[ladder.AP] < 1 and found.values["training/cpu_seconds"] > 0
    assert found.curves[ladder.CURVE][0] == (2007.0, 17.0)


def test_part_models_whose_time_is_taken_look_for_their_parts() -> None:
    torch.manual_seed(0)
    network = ladder.part_models(2)
    assert isinstance(network, DPM) and bool(network.has_parts)
    places = network.places(network(torch.rand(1, 3, 128, 128) * 255), 0, 1)
    assert {len(places.place(0).rows), len(places.place(len(places.scores) - 1).rows)} == {8}
