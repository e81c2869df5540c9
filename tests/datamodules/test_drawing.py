"""Drawn scenes: what a user may rely on, whatever the style."""

from __future__ import annotations

import hashlib
from colorsys import rgb_to_hsv
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.checking import problems
from datamodules.drawing import FIGURE, OUTLINES, Style, draw, metadata
from datamodules.drawing.colors import HUES
from datamodules.drawing.figure import FLIP_PAIRS, KEYPOINTS, SKELETON
from datamodules.drawing.language import FILLS, DescribedObject, captions
from datamodules.scene import Scene

share = st.floats(0, 1)
PLAIN = Style(clutter=0, texture=0, noise=0, lighting=0, thin=0)


@st.composite
def styles(draw_: st.DrawFn) -> Style:
    height, width = draw_(st.integers(16, 80)), draw_(st.integers(16, 80))
    pixels = 4.01 / min(height, width)
    largest = draw_(st.floats(max(pixels / 0.59, 0.1), 1))
    counts = draw_(st.tuples(st.integers(0, 3), st.integers(0, 4)))
    figures = draw_(st.tuples(st.integers(0, 1), st.integers(0, 2)))
    return Style(
        image_size=(height, width),
        classes=tuple(draw_(st.lists(st.sampled_from(list(OUTLINES)), min_size=1, unique=True))),
        objects=(counts[0], counts[0] + counts[1]),
        object_size=(draw_(st.floats(min(pixels, 0.59 * largest), 0.59 * largest)), largest),
        color_cue=draw_(share),
        combinations=draw_(st.sampled_from(["all", "seen", "unseen"])),
        rotation=draw_(st.floats(0, 180)),
        aspect=draw_(st.floats(0, 0.5)),
        clutter=draw_(share),
        occlusion=draw_(share),
        texture=draw_(share),
        thin=draw_(share),
        noise=draw_(st.floats(0, 0.5)),
        lighting=draw_(share),
        figures=(figures[0], figures[0] + figures[1]),
        articulation=draw_(share),
    )


def scenes(style: Style, count: int, seed: int = 0) -> list[Scene]:
    return [draw(seed, index, style) for index in range(count)]


@settings(max_examples=100, deadline=None)
@given(styles(), st.integers(0, 2**40))
def test_every_style_keeps_the_contract(style: Style, index: int) -> None:
    scene, known = draw(3, index, style), metadata(style)
    assert problems(scene, known) == ([], {})
    assert tuple(scene["image"].shape) == (3, *style.image_size)
    assert len(scene["labels"]) <= style.objects[1] + style.figures[1]
    assert ("label" in scene) == (len(scene["labels"]) > 0)
    if style.objects[0] + style.figures[0] > 0:
        assert scene["label"] == scene["labels"][0]
    assert scene["boxes"].dtype == torch.float32 and scene["labels"].dtype == torch.int64


@settings(max_examples=100, deadline=None)
@given(styles(), st.integers(0, 2**40))
def test_boxes_masks_and_keypoints_tell_one_story(style: Style, index: int) -> None:
    scene = draw(4, index, style)
    painted = torch.zeros(style.image_size, dtype=torch.uint8)
    for mask, label, (x1, y1, x2, y2) in zip(scene["masks"], scene["labels"], scene["boxes"].tolist(), strict=True):
        assert not painted[mask > 0].any(), "a pixel belongs to two objects"
        painted[mask > 0] = int(label) + 1
        y, x = mask.nonzero(as_tuple=True)
        assert (x1, y1, x2, y2) == (x.min(), y.min(), x.max() + 1, y.max() + 1)
    assert torch.equal(painted, scene["mask"])
    for keypoints, label, (x1, y1, x2, y2) in zip(scene["keypoints"], scene["labels"], scene["boxes"].tolist(), strict=True):
        x, y, v = keypoints[keypoints[:, 2] > 0].T
        assert int(label) == len(style.classes) or len(v) == 0
        assert ((x >= x1 - 1) & (x <= x2 + 1) & (y >= y1 - 1) & (y <= y2 + 1)).all()


