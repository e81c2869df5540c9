"""The sheet of scenes: which panels, at which size, with which colours; and which scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.scene import DatasetMetadata, InputError
from experiments.training import drawing
from experiments.training import sheet as sheets
from experiments.training.drawing import draw, label_tile
from experiments.training.found import draw_found
from experiments.training.legend import MISSED, NEITHER, RIGHT, WRONG, Label, colour
from experiments.training.panels import FEW, LETTERS, SHOWN, WIDEST, Panels, panels_of
from experiments.training.pictures import Pictures, spread
from experiments.training.sheet import sheet

METADATA = DatasetMetadata("x", (48, 64), ("cat", "dog"), mask_classes=("background", "road", "sky", "tree"))
IMAGE = torch.randint(256, (3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def masks(truth: int = 1, found: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    true = torch.zeros(48, 64, dtype=torch.uint8)
    true[:24], true[40:] = truth, 255
    own = torch.zeros(48, 64, dtype=torch.uint8)
    own[:12], own[12:24] = truth, found
    return {"mask": true}, {"mask": own}


def boxes(n: int, score: float | None = None) -> dict[str, Any]:
    corners = torch.tensor([[4.0 * i, 4, 4 * i + 12, 20] for i in range(n)]).reshape(-1, 4)
    made = {"boxes": corners, "labels": torch.zeros(n, dtype=torch.long)}
    return made if score is None else made | {"scores": torch.full((n,), score)}


def made(truth: dict[str, Any], prediction: dict[str, Any], **more: Any) -> Panels:
    return panels_of(IMAGE, truth, prediction, METADATA, least=0.3, **more)


def colours_in(picture: Tensor) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in picture.flatten(1).T.unique(dim=0).tolist()}


# Panels -------------------------------------------------------------------------------------------------------------------


def test_a_segmentation_is_input_truth_prediction_and_errors() -> None:
    found = made(*masks())
    assert list(found.panels) == ["input", "truth", "prediction", "30% of pixels are wrong"]
    assert len({panel.shape for panel in found.panels.values()}) == 1
    assert torch.equal(found.panels["input"], draw(IMAGE, {}, METADATA, side=240))
    assert found.legend == {"background": None, "road": colour(1), "sky": colour(2)}
    assert list(found.errors) == ["right", "wrong", "not judged"]


def test_one_class_has_one_colour_whatever_lies_under_it() -> None:
    """Red and blue of the same brightness are the same under a class."""
    image = torch.zeros(3, 48, 64, dtype=torch.uint8)
    image[0, :, :32], image[2, :, 32:] = 76, 200
    image[:, :, 32:] = torch.tensor([0, 0, 200], dtype=torch.uint8)[:, None, None]
    everywhere = {"mask": torch.ones(48, 64, dtype=torch.uint8)}
    panel = panels_of(image, everywhere, everywhere, METADATA, least=0.3).panels["prediction"].int()
    left, right = panel[:, 100, 10], panel[:, 100, -10]
    assert (left - right).abs().max() <= 2


def test_boxes_are_drawn_on_the_image_itself_and_judged_beside_it() -> None:
    found = made(boxes(1), boxes(1, 0.9))
    assert list(found.panels) == ["truth", "prediction", "1 right, 0 wrong, 0 missed"]
    assert (found.legend, list(found.errors)) == ({"cat": colour(0)}, ["right", "wrong", "missed"])
    corner = draw(IMAGE, {}, METADATA, side=240)[:, -20:, -20:]
    assert torch.equal(found.panels["prediction"][:, -20:, -20:], corner)


def test_a_picture_says_that_nothing_was_found() -> None:
    none, low = boxes(0, 0.9), boxes(2, 0.2)
    for prediction in (none, low):
        panel = made(boxes(1), prediction).panels["prediction"]
        assert NEITHER in colours_in(panel[:, :30, :60])
    assert NEITHER not in colours_in(made(boxes(1), boxes(1, 0.9)).panels["prediction"][:, :30, :60])
    assert "nothing" not in str(made(boxes(0), boxes(1, 0.9)).panels), "an empty truth is no finding"


def test_what_is_said_names_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    own = label_tile.__wrapped__
    monkeypatch.setattr(drawing, "label_tile", lambda label, size: (said.append(label.text), own(label, size))[1])
    draw(IMAGE, boxes(2, 0.6), METADATA, least=0.75)
    draw(IMAGE, {"labels": torch.zeros(0, dtype=torch.long), "scores": torch.tensor([0.1, 0.2])}, METADATA)
    draw(IMAGE, boxes(1, 0.6), METADATA, least=0.5)
    assert said == ["nothing above 0.75", "no class above 0.5", "cat 0.60"]


def test_of_many_objects_the_scores_alone_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    own = label_tile.__wrapped__
    monkeypatch.setattr(drawing, "label_tile", lambda label, size: (said.append(label.text), own(label, size))[1])
    made(boxes(FEW + 1), boxes(FEW + 1, 0.9))
    assert set(said) == {".90"}
    made(boxes(1), boxes(1, 0.9))
    assert {"cat", "cat 0.90"} <= set(said)


def test_a_class_of_the_whole_image_stands_below_it() -> None:
    found = made({"label": torch.tensor(0)}, {"label": torch.tensor(1), "scores": torch.tensor([0.2, 0.8])})
    assert list(found.panels) == ["input"] and found.in_a_row == 4
    assert [label.text for label in found.below] == ["true: cat", "says: dog 0.80"]


def test_a_large_image_gives_no_larger_panel() -> None:
    image = torch.zeros(3, 600, 1500, dtype=torch.uint8)
    mask = {"mask": torch.zeros(600, 1500, dtype=torch.uint8)}
    assert {panel.shape for panel in panels_of(image, mask, mask, METADATA, least=0.3).panels.values()} == {(3, 256, WIDEST)}


# Sheets -------------------------------------------------------------------------------------------------------------------


def heights(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is written on sheets, and in letters of which height."""
    written = list[tuple[str, int]]()
    own = label_tile.__wrapped__
    monkeypatch.setattr(sheets, "label_tile", lambda label, size: (written.append((label.text, size)), own(label, size))[1])
    return written


