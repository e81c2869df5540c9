"""An object that an annotation file has wrong is named, or left out and counted; its image and its neighbours stay."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import albumentations as A
import pytest
import torch
from PIL import Image

from datamodules import COCO, VOC, CaltechBoxes, COCOKeypoints
from datamodules.base import DataModule
from datamodules.scene import InputError, SceneError, UnknownClassError
from tests.support import tiny
from tests.support.coco_objects import CATEGORIES, PERSON, annotation, write


def read(data: DataModule, *needs: str) -> tuple[list[Any], list[str]]:
    """The training batches, and what was left out."""
    data.require(frozenset(needs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [batch for batch in data.train_dataloader() if batch], list(data.skipped)


def options(**more: Any) -> dict[str, Any]:
    return {"image_size": 64, "batch_size": 1, "workers": 0} | more


FIELDS = [
    ({"bbox": []}, "bbox is 0 values, expected 4 numbers"),
    ({"bbox": None}, "bbox is None, expected 4 numbers"),
    ({"bbox": [10, 10, 20, 20, 0.3]}, "bbox is 5 values, expected 4 numbers"),
    ({"bbox": [10, 10, True, 20]}, "bbox is a list, expected 4 numbers"),
    ({"bbox": [10, 10, float("nan"), 20]}, "bbox has a number that is not finite"),
    ({"bbox": [10, 10, 20, 10**400]}, "bbox has a number that is not finite"),
    ({"bbox": [10, 10, 0, 20]}, r"bbox \(10, 10, 0, 20\) has no area"),
    ({"bbox": [10, 10, -5, 20]}, r"bbox \(10, 10, -5, 20\) has no area"),
    ({"area": "large"}, "area is 'large', expected a number"),
    ({"area": -1}, "area is -1, expected a number"),
    ({"area": float("inf")}, "area is inf, expected a number"),
    ({"iscrowd": 2}, "iscrowd is 2, expected a number, 0 or 1"),
    ({"keypoints": []}, "keypoints is 0 values, expected 6 numbers"),
    ({"keypoints": [12, 12, 28, 12]}, "keypoints is 4 values, expected 6 numbers"),
    ({"keypoints": [12, 12, 2, float("nan"), 12, 2]}, "keypoints has a number that is not finite"),
    ({"keypoints": [12, 12, 2, 28, 12, 0.7]}, "keypoints has visibility 0.7"),
]


@pytest.mark.parametrize(("changes", "message"), FIELDS)
def test_a_field_of_another_form_is_named_with_file_and_annotation(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    kind = COCOKeypoints if "keypoints" in changes else COCO
    needs = ("boxes", "labels", "area", *(["keypoints"] if kind is COCOKeypoints else []))
    root = str(write(tmp_path, [annotation(), annotation(31, **changes)], kind))
    place = rf"{kind.annotations}_train2017\.json: annotation 31: {message}.*data\.invalid: skip"
    with pytest.raises(SceneError, match=place):
        read(kind(root, **options()), *needs)
    (batch,), left_out = read(kind(root, **options(invalid="skip")), *needs)
    assert batch["area"][0].tolist() == [400] and len(batch["labels"][0]) == 1  # its neighbour stays
    assert len(left_out) == 1 and f"annotation 31 of {kind.annotations}_train2017.json): " in left_out[0]


SEGMENTATIONS = {
    "empty": [],
    "no point": [[]],
    "a point": [[12, 12]],
    "two points": [[10, 10, 30, 30]],
    "flat": [10, 10, 30, 10, 30, 30, 10, 30],
    "pairs": [[[10, 10], [30, 10], [30, 30], [10, 30]]],
    "odd": [[10, 10, 30, 10, 30]],
    "not finite": [[10, 10, 30, 10, float("inf"), 30]],
    "a text": "10,10,30",
    "ragged": [[10, 10, 30, [10]], [1]],
    "runs of another size": {"size": [2, 2], "counts": [0, 4]},
    "runs of too few pixels": {"size": [48, 64], "counts": [0, 4]},
    "runs of zeros alone": {"size": [48, 64], "counts": [48 * 64]},
    "runs below 0": {"size": [48, 64], "counts": [0, -4, 48 * 64 + 4]},
    "beside the image": [[100, 100, 120, 100, 120, 120]],
}


@pytest.mark.parametrize("segmentation", SEGMENTATIONS.values(), ids=SEGMENTATIONS)
def test_an_object_with_a_box_and_no_mask_is_named_or_left_out(segmentation: Any, tmp_path: Path) -> None:
    other = annotation(2, bbox=[40, 10, 10, 10], segmentation=[[40, 10, 50, 10, 50, 20, 40, 20], [41, 11, 42, 12]])
    root = str(write(tmp_path, [annotation(31, segmentation=segmentation), other]))
    with pytest.raises(SceneError, match="annotation 31"):
        read(COCO(root, **options()), "boxes", "labels", "masks")
    (batch,), left_out = read(COCO(root, **options(invalid="skip")), "boxes", "labels", "masks")
    assert batch["boxes"][0][:, 0].tolist() == [40] and bool(batch["masks"][0].any()) and len(left_out) == 1
    (batch,), left_out = read(COCO(root, **options()), "boxes", "labels")  # boxes alone need no masks
    assert len(batch["boxes"][0]) == 2 and not left_out


def test_an_object_without_area_has_that_of_its_mask_or_box(tmp_path: Path) -> None:
    triangle = [[10, 10, 30, 10, 10, 30]]
    objects = [annotation(1), annotation(2, "area"), annotation(3, "area", segmentation=triangle), annotation(4, area=None)]
    objects.append({k: v for k, v in annotation(5, "area").items() if k != "segmentation"})
    (batch,), _ = read(COCO(str(write(tmp_path, objects)), **options(image_size=(48, 64))), "boxes", "labels", "area")
    areas = batch["area"][0].tolist()
    assert [areas[i] for i in (0, 1, 3, 4)] == [400] * 4 and 180 <= areas[2] <= 210


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}, "categories: id 1 is there twice"),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]}, "categories: name 'cat' is there twice"),
        ({"images": [{"id": 1, "file_name": n, "width": 64, "height": 48} for n in "ab"]}, "images: id 1 is there twice"),
        (
            {"images": [{"id": i, "file_name": "1.png", "width": 64, "height": 48} for i in (1, 2)]},
            r"images: file_name '1\.png' is there twice",
        ),
        ({"annotations": [annotation(5), annotation(5)]}, "annotations: id 5 is there twice"),
        ({"annotations": [annotation(5, category_id=9)]}, "annotation 5 has category_id 9, which the file does not list"),
    ],
)
@pytest.mark.parametrize("invalid", ["error", "skip"])
def test_ids_that_say_two_things_are_refused_whatever_the_policy(
    content: dict[str, Any], message: str, invalid: str, tmp_path: Path
) -> None:
    root = write(tmp_path, **{"annotations": [annotation()]} | content)
    with pytest.raises(InputError, match=rf"2017\.json: {message}"):
        read(COCO(str(root), **options(invalid=invalid)), "boxes", "labels")


def test_an_annotation_of_no_image_is_named_or_counted(tmp_path: Path) -> None:
    root = str(write(tmp_path, [annotation(), annotation(7, image_id=99)]))
    with pytest.raises(SceneError, match=r"annotation 7 has image_id 99"):
        read(COCO(root, **options()), "boxes", "labels")
    (batch,), left_out = read(COCO(root, **options(invalid="skip")), "boxes", "labels")
    assert len(batch["boxes"][0]) == 1 and len(left_out) == 1 and "annotation 7 has image_id 99" in left_out[0]


def test_both_files_count_classes_alike(tmp_path: Path) -> None:
    root = write(tmp_path, [annotation(category_id=2)])
    path = root / "annotations/instances_train2017.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"categories": content["categories"][::-1]}))
    (batch,), _ = read(COCO(str(root), **options()), "boxes", "labels")
    assert COCO(str(root)).metadata.classes[int(batch["labels"][0])] == "dog"
    path.write_text(json.dumps(content | {"categories": [*content["categories"], {"id": 3, "name": "cow"}]}))
    with pytest.raises(InputError, match=r"train2017\.json: category 'cow' is none of the validation file's"):
        read(COCO(str(root), **options()), "boxes", "labels")


# Labels of images ---------------------------------------------------------------------------------------------------------


def test_a_class_does_not_survive_the_broken_box_that_it_is_of(tmp_path: Path) -> None:
    """The larger object, a dog, lies outside its image: the image is a cat's; one without any other object has no label."""
    broken = {"bbox": [200, 10, 40, 40], "area": 1600, "category_id": 2}
    objects = [annotation(1), annotation(2, **broken), annotation(3, image_id=2, **broken)]
    root = str(write(tmp_path / "coco", objects, count=2))
    with pytest.raises(SceneError, match=r"object 1 \(annotation 2 of .*\): box .* leaves its image"):
        read(COCO(root, **options()), "label")
    batches, left_out = read(COCO(root, **options(invalid="skip")), "label")
    assert [batch["label"].tolist() for batch in batches] == [[0]] and len(left_out) == 2
    assert any("no object is left, so the image has no label" in text for text in left_out)

    voc = tiny.write_voc(tmp_path / "voc")
    folder = voc / "VOCdevkit/VOC2007"
    xml = tiny.voc_xml((40, 50), [("person", 0, (1, 1, 9, 9)), ("cow", 0, (30, 1, 10, 39))])
    for name in (folder / "ImageSets/Main/train.txt").read_text().split():
        (folder / f"Annotations/{name}.xml").write_text(xml)
    data = VOC(str(voc), year=2007, **options(invalid="skip"))
    batches, left_out = read(data, "label")
    assert {data.classes[int(batch["label"])] for batch in batches} == {"person"} and left_out
    with pytest.raises(SceneError, match=r"object 1: box .* is reversed"):
        read(VOC(str(voc), year=2007, **options()), "label")

    caltech = tiny.write_caltech_boxes(tmp_path / "caltech")
    for path in (caltech / "annotations").glob("*.csv"):
        lines = [line.split(",") for line in path.read_text().splitlines()]
        path.write_text("".join(",".join([a, x2, y1, x1, y2, c]) + "\n" for a, x1, y1, x2, y2, c in lines))
    with pytest.raises(SceneError, match=r"object 0: box .* is reversed"):
        read(CaltechBoxes(str(caltech), **options()), "label")


