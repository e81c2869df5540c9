"""What is counted of phrases of drawn scenes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from datamodules.drawing.slots import slots
from datamodules.held_out_shapes import is_held_out
from experiments.measures.captions import Commonest, naming

KNOWN = [
    slots(phrase)
    for phrase in ("a small red ring left of a large blue star", "a small red star above a ring", "a large blue star")
]


def test_the_commonest_words_are_one_phrase_and_know_a_class_where_it_is_given() -> None:
    common = Commonest(KNOWN)
    assert common.phrase() == "a small red star" and common.phrase("ring") == "a small red ring"


def test_the_template_knows_the_class_under_each_box_and_nothing_else() -> None:
    prediction: Any = {"boxes": torch.tensor([[0.0, 0, 9, 9], [50, 50, 60, 60]]), "captions": ["x", "y"]}
    said = Commonest(KNOWN).template(prediction, torch.tensor([[0.0, 0, 10, 10]]), ["a large blue hollow ring"])
    assert said["captions"] == ["a small red ring", "a small red star"]
    assert Commonest(KNOWN).template(prediction, torch.zeros(0, 4), [])["captions"] == ["a small red star"] * 2


def test_what_words_drawn_independently_would_name() -> None:
    common = Commonest(KNOWN)
    assert common.chance(slots("a large blue star above a ring")) == pytest.approx(1 / 3 * 2 / 3 * 1 / 3)


def test_a_combination_is_named_where_colour_class_and_relation_are() -> None:
    true = "a small red circle left of a large blue star"
    assert is_held_out("red", "circle", "left") and not is_held_out("red", "circle", "above")
    pairs = [
        (slots(said), slots(true)) for said in (true, "a large red hollow circle left of a ring", "a small red circle", "a red")
    ]
    values = naming(pairs, Commonest(KNOWN))
    assert values["named_held_out"] == 0.5 and math.isnan(values["named_seen"]), "size and fill do not count, a relation does"
    assert values["color_right"] == 1.0 and values["class_right"] == 0.75 and values["relation_right"] == 0.5