@pytest.mark.parametrize("side", [16, 64, 300, 1200])
def test_headings_and_legend_can_be_read_where_the_sheet_is_640_pixels_wide(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written = heights(monkeypatch)
    image, mask = torch.zeros(3, side, side, dtype=torch.uint8), {"mask": torch.ones(side, side, dtype=torch.uint8)}
    picture = sheet([panels_of(image, mask, mask, METADATA, least=0.3)] * 3, METADATA)
    shown = {text: size * SHOWN / picture.shape[2] for text, size in written}
    assert {"input", "truth", "prediction", "road", "right", "wrong"} <= shown.keys()
    assert all(LETTERS - 1 <= size <= LETTERS + 4 for size in shown.values()), shown


def test_the_legend_has_each_class_that_occurs_in_the_order_of_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    written = heights(monkeypatch)
    picture = sheet([made(*masks(3, 1)), made(*masks(1, 3))], METADATA)
    names = [text for text, _ in written if text.split(" (")[0] in METADATA.mask_classes]
    assert names == ["background (not painted)", "road", "tree"]
    strip = colours_in(picture[:, -70:])
    assert {colour(1), colour(3), RIGHT, WRONG} <= strip and MISSED not in strip


def test_a_long_legend_takes_several_lines() -> None:
    names = tuple(f"a class of many words {i}" for i in range(30))
    metadata = DatasetMetadata("x", (48, 64), mask_classes=names)
    mask = {"mask": torch.arange(48 * 64).reshape(48, 64).remainder(30).to(torch.uint8)}
    found = panels_of(IMAGE, mask, mask, metadata, least=0.3)
    picture = sheet([found], metadata)
    assert all(colour(i) in colours_in(picture) for i in range(30))


def test_headings_are_not_repeated_where_they_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    written = heights(monkeypatch)
    image = {"image": IMAGE}
    picture = sheet([made({}, image, given=IMAGE)] * 4, METADATA)
    assert [text for text, _ in written] == ["truth", "given", "prediction"] * 2
    assert picture.shape[2] > 6 * 240


def test_several_scenes_of_different_kinds_fit_one_sheet() -> None:
    """Some without truth, such as a data set that has annotated a part of its images."""
    scenes = [made(boxes(1), boxes(2, 0.9)), made({}, boxes(2, 0.9)), made(boxes(0), boxes(0, 0.9))]
    assert sheet(scenes, METADATA).dtype == torch.uint8


# What is predicted, alone -------------------------------------------------------------------------------------------------


def test_a_predicted_map_names_its_classes_and_keeps_the_image_s_size() -> None:
    mask = torch.zeros(300, 400, dtype=torch.uint8)
    mask[:, :200], mask[:3, 398:] = 2, 3  # one too small to be named
    image = torch.full((3, 300, 400), 90, dtype=torch.uint8)
    drawn = draw_found(image, {"mask": mask}, METADATA, 0.3)
    assert drawn.shape == (3, 300, 400)
    named = [k for k in range(1, 4) if colour(k) in colours_in(drawn)]  # the ground of a label, which is not mixed
    assert named == [2]
    where = (drawn == torch.tensor(colour(2), dtype=torch.uint8)[:, None, None]).all(0).nonzero()
    assert where[:, 1].max() < 200, "in its own region"


@pytest.mark.parametrize("short", [640, 4000])
def test_letters_grow_with_the_image(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()
    own = label_tile.__wrapped__
    monkeypatch.setattr(drawing, "label_tile", lambda label, size: (sizes.append(size), own(label, size))[1])
    draw(torch.zeros(3, short, short, dtype=torch.uint8), boxes(1, 0.9), METADATA)
    assert sizes[0] * SHOWN / short >= 14, "shown 640 pixels wide"
    assert label_tile(Label("x", RIGHT), sizes[0]).shape[0] >= sizes[0]


# Which scenes -------------------------------------------------------------------------------------------------------------


def drawn(count: int, sizes: Sequence[int]) -> list[int]:
    starts = np.cumsum([0, *sizes])
    return [int(starts[b]) + row for b, size in enumerate(sizes) for row in spread(count, len(sizes), b, size)]


def test_scenes_are_spread_over_the_set() -> None:
    assert drawn(8, [32] * 25) == [50, 150, 250, 350, 450, 550, 650, 750]
    assert drawn(4, [10]) == [1, 3, 6, 8]
    assert drawn(8, [2]) == [0, 1] and drawn(8, [1] * 3) == [0, 1, 2] and drawn(0, [4]) == []


@pytest.mark.parametrize("batch_size", [1, 3, 8, 50])
def test_about_the_same_scenes_are_drawn_at_any_batch_size(batch_size: int) -> None:
    sizes = [batch_size] * (100 // batch_size) + ([100 % batch_size] if 100 % batch_size else [])
    found = drawn(5, sizes)
    assert len(found) == 5 and np.abs(np.array(found) - [10, 30, 50, 70, 90]).max() <= 4


def test_of_data_without_an_end_the_first_are_drawn() -> None:
    assert [spread(5, float("inf"), batch, 4) for batch in range(3)] == [[0, 1, 2, 3], [0], []]


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_no_score_can_have_is_refused(least: float) -> None:
    with pytest.raises(InputError, match="a score from 0 to 1 expected"):
        Pictures(min_score=least)