def test_one_object_without_a_box_does_not_drop_its_image(tmp_path: Path) -> None:
    root = tiny.write_voc(tmp_path)
    folder = root / "VOCdevkit/VOC2007"
    names = (folder / "ImageSets/Main/train.txt").read_text().split()
    xml = tiny.voc_xml((40, 50), [("person", 0, (1, 1, 9, 9)), ("cow", 0, (11, 12, 13, 14))])
    (folder / f"Annotations/{names[0]}.xml").write_text(xml.replace(">13<", ">thirteen<"))
    batches, left_out = read(VOC(str(root), year=2007, **options(invalid="skip")), "boxes", "labels")
    assert len(batches) == len(names) and len(left_out) == 1
    assert f"{names[0]}.jpg: object 1: could not convert <bndbox/xmax> 'thirteen'" in left_out[0]


def test_an_unknown_class_is_an_error_under_skip_too(tmp_path: Path) -> None:
    root = tiny.write_voc(tmp_path)
    with pytest.raises(UnknownClassError, match=r"\.xml: class '\w+' is not among data\.classes \(cup\)"):
        read(VOC(str(root), year=2007, classes=["cup"], **options(invalid="skip")), "boxes", "labels")


# What transforms make of them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [[-1, 5, 1, 5], [64, 5, 1, 5], [5, 48, 9, 0.5]])
def test_a_box_on_the_outer_edge_is_left_out_with_and_without_augmentation(box: list[float], tmp_path: Path) -> None:
    root = str(write(tmp_path, [annotation(31, bbox=box, area=5), annotation(2)]))
    for augment in ([], [A.HorizontalFlip(p=0.5)]):
        (batch,), left_out = read(COCO(root, **options(invalid="skip", augment=augment)), "boxes", "labels")
        assert len(batch["boxes"][0]) == 1 and len(left_out) == 1 and "lies beside its image" in left_out[0]
    with pytest.raises(SceneError, match=r"annotation 31 .* lies beside its image of 64 x 48"):
        read(COCO(root, **options()), "boxes", "labels")


