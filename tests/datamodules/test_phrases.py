"""Captions stay true when their image is mirrored, cropped, resized or recoloured, or are left out."""

from __future__ import annotations

from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules import Shapes, VisualGenome
from datamodules.drawing import Style, draw
from datamodules.drawing.language import SIZES, DescribedObject, captions
from datamodules.phrases import COLORS, DEPENDENT, LEFT_OUT, RECOLORING, true_phrases
from datamodules.scene import InputError, Scene
from datamodules.transforms import SceneTransform
from tests.support import tiny

STYLE = Style(objects=(2, 4))


def fields(index: int, *names: str) -> Scene:
    scene = draw(3, index, STYLE)
    return {f: scene[f] for f in ("image", "boxes", "labels", "captions", *names)}  # type: ignore[literal-required, return-value]


def described(phrase: str, box: list[float]) -> DescribedObject:
    """What a caption of the grammar says of its own object."""
    words = phrase.split()
    fill = words[3] if words[3] not in STYLE.classes else ""
    return DescribedObject((box[0], box[1], box[2], box[3]), words[2], fill, words[4] if fill else words[3])


@pytest.mark.parametrize(
    "augment",
    [
        [A.HorizontalFlip(p=1)],
        [A.VerticalFlip(p=1)],
        [A.HorizontalFlip(p=1), A.VerticalFlip(p=1)],
        [A.Rotate((180, 180), p=1)],
        [A.OneOf([A.HorizontalFlip(p=1), A.NoOp(p=1)], p=1), A.RandomBrightnessContrast(p=1)],
        [A.HorizontalFlip(p=1), A.Resize(48, 48, p=1)],
    ],
)
@pytest.mark.parametrize("with_keypoints", [False, True])
def test_a_mirrored_scene_says_what_its_drawing_would(augment: list[Any], with_keypoints: bool) -> None:
    transform = SceneTransform(augment, (64, 64), "stretch")
    for index in range(12):
        before = fields(index, *["keypoints"] * with_keypoints)
        after = transform(before, (index,))
        things = [described(p, b) for p, b in zip(before["captions"], after["boxes"].tolist(), strict=True)]
        assert after["captions"] == captions(things, 64)
    assert before["captions"] == draw(3, 11, STYLE)["captions"], "the scene that was given is not changed"


def test_left_and_right_are_exchanged_and_nothing_else_is() -> None:
    phrases = ["a red bowl on the right", "the leftmost man", "a bright window", "upright posts on top of the hill"]
    assert true_phrases(phrases, (True, False)) == [
        "a red bowl on the left", "the rightmost man", "a bright window", "upright posts on top of the hill",
    ]  # fmt: skip
    assert true_phrases(["a cup above a plate"], (False, True)) == ["a cup below a plate"]
    assert true_phrases(phrases, (False, False)) == phrases
    assert true_phrases(phrases, None) == [LEFT_OUT, LEFT_OUT, "a bright window", LEFT_OUT]


@given(st.lists(st.sampled_from(["a", "ring", "red", *sorted(DEPENDENT)]), max_size=8), st.booleans(), st.booleans())
@settings(deadline=None)
def test_a_mirror_undoes_itself(words: list[str], across: bool, along: bool) -> None:
    phrase = " ".join(words)
    assert true_phrases(true_phrases([phrase], (across, along)), (across, along)) == [phrase]


@pytest.mark.parametrize(
    "move",
    [
        A.RandomCrop(40, 40, p=1),
        A.Rotate((30, 30), p=1),
        A.Transpose(p=1),
        A.Affine(scale=1.4, p=1),
        A.Affine(translate_px=8, p=1),
    ],
)
def test_what_shows_another_part_leaves_out_what_names_a_place_a_size_or_a_neighbour(move: Any) -> None:
    transform = SceneTransform([move], (64, 64), "stretch")
    scene = fields(5)
    scene["captions"] = [*scene["captions"][1:], "a red ring"]  # one that depends on nothing
    after = transform(scene, (0,))
    assert set(after["captions"]) <= {LEFT_OUT, "a red ring"}
    assert len(after["captions"]) == len(after["boxes"]), "objects stay"