@settings(max_examples=100, deadline=None)
@given(styles(), st.integers(0, 2**40))
def test_captions_name_each_object_in_words_of_the_vocabulary(style: Style, index: int) -> None:
    scene, known = draw(5, index, style), metadata(style)
    assert len(scene["captions"]) == len(scene["labels"])
    for caption, label in zip(scene["captions"], scene["labels"].tolist(), strict=True):
        words = caption.split()
        assert set(words) <= set(known.vocabulary)
        assert next(word for word in words if word in known.classes) == known.classes[label]


def test_a_scene_depends_on_its_seed_and_index_alone() -> None:
    style = Style(figures=(0, 1))
    first, again = draw(1, 7, style), draw(1, 7, style)
    for field in ("image", "mask", "boxes", "labels", "masks", "keypoints", "label"):
        assert torch.equal(first[field], again[field])  # type: ignore[literal-required]
    assert first["captions"] == again["captions"]
    assert not torch.equal(first["image"], draw(1, 8, style)["image"])
    assert not torch.equal(first["image"], draw(2, 7, style)["image"])


CROWDED = Style(classes=tuple(OUTLINES), objects=(3, 6), image_size=(96, 80), occlusion=1, thin=0.5, rotation=180)
WILD = Style(figures=(1, 2), articulation=1, clutter=1, texture=1, noise=0.1, lighting=1)


@pytest.mark.parametrize(
    ("style", "expected"), [(Style(), "a4dfe21c39571b5d"), (CROWDED, "74a7bd3b6ec70c56"), (WILD, "1ebf4bc562b232c5")]
)
def test_the_drawings_are_the_same_on_every_machine(style: Style, expected: str) -> None:
    """When this fails, every measured figure about Shapes is out of date: change the drawings on purpose or not at all."""
    digest = hashlib.sha256()
    for scene in scenes(style, 8, seed=2018):
        for field in ("image", "mask", "masks", "boxes", "labels"):
            digest.update(scene[field].numpy().tobytes())  # type: ignore[literal-required]
        digest.update(" ".join(scene["captions"]).encode())
        digest.update((scene["keypoints"] * 16).round().to(torch.int32).numpy().tobytes())
    assert digest.hexdigest()[:16] == expected


def test_what_hides_the_objects_does_not_move_them() -> None:
    easy = replace(PLAIN, objects=(1, 4), figures=(0, 1))
    hard = replace(easy, clutter=1, texture=1, noise=0.3, lighting=1)
    for index in range(20):
        one, other = draw(0, index, easy), draw(0, index, hard)
        assert torch.equal(one["masks"], other["masks"]) and torch.equal(one["labels"], other["labels"])
        assert not torch.equal(one["image"], other["image"])


def hull(mask: torch.Tensor) -> float:
    return float(cv2.contourArea(cv2.convexHull(mask.nonzero().numpy().astype(np.int32))))


@pytest.mark.parametrize("figures", [(0, 0), (1, 1)])
def test_the_main_object_is_clearly_the_largest(figures: tuple[int, int]) -> None:
    style = Style(classes=tuple(OUTLINES), objects=(2, 5), figures=figures, rotation=180, aspect=0.5, occlusion=0.3, thin=0.3)
    for scene in scenes(style, 150):
        main, *others = (hull(mask) for mask in scene["masks"])
        assert all(other < 0.8 * main for other in others)


def test_the_number_of_objects_is_what_was_asked_for() -> None:
    counts = [len(scene["labels"]) for scene in scenes(Style(objects=(0, 3), object_size=(0.1, 0.4)), 200)]
    assert set(counts) == {0, 1, 2, 3}
    crowds = [len(scene["labels"]) for scene in scenes(Style(objects=(6, 6), object_size=(0.1, 0.35), occlusion=0.1), 60)]
    assert np.mean([count == 6 for count in crowds]) > 0.95


def test_without_occlusion_no_two_boxes_overlap() -> None:
    for scene in scenes(Style(objects=(4, 4), object_size=(0.1, 0.4), occlusion=0), 60):
        x1, y1, x2, y2 = scene["boxes"].T
        wide = torch.minimum(x2, x2[:, None]) - torch.maximum(x1, x1[:, None])
        high = torch.minimum(y2, y2[:, None]) - torch.maximum(y1, y1[:, None])
        overlap = torch.minimum(wide, high).fill_diagonal_(0)
        assert overlap.max() <= 1  # a pixel that two objects share has room for two boxes' edges