@pytest.mark.parametrize("invalid", ["error", "skip"])
def test_a_crop_to_objects_takes_an_image_without_any(invalid: str, tmp_path: Path) -> None:
    root = str(write(tmp_path, [annotation()], count=2))
    data = COCO(root, **options(invalid=invalid, augment=[A.CropNonEmptyMaskIfExists(20, 20)]))
    batches, left_out = read(data, "boxes", "labels", "masks")
    assert sorted(len(batch["boxes"][0]) for batch in batches) == [0, 1] and not left_out
    assert all(batch["masks"][0].shape == (len(batch["boxes"][0]), 64, 64) for batch in batches)


def test_skip_catches_what_an_augmentation_cannot_do(tmp_path: Path) -> None:
    root = write(tmp_path, [annotation()], count=2)
    Image.new("RGB", (20, 20)).save(root / "train2017/2.png")
    path = root / "annotations/instances_train2017.json"
    path.write_text(path.read_text().replace('"2.png", "width": 64, "height": 48', '"2.png", "width": 20, "height": 20'))
    crop = [A.RandomCrop(40, 40)]
    with pytest.raises(SceneError, match=r"2\.png: data\.augment"):
        read(COCO(str(root), **options(augment=crop)), "boxes", "labels")
    batches, left_out = read(COCO(str(root), **options(augment=crop, invalid="skip")), "boxes", "labels")
    assert len(batches) == 1 and len(left_out) == 1 and "2.png: data.augment" in left_out[0]


