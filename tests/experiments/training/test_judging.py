"""What a picture calls right, wrong and missed."""

from __future__ import annotations

from typing import Any

import torch

from datamodules.scene import DatasetMetadata
from experiments.training.judging import Judged, grey, judged, match, verdict
from experiments.training.legend import MISSED, NEITHER, RIGHT, WRONG

METADATA = DatasetMetadata(
    "x", (40, 60), ("cat", "dog", "cow"), mask_classes=("background", "road", "sky"), keypoints=("a", "b")
)
IMAGE = torch.randint(256, (3, 40, 60), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
BOXES = torch.tensor([[0.0, 0, 10, 10], [20.0, 0, 30, 10], [40.0, 0, 50, 10]])


def errors(truth: dict[str, Any], prediction: dict[str, Any]) -> Judged:
    found = judged(IMAGE, truth, prediction, METADATA, 0.3)
    assert found is not None
    return found


def objects(rows: list[int], labels: list[int], scores: list[float] | None = None) -> dict[str, Any]:
    return {"boxes": BOXES[rows], "labels": torch.tensor(labels, dtype=torch.long)} | (
        {} if scores is None else {"scores": torch.tensor(scores)}
    )


def test_an_object_is_right_once_and_only_as_its_own_class() -> None:
    found = match(objects([0, 0, 1], [0, 0, 2], [0.5, 0.9, 0.8]), objects([0, 1, 2], [0, 1, 1]))
    assert found.right == [(1, 0)], "the best of two at one place"
    assert sorted(found.wrong) == [0, 2] and found.missed == [1, 2]


def test_a_box_that_covers_too_little_is_wrong() -> None:
    own = objects([0], [0], [0.9])
    for shift, right in ((3.0, True), (4.0, False)):  # IoU 7/13 and 6/14
        assert bool(match(own | {"boxes": own["boxes"] + torch.tensor([shift, 0, shift, 0])}, objects([0], [0])).right) is right


def test_difficult_and_crowd_are_neither_missed_nor_wrong() -> None:
    for flag in ("difficult", "crowd"):
        truth = objects([0, 1], [0, 0]) | {flag: torch.tensor([True, False])}
        assert match(objects([0, 0], [0, 0], [0.9, 0.8]), truth) == ([], [], [1])


def test_the_one_box_of_localization_is_judged_with_the_image_s_class() -> None:
    box = {"boxes": BOXES[:1]}
    found, truth = box | {"label": torch.tensor(1), "scores": torch.tensor([0.1, 0.8, 0.1])}, box | {"label": torch.tensor(1)}
    assert match(found, truth).right == [(0, 0)] and match(found, truth | {"label": torch.tensor(0)}).wrong == [0]


def test_the_errors_of_objects_say_what_is_missed_and_what_is_wrong() -> None:
    panel = errors(objects([0, 2], [0, 1]), objects([0, 1, 2], [0, 2, 1], [0.9, 0.8, 0.1]))
    assert panel.says == "1 right, 1 wrong, 1 missed", "what is not drawn does not count"
    assert [tuple(label) for label in panel.labels] == [("cow 0.80", WRONG), ("missed dog", MISSED), ("", RIGHT)]
    assert torch.equal(panel.boxes, BOXES[[1, 2, 0]])


def test_wrong_pixels_are_red_and_what_is_ignored_is_no_error() -> None:
    truth = torch.zeros(40, 60, dtype=torch.uint8)
    truth[:20], truth[30:] = 1, 255
    found = torch.zeros_like(truth)
    found[:10], found[30:] = 1, 2
    panel = errors({"mask": truth}, {"mask": found})
    assert panel.says == "33% of pixels are wrong"  # 10 of 30 rows
    red, green, blue = panel.image.int()
    assert (red[10:20] > 150).all() and (green[10:20] < 110).all()
    assert (green[:10] > red[:10]).all(), "right"
    assert torch.equal(red[20:], green[20:]) and torch.equal(red[20:], blue[20:]), "a right background, and what is ignored"
    assert red[30:].float().mean() < red[20:30].float().mean() / 2


def test_points_are_joined_with_where_they_are() -> None:
    truth = torch.tensor([[[10.0, 10, 2], [30.0, 30, 0]], [[20.0, 20, 1], [40.0, 5, 2]]])
    found = truth.clone()
    found[1, 1, 0] = 55
    panel = errors({"keypoints": truth}, {"keypoints": found})
    assert [ink for *_, ink in panel.lines] == [RIGHT, RIGHT, WRONG] and panel.says == "2 of 3 points near"


def test_what_cannot_be_judged_has_no_panel() -> None:
    assert judged(IMAGE, {}, objects([0], [0], [0.9]), METADATA, 0.3) is None
    assert judged(IMAGE, objects([0], [0]), {"mask": torch.zeros(40, 60, dtype=torch.uint8)}, METADATA, 0.3) is None


def test_a_grey_image_has_no_colour_and_is_dark_where_it_does_not_count() -> None:
    dark = torch.zeros(40, 60, dtype=torch.bool)
    dark[:5] = True
    made = grey(IMAGE, dark)
    assert made.dtype == torch.uint8 and torch.equal(made[0], made[1]) and torch.equal(made[0], made[2])
    assert made[:, :5].max() < 80 and made[:, 5:].min() >= 40


def test_a_class_is_said_beside_the_true_one() -> None:
    scores = torch.tensor([0.1, 0.7, 0.2])
    for true, ink in ((1, RIGHT), (0, WRONG)):
        lines = verdict({"label": torch.tensor(true)}, {"label": torch.tensor(1), "scores": scores}, METADATA)
        assert [tuple(line) for line in lines] == [(f"true: {METADATA.classes[true]}", NEITHER), ("says: dog 0.70", ink)]
    assert verdict({}, {"label": torch.tensor(1)}, METADATA)[-1].colour == NEITHER, "nobody knows"


def test_of_several_classes_each_is_named_and_judged() -> None:
    scores = torch.tensor([0.9, 0.8, 0.2])
    lines = verdict({"labels": torch.tensor([0, 0, 2])}, {"labels": torch.tensor([0, 1]), "scores": scores}, METADATA)
    assert [tuple(line) for line in lines] == [("cat 0.90", RIGHT), ("dog 0.80", WRONG), ("missed cow 0.20", MISSED)]
    none = torch.zeros(0, dtype=torch.long)
    (line,) = verdict({"labels": none}, {"labels": none, "scores": scores}, METADATA)
    assert tuple(line) == ("no class, and none there", RIGHT)


def test_a_task_that_says_nothing_of_the_whole_image_has_no_lines() -> None:
    assert verdict({"labels": torch.tensor([0])}, objects([0], [0], [0.9]), METADATA) == []
    assert verdict({}, {"mask": torch.zeros(4, 4, dtype=torch.uint8)}, METADATA) == []
