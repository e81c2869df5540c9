"""G03 and G04: their rules on made-up runs, and what they measure."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from datamodules.drawing import Style
from datamodules.proposals import SlidingWindows
from datamodules.scene import Scene
from experiments.lectures.cnn import parts_that_move_find_figures as figures
from experiments.lectures.cs231n import _windows
from experiments.lectures.cs231n import brute_force_needs_many_windows as brute
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns

SPREAD = (-0.01, -0.005, 0.0, 0.005, 0.01)


def found(moving: float, rigid: float, root: float, random: float = 0.02) -> Runs:
    """AP50 in five seeds, all of one spread, so that differences are the same in each; but for the rigid parts'."""
    means = {figures.MOVING: moving, figures.RIGID: rigid, figures.ROOT: root, figures.RANDOM: random, figures.CONSTANT: 0.1}
    spread = {name: tuple(-x / 2 for x in SPREAD) if name == figures.RIGID else SPREAD for name in means}
    return Runs.made_up(
        {
            name: {"test/mAP50": [mean + x for x in spread[name]], "test/mAP75": [mean / 3 + x for x in spread[name]]}
            for name, mean in means.items()
        }
    )


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (found(0.90, 0.82, 0.80), Level.REPRODUCED),
        (found(0.83, 0.80, 0.80), Level.DIRECTION_ONLY),
        (found(0.78, 0.82, 0.80), Level.NOT_REPRODUCED),
        (found(0.90, 0.90, 0.80), Level.INCONCLUSIVE),
        (found(0.99, 0.95, 0.93), Level.INCONCLUSIVE),
        (found(0.30, 0.20, 0.10, random=0.05), Level.INCONCLUSIVE),
    ],
    ids=["both", "less than five points", "worse", "no better than rigid parts", "too easy", "a control that sees nothing"],
)
def test_parts_that_move_are_judged_against_the_root_and_against_rigid_ones(runs: Runs, level: Level) -> None:
    assert Verdict.of(figures.parts(runs)).parts["a"].level is level


def test_exchanged_parts_turn_the_verdict() -> None:
    assert_exchange_turns(figures.study, found(0.90, 0.82, 0.80))


def test_boxes_that_look_at_nothing_find_little(tmp_path: Path) -> None:
    style = Style(objects=(0, 0), figures=(1, 1))
    values = [
        figures.without_looking(seed=0, folder=tmp_path, constant=constant, style=style, images={"train": 8, "test": 20}).values
        for constant in (False, True)
    ]
    assert all(0 <= each["test/mAP50"] < 0.5 for each in values) and values[0] != values[1]


def needed(windows: float, proposals: float, of_all: float) -> Runs:
    spread = (0.9, 0.95, 1.0, 1.0, 1.05, 1.1)
    shared = {"recall that was chosen": [0.8] * 6, brute.REACHED: [0.8] * 6, "recall of all boxes": [0.9] * 6}
    return Runs.made_up(
        {
            brute.WINDOWS: {
                brute.POINT: [windows * x for x in spread],
                brute.ALL: [of_all * x for x in spread],
                brute.OF_ALL: [0.9] * 6,
                **shared,
            },
            brute.PROPOSALS: {brute.POINT: [proposals * x * x for x in spread], **shared},
        }
    )


def test_windows_are_judged_by_their_number_and_against_proposals() -> None:
    def levels(runs: Runs) -> tuple[Level, Level]:
        parts = Verdict.of(brute.parts(runs)).parts
        return parts["a"].level, parts["b"].level

    assert levels(needed(3000, 1000, 150_000)) == (Level.REPRODUCED, Level.REPRODUCED)
    assert levels(needed(1000, 3000, 9000)) == (Level.INCONCLUSIVE, Level.NOT_REPRODUCED)
    assert levels(needed(1000, 1000, 150_000)) == (Level.REPRODUCED, Level.INCONCLUSIVE)
    assert levels(needed(1000, math.inf, 150_000))[1] is not Level.REPRODUCED, "proposals that never get there need more"


def test_exchanged_windows_turn_the_verdict() -> None:
    assert_exchange_turns(brute.study, needed(3000, 1000, 150_000))


def scene(boxes: list[list[float]], side: int = 80) -> Scene:
    return {
        "image": torch.zeros(3, side, side, dtype=torch.uint8),
        "boxes": torch.tensor(boxes),
        "crowd": torch.zeros(len(boxes), dtype=torch.bool),
    }


SCENES = [scene([[0, 0, 20, 20], [10, 10, 70, 75]]), scene([[30, 5, 33, 70]])]


def test_the_sides_that_an_object_takes_are_those_whose_windows_lie_on_it() -> None:
    """Against all windows of all sides at once."""
    got = _windows.by_windows(SCENES, 0.5)
    place = 0
    for each in SCENES:
        for box in each["boxes"]:
            takes = math.inf
            for k in range(len(_windows.SIDES), 0, -1):
                windows = SlidingWindows((_windows.SIDES[k - 1],), _windows.RATIOS, _windows.STEP)(each["image"])
                low, high = torch.maximum(windows[:, :2], box[:2]), torch.minimum(windows[:, 2:], box[2:])
                inner = (high - low).clamp(min=0).prod(1)
                union = (windows[:, 2:] - windows[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - inner
                takes = k if bool((inner / union >= 0.5).any()) else takes
            assert float(got.costs[place]) == takes
            place += 1
    assert got.large.tolist() == [False, True, False] and list(got.boxes) == sorted(got.boxes)


def test_recall_and_its_cost_are_inverse() -> None:
    costs, large = torch.tensor([3.0, 1.0, torch.inf, 7.0, 2.0], dtype=torch.float64), torch.tensor([1, 1, 1, 1, 0]).bool()
    known = _windows.WindowsFound(costs, large, (1.0,))
    assert known.recall() == 0.75 and known.recall(3) == 0.5 and known.recall(large=False) == 0.8
    assert [known.cost(r) for r in (0.25, 0.5, 0.75, 0.8)] == [1, 3, 7, math.inf]
    assert all(known.cost(known.recall(cost)) == cost for cost in (1, 3, 7))


def test_a_proposal_counts_by_its_rank() -> None:
    proposals = [torch.tensor([[50.0, 50, 60, 60], [0, 0, 19, 20], [12, 10, 70, 75]]), torch.zeros(0, 4)]
    got = _windows.by_proposals(SCENES, proposals, 0.5)
    assert got.costs.tolist() == [2, 3, math.inf] and got.boxes == (1.5,)