def test_an_object_that_loses_its_mask_is_left_out_of_training_and_evaluation_alike(tmp_path: Path) -> None:
    """A line one pixel wide falls between the pixels that are left of it."""
    line = annotation(2, bbox=[40, 10, 1, 20], area=20, segmentation=[[40, 10, 41, 10, 41, 30, 40, 30]])
    root = str(write(tmp_path, [annotation(), line]))
    for split in ("train", "val"):
        data = COCO(root, **options(image_size=(12, 16)))
        data.require(frozenset({"boxes", "labels", "masks"}))
        (batch,) = data.train_dataloader() if split == "train" else data.val_dataloader()
        assert batch is not None and len(batch["boxes"][0]) == len(batch["masks"][0]) == 1
        assert bool(batch["masks"][0].any())
    (batch,), _ = read(COCO(root, **options(image_size=(12, 16))), "boxes", "labels")
    assert len(batch["boxes"][0]) == 2  # a box is still one


# Keypoints ------------------------------------------------------------------------------------------------------------------

NAMES = [
    *(["left_eye", "right_eye"], ["left eye", "right eye"], ["eye_left", "eye_right"], ["l_eye", "r_eye"], ["LEye", "REye"]),
    *(["Left_Eye", "Right_Eye"], ["L_Eye", "R_Eye"], ["paw_front_left", "paw_front_right"], ["eyeL", "eyeR"]),
    *(["LEFT-EYE", "RIGHT-EYE"], ["lefteye", "righteye"], ["leye", "reye"], ["eye.l", "eye.r"], ["leftEye", "rightEye"]),
]