def test_occlusion_hides_but_leaves_enough_to_see() -> None:
    style = Style(objects=(4, 4), occlusion=0.8, classes=("square",), rotation=0, aspect=0, thin=0)
    fullness = []
    for scene in scenes(style, 60):
        sides = scene["boxes"][:, 2:] - scene["boxes"][:, :2]
        fullness += (scene["masks"].sum((1, 2)) / sides.prod(1)).tolist()
    assert min(fullness) > 0.2
    assert 0.1 < np.mean([f < 0.9 for f in fullness]) < 0.9


def color_table(style: Style, count: int) -> np.ndarray:
    """How often each class (row) has each hue (column)."""
    table = np.zeros((len(style.classes), len(HUES)))
    for scene in scenes(style, count):
        for caption, label in zip(scene["captions"], scene["labels"].tolist(), strict=True):
            table[label, HUES.index(caption.split()[2])] += 1
    return table


def chi_squared(table: np.ndarray) -> float:
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def test_without_a_color_cue_colors_say_nothing_of_classes() -> None:
    free, cued = (chi_squared(color_table(Style(image_size=(32, 32), color_cue=cue), 800)) for cue in (0, 0.2))
    # 5 x 11 degrees of freedom: above 93 once in a thousand.
    assert free < 93 < cued


def test_with_the_full_color_cue_each_class_has_a_hue_of_its_own() -> None:
    table = color_table(Style(image_size=(48, 48), classes=tuple(OUTLINES), color_cue=1), 300)
    assert ((table > 0) == np.eye(12, dtype=bool)).all()


def test_unseen_combinations_are_those_that_seen_leaves_out() -> None:
    both = [color_table(Style(image_size=(32, 32), combinations=kind), 600) > 0 for kind in ("seen", "unseen")]
    assert not (both[0] & both[1]).any()
    assert (both[0] | both[1]).all()


