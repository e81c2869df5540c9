"""What is drawn over an image, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.scene import DatasetMetadata, InputError
from experiments.training.drawing import draw, write_picture, write_pixels
from experiments.training.legend import BASE, KEYPOINT, colour, image_label, object_labels
from experiments.training.pictures import with_pictures_spelled

METADATA = DatasetMetadata(
    "x", (200, 200), ("person", "ring"), mask_classes=("background", "road"), keypoints=("a", "b"), skeleton=((0, 1),)
)
GREY = torch.full((3, 200, 240), 100, dtype=torch.uint8)


def changed(fields: dict[str, Any], image: torch.Tensor = GREY) -> np.ndarray[Any, Any]:
    """bool (H, W): where drawing changed the image."""
    before = image.clone()
    drawn = draw(image, fields, METADATA)
    assert torch.equal(image, before)  # what is drawn upon is a copy
    return (drawn != draw(image, {}, METADATA)).any(0).numpy()


def test_the_outline_of_a_box_covers_its_first_and_its_last_pixel() -> None:
    boxes = torch.tensor([[60.0, 80, 160, 150]])
    drawn = draw(GREY, {"boxes": boxes, "labels": torch.tensor([1])}, METADATA)
    at = (drawn == torch.tensor(colour(1), dtype=torch.uint8)[:, None, None]).all(0)
    assert at[80:150, 60].all() and at[80:150, 159].all() and at[149, 60:160].all()
    assert not at[:, 163:].any() and not at[153:].any()  # a line is two pixels wide
    assert torch.equal(drawn[:, 90:140, 70:150], GREY[:, 90:140, 70:150])


def test_the_label_of_a_box_stands_above_it_and_inside_the_image_wherever_the_box_is() -> None:
    above = changed({"boxes": torch.tensor([[60.0, 80, 160, 150]]), "labels": torch.tensor([0])})
    assert above[66:78, 62:90].all() and not above[:60].any()
    for box in ([0.0, 0, 240, 200], [230.0, 2, 240, 20], [-50.0, -50, 300, 300], [float("nan")] * 4, [float("inf")] * 4):
        assert changed({"boxes": torch.tensor([box]), "labels": torch.tensor([0])}).any()


def test_a_map_of_classes_covers_what_is_a_class_and_no_background() -> None:
    mask = torch.zeros(200, 240, dtype=torch.uint8)
    mask[:50], mask[100:] = 1, 255  # ignored
    at = changed({"mask": mask})
    assert at[:50].all() and not at[50:].any()
    drawn = draw(GREY, {"mask": mask}, METADATA)[:, 0, 0].float()
    assert torch.allclose(drawn, 0.4 * 100 + 0.6 * torch.tensor(colour(1)).float(), atol=1)


def test_each_instance_s_mask_has_its_own_colour_and_the_best_lies_on_top() -> None:
    masks = torch.zeros(2, 200, 240, dtype=torch.uint8)
    masks[0, 20:80, 20:80] = masks[1, 50:120, 50:120] = 1
    both, first = (draw(GREY, {"masks": some}, METADATA) for some in (masks, masks[:1]))
    at = changed({"masks": masks})
    assert np.array_equal(at, masks.any(0).numpy())
    assert torch.equal(both[:, 30, 30], first[:, 30, 30]) and not torch.equal(both[:, 30, 30], both[:, 100, 100])
    shares = [(both[:, 60, 60].float() - torch.tensor(colour(i)).float()).abs().sum() for i in (0, 1)]
    assert shares[0] < shares[1]


def test_a_bone_is_drawn_between_two_labelled_keypoints_only() -> None:
    points = torch.tensor([[[50.0, 50, 2], [150.0, 50, 2]]])
    at = changed({"keypoints": points})
    assert at[50, 50:150].all() and not at[70:].any()
    drawn = draw(GREY, {"keypoints": points}, METADATA)
    assert tuple(drawn[:, 49, 50].tolist()) == KEYPOINT
    points[0, 1, 2] = 0
    alone = changed({"keypoints": points})
    assert alone[50, 50] and not alone[50, 70:].any()
    points[0, 0, 0] = float("nan")
    assert not changed({"keypoints": points}).any()


def test_a_small_image_is_enlarged_by_a_whole_factor_and_stays_itself() -> None:
    image = torch.arange(3 * 49 * 60, dtype=torch.int32).remainder(256).to(torch.uint8).view(3, 49, 60)
    assert torch.equal(draw(image, {}, METADATA), image.repeat_interleave(4, 1).repeat_interleave(4, 2))


@pytest.mark.parametrize("name", ["Straße", "x" * 5000, "a\nb\x1b[2J", "", "犬"])
def test_any_name_of_a_class_can_be_drawn(name: str) -> None:
    named = DatasetMetadata("x", (200, 200), (name, "b"))
    fields = {"boxes": torch.tensor([[60.0, 80, 160, 150]]), "labels": torch.tensor([0])}
    assert draw(GREY, fields, named).shape == GREY.shape
    assert draw(GREY, {"label": torch.tensor(0)}, named).shape == GREY.shape


def test_what_is_said_of_an_image_and_of_its_objects() -> None:
    scores = torch.tensor([0.25, 0.75])
    assert image_label({"label": torch.tensor(1), "scores": scores}, METADATA) == "ring 0.75"
    assert image_label({"labels": torch.tensor([0, 1]), "scores": scores}, METADATA) == "person 0.25, ring 0.75"
    boxes = {"boxes": torch.zeros(2, 4), "labels": torch.tensor([1, 0]), "scores": scores}
    assert [tuple(label) for label in object_labels(boxes, 2, METADATA)] == [
        ("ring 0.25", colour(1)),
        ("person 0.75", colour(0)),
    ]
    one = {"boxes": torch.zeros(1, 4), "label": torch.tensor(1), "scores": scores}
    assert object_labels(one, 1, METADATA) == [("ring 0.75", colour(1))]
    captioned = {"boxes": torch.zeros(1, 4), "labels": torch.tensor([1]), "captions": ["a small ring"]}
    assert object_labels(captioned, 1, METADATA) == [("a small ring", colour(1))]
    at = changed({"label": torch.tensor(1), "scores": scores})
    assert at.any() and not at[30:].any() and BASE[0] == (230, 159, 0)


def test_a_picture_is_written_as_its_ending_says(tmp_path: Path) -> None:
    x, y = torch.meshgrid(torch.arange(240), torch.arange(200), indexing="xy")
    image = torch.stack([x, y, (x + y) // 2]).to(torch.uint8)
    write_picture(image, tmp_path / "a.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), image.permute(1, 2, 0).numpy())
    write_picture(image, tmp_path / "a.jpg")
    opened = Image.open(tmp_path / "a.jpg")
    assert opened.format == "JPEG" and abs(np.asarray(opened).astype(int) - image.permute(1, 2, 0).numpy()).mean() < 2
    mask = np.random.default_rng(0).integers(0, 256, (50, 60), np.uint8)
    write_pixels(mask, tmp_path / "m.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "m.png"), cv2.IMREAD_UNCHANGED), mask)
    with pytest.raises(InputError, match=r"wide\.jpg: not written: 70000 x 1 pixels"):
        write_picture(torch.zeros(3, 1, 70000, dtype=torch.uint8), tmp_path / "wide.jpg")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("predict --pictures false --x 1", "predict --pictures.count=0 --x 1"),
        ("predict --pictures=False", "predict --pictures.count=0"),
        ("predict --pictures true --x 1", "predict --x 1"),
        ("fit --pictures some.yaml false", "fit --pictures some.yaml false"),
        ("fit --pictures.count 3 --pictures", "fit --pictures.count 3 --pictures"),
    ],
)
def test_pictures_can_be_turned_off_by_a_word(given: str, meant: str) -> None:
    assert with_pictures_spelled(given.split()) == meant.split()


@pytest.mark.parametrize("given", ["predict --pictures maybe", "predict --pictures=3"])
def test_another_word_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"--pictures (maybe|3): expected true or false \(or --pictures\.count 8\)"):
        with_pictures_spelled(given.split())