def flipped(root: Path, names: list[str], **more: Any) -> list[float]:
    categories = [{"id": 1, "name": "person", "keypoints": names}]
    write(root, [annotation()], COCOKeypoints, categories=categories)
    data = COCOKeypoints(str(root), **options(augment=[A.HorizontalFlip(p=1)], image_size=(48, 64), **more))
    (batch,), _ = read(data, "boxes", "labels", "keypoints")
    found: list[float] = batch["keypoints"][0][0, :, 0].tolist()
    return found


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
def test_left_and_right_change_places_in_any_spelling(names: list[str], tmp_path: Path) -> None:
    assert flipped(tmp_path, names) == [35.5, 51.5]


def test_pairs_are_given_where_names_do_not_tell_them(tmp_path: Path) -> None:
    assert flipped(tmp_path, ["a", "b"], flip_pairs=[["a", "b"]]) == [35.5, 51.5]
    assert flipped(tmp_path, ["a", "b"], flip_pairs=[]) == [51.5, 35.5]
    for names in (["a", "b"], ["left_eye", "nose"], ["left_eye", "right_ear"]):
        with pytest.raises(InputError, match=r"data\.augment mirrors the image, .* name the pairs in data\.flip_pairs"):
            flipped(tmp_path, names, invalid="skip")
    for given, message in (([["a", "c"]], "'c' is no keypoint; they are a, b"), ([["a", "a"]], "'a' is there twice")):
        with pytest.raises(InputError, match=message):
            flipped(tmp_path, ["a", "b"], flip_pairs=given)


def test_keypoints_are_those_of_the_categories_that_have_some(tmp_path: Path) -> None:
    categories = [{"id": 0, "name": "people", "supercategory": "none"}, {"id": 1, "name": "person", "keypoints": ["a", "b"]}]
    root = write(tmp_path, [annotation(), annotation(2, "keypoints", category_id=0)], COCOKeypoints, categories=categories)
    data = COCOKeypoints(str(root), **options())
    assert data.metadata.keypoints == ("a", "b") and data.metadata.skeleton == ()
    (batch,), _ = read(data, "boxes", "labels", "keypoints")
    assert batch["labels"][0].tolist() == [1, 0] and not batch["keypoints"][0][1].any()


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        (CATEGORIES, "no category has keypoints; data COCO reads the boxes"),
        ([PERSON | {"keypoints": "left_eye"}], "category 'person': keypoints is 'left_eye', expected a list of names"),
        ([PERSON | {"keypoints": ["a", "a"]}], "keypoint 'a' is there twice"),
        ([PERSON | {"skeleton": [[0, 2]]}], r"skeleton has '\[0, 2\]', expected pairs of numbers from 1 to 2"),
        ([PERSON, {"id": 2, "name": "cat", "keypoints": ["x"]}], "categories 'person' and 'cat' have other keypoints each"),
    ],
)
def test_keypoints_that_cannot_be_are_refused(categories: list[Any], message: str, tmp_path: Path) -> None:
    root = write(tmp_path, [annotation()], COCOKeypoints, categories=categories)
    with pytest.raises(InputError, match=rf"person_keypoints_val2017\.json: .*{message}"):
        _ = COCOKeypoints(str(root)).metadata


def test_labels_and_objects_of_a_sound_file_are_what_they_were(tmp_path: Path) -> None:
    root = write(tmp_path, [annotation(1), annotation(2, bbox=[40, 10, 10, 10], area=100, category_id=2)])
    (batch,), left_out = read(COCO(str(root), **options()), "boxes", "labels", "masks", "area", "crowd", "label")
    assert not left_out and batch["labels"][0].tolist() == [0, 1] and int(batch["label"]) == 0
    assert torch.equal(batch["area"][0], torch.tensor([400.0, 100.0]))