def test_color_words_are_the_drawn_hues() -> None:
    style = replace(PLAIN, classes=("circle", "square", "heart"), objects=(1, 3))
    for scene in scenes(style, 60):
        for caption, mask in zip(scene["captions"], scene["masks"].numpy(), strict=True):
            inner = cv2.erode(np.pad(mask, 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1]
            red, green, blue = (scene["image"].numpy()[:, inner > 0].mean(1) / 255).tolist()
            hue = rgb_to_hsv(red, green, blue)[0] * 12
            away = abs((hue - HUES.index(caption.split()[2]) + 6) % 12 - 6)
            assert away < 0.3, caption


def test_words_for_fills_come_with_what_is_drawn() -> None:
    def fills(style: Style) -> set[str]:
        return {word for scene in scenes(style, 80) for caption in scene["captions"] for word in caption.split()} & set(FILLS)

    assert fills(PLAIN) == set()
    assert fills(replace(PLAIN, texture=0.5)) == {"striped", "spotted", "checked"}
    assert fills(replace(PLAIN, thin=0.5)) == {"hollow"}


def test_hollow_shapes_are_mostly_hole() -> None:
    style = Style(classes=("square",), objects=(1, 1), object_size=(0.5, 0.5), rotation=0)
    solid, hollow = (
        np.mean([float(scene["masks"].float().mean()) for scene in scenes(replace(style, thin=thin), 10)]) for thin in (0, 1)
    )
    assert hollow < 0.4 * solid


def test_the_constant_prediction_scores_little() -> None:
    style = Style()
    background = np.mean([float((scene["mask"] == 0).float().mean()) for scene in scenes(style, 200)])
    assert background / (len(style.classes) + 1) < 0.15


def test_a_standing_figure_faces_the_viewer() -> None:
    names = {name: i for i, name in enumerate(KEYPOINTS)}
    for scene in scenes(Style(figures=(1, 1), objects=(0, 0), articulation=0), 20):
        x, y, v = scene["keypoints"][0].T
        assert (v == 2).all()
        for left, right in ((f"left_{part}", f"right_{part}") for part in ("ankle", "knee", "hip", "wrist", "shoulder")):
            assert x[names[right]] < x[names[left]]
        down = [names[name] for name in ("head_top", "neck", "right_hip", "right_knee", "right_ankle")]
        assert (y[down].diff() > 0).all()


def test_right_limbs_are_light_and_left_limbs_dark() -> None:
    style = replace(PLAIN, image_size=(128, 128), figures=(1, 1), objects=(0, 0), articulation=1)
    turned = 0
    for scene in scenes(style, 60):
        keypoints = scene["keypoints"][0, :, :2]
        light, dark = (keypoints[[a, b]].mean(0).int().tolist() for a, b in ((0, 1), (5, 4)))
        if max(abs(light[0] - dark[0]), abs(light[1] - dark[1])) < 12:
            continue  # one shin may lie over the other
        grey = scene["image"].float().mean(0)
        assert grey[light[1], light[0]] > grey[dark[1], dark[0]] + 30
        turned += int(keypoints[8, 0] > keypoints[9, 0])
    assert turned > 10, "some figures are seen from behind"


def test_keypoints_that_others_hide_are_marked() -> None:
    seen = torch.cat([scene["keypoints"][0, :, 2] for scene in scenes(Style(figures=(1, 1), objects=(4, 4), occlusion=1), 60)])
    assert {0, 1, 2} >= set(seen.tolist()) >= {1, 2}
    assert (seen == 2).float().mean() > 0.7


def test_flip_pairs_and_skeleton_fit_the_keypoints() -> None:
    for a, b in FLIP_PAIRS:
        assert {KEYPOINTS[a].split("_", 1)[0], KEYPOINTS[b].split("_", 1)[0]} == {"left", "right"}
        assert KEYPOINTS[a].split("_", 1)[1] == KEYPOINTS[b].split("_", 1)[1]
    assert {keypoint for bone in SKELETON for keypoint in bone} == set(range(14))


def test_a_figure_is_the_last_class_where_there_are_figures() -> None:
    assert metadata(Style()).classes == Style().classes
    assert metadata(Style(figures=(0, 1))).classes[-1] == FIGURE
    assert metadata(Style(figures=(0, 1))).mask_classes[0] == "background"


def test_images_may_be_larger_than_a_texture() -> None:
    scene = draw(0, 0, Style(image_size=(300, 700)))
    assert problems(scene, metadata(Style(image_size=(300, 700)))) == ([], {})
    assert scene["image"].shape == (3, 300, 700)


def test_a_caption_says_where_the_nearest_other_object_is() -> None:
    ring = DescribedObject((40, 10, 60, 30), "red", "hollow", "ring")
    square = DescribedObject((5, 12, 15, 22), "blue", "", "square")
    star = DescribedObject((0, 70, 100, 99), "green", "spotted", "star")
    assert captions([ring], 100) == ["a small red hollow ring"]
    assert captions([ring, square, star], 100) == [
        "a small red hollow ring right of a small blue square",
        "a small blue square left of a small red ring",
        "a large green spotted star below a small red ring",
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"color_cue": 1.5}, r"Style.color_cue is 1.5: expected 0 to 1"),
        ({"classes": ("circle", "blob")}, r"Style.classes .* names out of circle, square"),
        ({"classes": ("circle", "circle")}, r"Style.classes .* different names"),
        ({"objects": (3, 1)}, r"Style.objects is \(3, 1\): expected \(least, greatest\)"),
        ({"object_size": (0.5, 0.6)}, r"Style.object_size .* several objects"),
        ({"image_size": (16, 16)}, r"Style.object_size .* at least 4 pixels"),
        ({"image_size": (8, 64)}, r"Style.image_size .* at least 16"),
        ({"combinations": "some"}, r"Style.combinations is some: expected all, seen or unseen"),
        ({"rotation": 200}, r"Style.rotation is 200: expected 0 to 180 degrees"),
    ],
)
def test_a_style_out_of_range_says_what_would_be_right(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Style(**values)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
