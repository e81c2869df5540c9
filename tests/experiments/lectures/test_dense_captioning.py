"""The verdict on dense captioning, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cs231n import dense_captioning_is_learned_as_one as dense
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

APART = [0.20, 0.70, 0.35, 0.60, 0.30]


def runs(
    joint: list[float],
    two_stage: list[float],
    full_image: list[float],
    boxes: float = 0.60,
    template: float = 0.35,
    **kwargs: object,
) -> Runs:
    """AP of slots of each variant, the box AP of the one network, and the AP of the phrase that knows the class."""
    shared = {dense.TEMPLATE: five(template), dense.CONSTANT: five(0.16), "test/mAP50": five(0.8)}
    naming = {f"test/named_{what}": five(0.1) for what in ("held_out", "chance", "seen")} | {"test/dense_mAP": five(0.8)}
    made = {dense.JOINT: (joint, boxes), dense.TWO_STAGE: (two_stage, 0.60), dense.FULL_IMAGE: (full_image, 0.60)}
    return Runs.made_up(
        {name: {dense.SLOTS: slots, dense.BOX_AP: five(box), **shared, **naming} for name, (slots, box) in made.items()},
        **kwargs,  # type: ignore[arg-type]
    )


def levels(made: Runs) -> dict[str, Level]:
    return {key: part.level for key, part in Verdict.of(dense.parts(made)).parts.items()}


@pytest.mark.parametrize(
    ("joint", "two_stage", "full_image", "expected"),
    [
        (five(0.60), five(0.62), five(0.30), Level.REPRODUCED),
        (five(0.60), five(0.50), five(0.30), Level.REPRODUCED),  # to be better is no worse
        (five(0.60), five(0.62), five(0.50), Level.DIRECTION_ONLY),
        (five(0.60), five(0.70), five(0.30), Level.DIRECTION_ONLY),  # more than of whole images, at a price
        (five(0.60), five(0.62), five(0.70), Level.NOT_REPRODUCED),
        (APART, five(0.50), five(0.30), Level.INCONCLUSIVE),
        (five(0.30), five(0.32), five(0.18), Level.INCONCLUSIVE),  # below the phrase that knows the class
        (five(0.60), five(0.62), five(0.10), Level.INCONCLUSIVE),  # below one phrase for every box
    ],
)
def test_trained_as_one(joint: list[float], two_stage: list[float], full_image: list[float], expected: Level) -> None:
    assert levels(runs(joint, two_stage, full_image))["a"] == expected


@pytest.mark.parametrize(
    ("boxes", "expected"), [(0.60, Level.REPRODUCED), (0.65, Level.REPRODUCED), (0.55, Level.NOT_REPRODUCED)]
)
def test_boxes_that_share_their_maps_with_phrases(boxes: float, expected: Level) -> None:
    assert levels(runs(five(0.60), five(0.62), five(0.30), boxes))["b"] == expected


def test_a_rate_at_the_edge_of_the_full_image_captioner_leaves_the_boxes_valid() -> None:
    made = runs(five(0.60), five(0.62), five(0.30), inside={dense.FULL_IMAGE: False})
    assert levels(made) == {"a": Level.INCONCLUSIVE, "b": Level.REPRODUCED}


def test_an_exchange_turns_it() -> None:
    assert_exchange_turns(dense.study, runs(five(0.60), five(0.62), five(0.30)))
