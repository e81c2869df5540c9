"""Drawn scenes whose training part lacks some combinations."""

from __future__ import annotations

from typing import Any

from datamodules import HeldOutShapes
from datamodules.drawing import Style
from datamodules.drawing.slots import slots
from datamodules.held_out_shapes import is_held_out


def test_training_scenes_hold_no_held_out_combination_and_test_scenes_do() -> None:
    data = HeldOutShapes(image_size=48, train=60, val=20, test=60, workers=0, style=Style(objects=(2, 4)))
    data.require(frozenset({"boxes", "captions"}))

    def held_out(split: Any) -> int:
        scenes = data.scenes(split)
        said = [slots(caption) for i in range(len(scenes)) for caption in scenes[i]["captions"]]
        return sum(is_held_out(each.color, each.name, each.relation) for each in said)

    assert held_out("train") == held_out("val") == 0 < held_out("test")
    assert set(data.scenes("train")[0]) == set(data.scenes("test")[0]), "no field that was not asked for"


def test_a_mirror_makes_no_held_out_combination_of_one_that_is_seen() -> None:
    for color in ("red", "blue"):
        for name in ("ring", "star", "circle"):
            for one, other in (("left", "right"), ("above", "below")):
                assert is_held_out(color, name, one) == is_held_out(color, name, other)
            assert not (is_held_out(color, name, "left") and is_held_out(color, name, "above")), "each pair is seen somewhere"