def test_cutting_an_image_to_size_does_the_same_and_borders_do_not() -> None:
    scene = fields(5)
    scene["image"] = torch.zeros(3, 64, 96, dtype=torch.uint8)
    before = list(scene["captions"])
    assert set(SceneTransform((), (64, 64), "crop")(scene, ())["captions"]) == {LEFT_OUT}
    for mode in ("stretch", "letterbox"):
        assert SceneTransform((), (64, 64), mode)(scene, ())["captions"] == before  # type: ignore[arg-type]
    scene["image"] = torch.zeros(3, 32, 32, dtype=torch.uint8)
    scene["boxes"] = scene["boxes"] / 2
    assert SceneTransform((), (64, 64), "crop")(scene, ())["captions"] == before, "nothing is cut away"


@pytest.mark.parametrize("name", sorted(RECOLORING))
def test_what_changes_colours_is_one_of_albumentations(name: str) -> None:
    assert hasattr(A, name)


def test_what_changes_colours_is_refused_by_name_where_a_caption_names_one() -> None:
    nested = [A.OneOf([A.HueSaturationValue(p=1), A.NoOp(p=1)], p=1)]
    with pytest.raises(InputError, match=r"data.augment: HueSaturationValue changes colours, and a caption names one \('a "):
        SceneTransform(nested, (64, 64), "stretch")(fields(0), (0,))
    plain = fields(0)
    plain["captions"] = ["a thing"] * len(plain["captions"])
    assert SceneTransform(nested, (64, 64), "stretch")(plain, (0,))["captions"] == plain["captions"]
    del plain["captions"]
    SceneTransform(nested, (64, 64), "stretch")(plain, (0,))


def test_every_word_of_the_grammar_that_may_change_is_known() -> None:
    words = set(Shapes().metadata.vocabulary)
    assert {*SIZES, "left", "right", "above", "below"} <= DEPENDENT
    assert set(words) - DEPENDENT - COLORS == {"a", "of", *STYLE.classes, "striped", "spotted", "checked", "hollow"}


def test_captions_cost_no_other_field_its_place(tmp_path: Any) -> None:
    augment = [A.HorizontalFlip(p=0.5), A.Affine(rotate=(-20, 20), p=0.5)]
    for seed in range(20):
        with_texts = SceneTransform(augment, (64, 64), "stretch")(fields(seed), (seed,))
        scene = fields(seed)
        del scene["captions"]
        without = SceneTransform(augment, (64, 64), "stretch")(scene, (seed,))
        assert torch.equal(with_texts["image"], without["image"]) and torch.equal(with_texts["boxes"], without["boxes"])


def test_regions_of_visual_genome_are_mirrored_with_their_phrases(tmp_path: Any) -> None:
    root = tiny.write_visual_genome(tmp_path)
    path = root / "region_descriptions.json"
    path.write_text(path.read_text().replace("a dog, running", "a dog on the left"))
    data = VisualGenome(str(root), image_size=32, batch_size=1, workers=0, augment=[A.HorizontalFlip(p=1)])
    batch = next(iter(data.train_dataloader()))
    assert batch is not None and batch["captions"] == [["the cats red ball", "a dog on the right"]]
    assert np.allclose(batch["boxes"][0][0, 2].item(), 32 - (batch_x(path, data) * 32 / 50), atol=1e-4)


def batch_x(path: Any, data: VisualGenome) -> float:
    """The left end of the first region of the first training image, in its own pixels."""
    name = next(iter(data.train_dataloader()))["name"][0]  # type: ignore[index]
    return float(data.regions[int(name.split("/")[-1].split(".")[0])][0][0][0])
