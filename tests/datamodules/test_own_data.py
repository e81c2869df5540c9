"""One's own data, as tools export them: YOLO, COCO, VOC without lists, labelme, folders of masks; with nothing renamed."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import COCO, VOC, YOLO, LabelMe, MaskFolder, YOLOPose
from datamodules.base import DataModule, PreparedScenes
from datamodules.own_splits import named_split, with_held_out
from datamodules.remarks import Remark
from datamodules.scene import InputError, SceneError
from tests.support import tiny
from tests.support.hostile import OPTIONS
from tests.support.own_data import cvat_coco, kaggle_voc, label_studio_coco, roboflow_coco, roboflow_voc, unlisted_voc
from tests.support.tiny.coco import write_coco
from tests.support.tiny.common import picture, save, write_text
from tests.support.tiny.labelme import labelme_file, polygon, rectangle, write_labelme
from tests.support.tiny.mask_folder import BOX, mask_of, write_mask_folder
from tests.support.tiny.yolo import BOXES, write_yolo

pytestmark = pytest.mark.filterwarnings("ignore:.*held out", "ignore:.*nothing names", "ignore:left out")
DETECTION = frozenset({"boxes", "labels"})


def names(data: DataModule, split: str) -> list[str]:
    scenes = data.scenes(split)  # type: ignore[arg-type]
    return [scenes[i]["name"] for i in range(len(scenes))]


def detection(data: DataModule) -> DataModule:
    data.require(DETECTION)
    return data


def first(data: DataModule, *fields: str) -> Any:
    data.require(frozenset(fields or DETECTION))
    return data.scenes("train")[0]


# Splits -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "split"),
    [("Train", "train"), ("valid", "val"), ("val2017", "val"), ("Validation", "val"), ("test-2", "test"), ("cats", None)],
)
def test_a_split_is_known_by_the_names_that_people_give_it(name: str, split: str | None) -> None:
    assert named_split(name) == split


def test_a_missing_split_is_held_out_of_training_and_nothing_is_in_two() -> None:
    items = [f"{i}.jpg" for i in range(200)]
    with pytest.warns(UserWarning, match=r"no val and no test split: of 200 training images \d+ for val and \d+ for test"):
        splits = with_held_out("data", {"train": items}, str)
    assert sorted(item for part in splits.values() for item in part) == sorted(items)
    assert all(10 <= len(splits[split]) <= 30 for split in ("val", "test"))
    with pytest.warns(UserWarning, match="no test split"):
        kept = with_held_out("data", {"train": items, "val": ["v.jpg"]}, str)
    assert kept["val"] == ["v.jpg"] and set(kept["test"]) == set(splits["test"])
    assert with_held_out("data", {"train": ["a"], "val": ["b"], "test": ["c"]}, str) == {
        "train": ["a"],
        "val": ["b"],
        "test": ["c"],
    }


def test_what_was_held_out_stands_in_the_run_s_report(tmp_path: Path) -> None:
    for name, make in {
        "masks": lambda root: MaskFolder(str(write_mask_folder(root, binary=True, all=12)), **OPTIONS),
        "boxes": lambda root: YOLO(str(write_yolo(root, train=12)), **OPTIONS),
    }.items():
        data = make(tmp_path / name)
        with pytest.warns(Remark):
            data.scenes("train")
        assert any("no val and no test split: of 12 training images" in remark for remark in data.remarks), data.remarks
        assert ("nothing names the classes" in " ".join(data.remarks)) == (name == "masks")


@pytest.mark.parametrize(
    "make",
    [
        lambda root: detection(YOLO(str(write_yolo(root, "box", train=12)), **OPTIONS)),
        lambda root: detection(LabelMe(str(write_labelme(root, all=12)), **OPTIONS)),
        lambda root: MaskFolder(str(write_mask_folder(root, all=12)), **OPTIONS),
    ],
    ids=["YOLO", "LabelMe", "MaskFolder"],
)
def test_a_name_that_is_not_utf_8_stops_no_split_and_is_named(make: Callable[[Path], DataModule], tmp_path: Path) -> None:
    """As a zip file of another system's leaves them; that of one image keeps no other from its split."""
    data = make(tmp_path)
    (tmp_path / "data.yaml").unlink(missing_ok=True)
    write_text(tmp_path / "classes.txt", "cell\nplatelet\n")
    for path in sorted(tmp_path.rglob("*_0.*")):
        os.rename(path, os.fsencode(path.parent) + "/사진".encode("cp949") + os.fsencode(path.suffix))  # noqa: PTH104
    splits = [data.scenes(split) for split in ("train", "val", "test")]  # type: ignore[arg-type]
    assert sum(map(len, splits)) == 12 and all(map(len, splits))
    faults = []
    for scenes in splits:
        for i in range(len(scenes)):
            try:
                assert scenes[i]["name"]
            except SceneError as error:
                faults.append(str(error))
    assert len(faults) == 1 and "udcbb" in faults[0] and faults[0].isprintable()


def test_a_handful_of_images_fills_every_split() -> None:
    for count in range(3, 12):
        with pytest.warns(UserWarning):
            splits = with_held_out("data", {"train": [f"{i}.jpg" for i in range(count)]}, str)
        assert all(splits.values()), count


def test_copies_that_an_export_made_of_one_photograph_stay_together() -> None:
    copies = [f"train/images/{i}_jpg.rf.{h}{i:04d}.jpg" for i in range(60) for h in "abc"]
    with pytest.warns(UserWarning):
        splits = with_held_out("data", {"train": copies}, str)
    photographs = [{name.split(".rf.")[0] for name in part} for part in splits.values()]
    assert sum(map(len, photographs)) == 60


# YOLO ---------------------------------------------------------------------------------------------------------------------


def test_yolo_lines_are_boxes_in_pixels(tmp_path: Path) -> None:
    scene = first(YOLO(str(write_yolo(tmp_path, "box")), **OPTIONS))
    assert torch.allclose(scene["boxes"], torch.tensor(BOXES), atol=1e-3)
    assert scene["labels"].tolist() == [0, 1]


def test_yolo_outlines_are_masks_as_coco_draws_them(tmp_path: Path) -> None:
    scene = first(YOLO(str(write_yolo(tmp_path)), **OPTIONS), "boxes", "labels", "masks", "area")
    for mask, (x1, y1, x2, y2) in zip(scene["masks"], BOXES, strict=True):
        expected = torch.zeros(40, 50, dtype=torch.uint8)
        expected[int(y1) : int(y2), int(x1) : int(x2)] = 1
        assert torch.equal(mask, expected)
    assert scene["area"].tolist() == [400, 720]


def test_yolo_keypoints_and_what_a_mirror_makes_of_them(tmp_path: Path) -> None:
    data = YOLOPose(str(write_yolo(tmp_path, "keypoints")), **OPTIONS)
    assert data.metadata.flip_pairs == ((1, 2),)
    points = first(data, "boxes", "labels", "keypoints")["keypoints"]
    assert points.shape == (2, 3, 3) and points[0, :, 2].tolist() == [2, 1, 0]
    assert torch.allclose(points[0, 1, :2], torch.tensor([25.0, 6.0]), atol=1e-3)
    assert points[0, 2].tolist() == [0, 0, 0]
    with pytest.raises(InputError, match=r"data\.yaml: no kpt_shape"):
        _ = YOLOPose(str(write_yolo(tmp_path / "boxes", "box")), **OPTIONS).metadata


def other_machine(root: Path) -> None:
    text = (root / "data.yaml").read_text()
    (root / "data.yaml").write_text(f"path: /content/drive/cells\n{text}".replace("train: images", "train: /content/x/images"))


def cvat(root: Path) -> None:
    """Lists of images, with a folder before each that is not there."""
    for split in ("train", "val", "test"):
        lines = [f"data/images/{split}/{p.name}" for p in sorted((root / "images" / split).iterdir())]
        write_text(root / f"{split}.txt", "\n".join(lines))
    (root / "data.yaml").write_text("names: {0: cell, 1: platelet}\npath: .\ntrain: train.txt\nval: val.txt\ntest: test.txt\n")


def darknet(root: Path) -> None:
    """Each label beside its image, classes in obj.names."""
    for split in ("train", "val", "test"):
        for path in (root / "labels" / split).iterdir():
            path.rename(root / "images" / split / path.name)
    shutil.rmtree(root / "labels")
    (root / "data.yaml").unlink()
    (root / "images/train").rename(root / "obj_train_data")
    (root / "images/val").rename(root / "obj_val_data")
    (root / "images/test").rename(root / "obj_test_data")
    write_text(root / "obj.names", "cell\nplatelet\n")


def label_studio(root: Path) -> None:
    (root / "data.yaml").unlink()
    write_text(root / "classes.txt", "cell\nplatelet")


def capital(root: Path) -> None:
    (root / "images/val").rename(root / "images/Valid")
    (root / "labels/val").rename(root / "labels/Valid")
    (root / "data.yaml").write_text("names: [cell, platelet]\n")


@pytest.mark.parametrize("change", [lambda root: None, other_machine, cvat, darknet, label_studio, capital])
def test_yolo_folders_are_read_as_each_tool_writes_them(change: Callable[[Path], None], tmp_path: Path) -> None:
    change(write_yolo(tmp_path, "box"))
    data = detection(YOLO(str(tmp_path), **OPTIONS))
    assert data.metadata.classes == ("cell", "platelet")
    assert [len(names(data, split)) for split in ("train", "val", "test")] == [4, 2, 2]
    assert len(data.scenes("train")[0]["boxes"]) == 2


def test_yolo_as_roboflow_exports_it(tmp_path: Path) -> None:
    data = detection(YOLO(str(write_yolo(tmp_path, "box", roboflow=True, train=4, valid=2, test=2)), **OPTIONS))
    assert [len(names(data, split)) for split in ("train", "val", "test")] == [4, 2, 2]


def test_a_class_that_has_another_number_than_its_place_is_read_by_its_number(tmp_path: Path) -> None:
    write_yolo(tmp_path, "box")
    (tmp_path / "data.yaml").write_text("names: {1: platelet, 0: cell, 7: none}\ntrain: images/train\nval: images/val\n")
    path = tmp_path / "labels/train/train_0.txt"
    path.write_text(path.read_text().replace("1 ", "7 ", 1).replace("\n1 ", "\n7 "))
    data = YOLO(str(tmp_path), **OPTIONS)
    assert data.metadata.classes == ("cell", "platelet", "none")
    assert first(data)["labels"].tolist() == [0, 2]


def test_validation_on_what_is_trained_on_is_held_out_instead(tmp_path: Path) -> None:
    write_yolo(tmp_path, "box", train=30)
    (tmp_path / "data.yaml").write_text("names: [cell, platelet]\ntrain: images/train\nval: images/train\n")
    data = detection(YOLO(str(tmp_path), **OPTIONS))
    assert not set(names(data, "train")) & set(names(data, "val"))


@pytest.mark.parametrize("keys", list(itertools.permutations(("train", "val", "test"))), ids=",".join)
def test_train_stays_train_in_whatever_order_a_yaml_names_the_splits(keys: tuple[str, ...], tmp_path: Path) -> None:
    write_yolo(tmp_path, "box", train=30, test=2)
    for twin, kept in (("train", 2), ("test", 2)):
        places = {"train": "images/train", "test": "images/test", "val": f"images/{twin}"}
        lines = [f"{key}: {places[key]}" for key in keys]
        (tmp_path / "data.yaml").write_text("names: [cell, platelet]\n" + "\n".join(lines) + "\n")
        data = detection(YOLO(str(tmp_path), **OPTIONS))
        parts = {split: set(names(data, split)) for split in ("train", "val", "test")}
        assert len(parts["train"] | parts["val"]) == 30 and not parts["train"] & parts["val"]
        assert len(parts["test"]) == kept
        assert any(f"val has the same images as {twin}" in remark for remark in data.remarks), data.remarks


FAULTY_LINES = {
    "2 .5 .5 .2 .2": "line 3: class 2 is out of",
    "1.5 .5 .5 .2 .2": "class 1.5",
    "0 .5 .5 .2": "line 3: 3 numbers behind the class",
    "0 .5 .5 .2 .2 .9": "line 3: 5 numbers",
    "0 .5 .5 nan .2": "line 3: .* not finite",
    "0 .5 .5 inf .2": "line 3: .* not finite",
    "0 25 20 10 10": "line 3: 25 is no fraction of the image's size, from 0 to 1: are these pixels",
    "0 .5 .5 0 .2": "line 3: box .* has no area",
    "0 .5 .5 -.2 .2": "line 3: -0.2 is no fraction",
    "0 .99 .5 .5 .2": "line 3: box .* leaves its image of 50 x 40",
    "cell .5 .5 .2 .2": "line 3: 'cell .5 .5 .2 .2' is no line of numbers",
    "0 1_0 .5 .2 .2": "line 3: .* no line of numbers",
    "0 .5 .5 .2 ٣": "line 3: .* no line of numbers",
}


@pytest.mark.parametrize("line", FAULTY_LINES)
def test_a_faulty_yolo_line_is_named_and_skip_leaves_out_it_alone(line: str, tmp_path: Path) -> None:
    path = write_yolo(tmp_path, "box") / "labels/train/train_0.txt"
    path.write_text(path.read_text() + line + "\n", encoding="utf-8")
    expected = FAULTY_LINES[line].replace("out of", "none of the data set's")
    with pytest.raises(SceneError, match=rf"train_0\.txt, {expected}|train_0\.txt, line 3: {expected}"):
        first(YOLO(str(tmp_path), **OPTIONS))
    data = detection(YOLO(str(tmp_path), invalid="skip", **OPTIONS))
    assert len(data.scenes("train")[0]["boxes"]) == 2
    list(data.train_dataloader())
    assert len(data.skipped) == 1 and "line 3" in next(iter(data.skipped))


def test_an_object_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = write_yolo(tmp_path, "box") / "labels/train/train_0.txt"
    path.write_text(path.read_text() * 2)
    with pytest.raises(SceneError, match="line 3: the same object as in line 1"):
        first(YOLO(str(tmp_path), **OPTIONS))


def test_a_box_among_outlines_is_named_where_masks_are_asked_for(tmp_path: Path) -> None:
    path = write_yolo(tmp_path) / "labels/train/train_0.txt"
    path.write_text(path.read_text() + "0 .5 .5 .2 .2\n")
    assert len(first(YOLO(str(tmp_path), **OPTIONS))["boxes"]) == 3
    with pytest.raises(SceneError, match="line 3: a box and no outline, where masks are asked for"):
        first(YOLO(str(tmp_path), **OPTIONS), "boxes", "masks")


FAULTY_YAML = {
    "names: [a, a]": r"data\.yaml: class 'a' is there twice, as 0 and 1",
    "names: [a, b]\nnc: 3": "nc is '3', and names has 2",
    "names: [a, [b]]": "the name of class 1 is a list",
    "nc: 2": "no names: a list",
    "names: [a": "line 2: no YAML",
    "names: [a, b]\ntrain: images/none": "train: 'images/none' is not there",
    "names: [a, b]\ntrain: ../../../../etc": "is not there",
    "names: [a, b]\nval: images/val": "no train: the folder",
    "names: [a, b]\ntrain: images\nval: images/val": "is in train and in val",
    "names: [a, b]\nkpt_shape: [3]": "kpt_shape: two numbers",
    "names: [a, b]\nkpt_shape: [3, 3]\nflip_idx: [1, 2, 0]": "flip_idx: which of the 3 keypoints",
}


@pytest.mark.parametrize("text", FAULTY_YAML)
def test_a_faulty_data_yaml_is_named_with_its_key(text: str, tmp_path: Path) -> None:
    (write_yolo(tmp_path, "box") / "data.yaml").write_text(text + "\n")
    with pytest.raises(InputError, match=FAULTY_YAML[text]) as error:
        _ = YOLO(str(tmp_path), **OPTIONS).metadata
    assert "\n" not in str(error.value)


def test_a_data_yaml_is_data(tmp_path: Path) -> None:
    text = f"names: !!python/object/apply:pathlib.Path.touch [{tmp_path / 'touched'}]\ntrain: images/train\n"
    (write_yolo(tmp_path, "box") / "data.yaml").write_text(text)
    _ = YOLO(str(tmp_path), **OPTIONS).metadata
    assert not (tmp_path / "touched").exists()


def test_labels_that_lie_elsewhere_are_not_taken_for_empty_images(tmp_path: Path) -> None:
    (write_yolo(tmp_path, "box") / "labels").rename(tmp_path / "annotations")
    with pytest.raises(InputError, match="none of the 4 images of train has a label file, such as"):
        detection(YOLO(str(tmp_path), **OPTIONS)).scenes("train")


# COCO ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [roboflow_coco, cvat_coco, label_studio_coco])
def test_coco_is_read_as_each_tool_exports_it(write: Callable[[Path], Path], tmp_path: Path) -> None:
    data = detection(COCO(str(write(tmp_path)), **OPTIONS))
    assert data.metadata.classes == ("person", "car") and data.metadata.name == tmp_path.name
    parts = [set(names(data, split)) for split in ("train", "val", "test")]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert len(parts[0] | parts[1] | parts[2]) == (33 if write is roboflow_coco else 30)
    assert len(first(data)["boxes"]) == 2


def test_coco_files_and_folders_may_have_any_names(tmp_path: Path) -> None:
    whole = write_coco(tmp_path, train=30)
    (whole / "train2017").rename(whole / "photos")
    (whole / "annotations/instances_train2017.json").rename(whole / "mine.json")
    files = {"train": "mine.json", "val": "annotations/instances_val2017.json"}
    data = detection(COCO(str(whole), annotations=files, images={"train": "photos", "val": "val2017"}, **OPTIONS))
    assert len(names(data, "val")) == 2 and all(name.startswith("photos/") for name in names(data, "test"))
    with pytest.raises(InputError, match=r"data\.annotations: 'other' is no split"):
        COCO(str(whole), annotations={"other": "mine.json"}, **OPTIONS).scenes("train")
    with pytest.raises(InputError, match="leads out of its folder"):
        COCO(str(whole), annotations="../mine.json", **OPTIONS).scenes("train")


def test_coco_images_that_are_nowhere_are_named(tmp_path: Path) -> None:
    shutil.rmtree(cvat_coco(tmp_path) / "images")
    with pytest.raises(InputError, match=r"image '0{10}07\.jpg' is in none of .* data\.images names the folder"):
        detection(COCO(str(tmp_path), **OPTIONS)).scenes("train")


def test_two_files_for_one_split_are_refused(tmp_path: Path) -> None:
    path = cvat_coco(tmp_path) / "annotations/instances_default.json"
    shutil.copy(path, path.with_name("instances_more.json"))
    with pytest.raises(InputError, match=r"instances_default\.json or annotations/instances_more\.json for all images\?"):
        _ = COCO(str(tmp_path), **OPTIONS).metadata


@pytest.mark.parametrize("name", ["all.json", "zzz.json", "annotations/a.json"])
def test_a_coco_file_of_no_split_beside_one_of_train_is_passed_over_and_said(name: str, tmp_path: Path) -> None:
    roboflow_coco(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(tmp_path / "train/_annotations.coco.json", tmp_path / name)
    data = detection(COCO(str(tmp_path), **OPTIONS))
    assert len(names(data, "train")) + len(names(data, "test")) == 30 and len(names(data, "val")) == 3
    assert any(f"{name} names no split" in remark for remark in data.remarks), data.remarks


def test_the_official_layout_is_what_it_was(tmp_path: Path) -> None:
    data = COCO(str(write_coco(tmp_path)), **OPTIONS)
    assert data.metadata.name == "COCO 2017" and len(names(data, "train")) == 3


# VOC without lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [unlisted_voc, kaggle_voc, roboflow_voc])
def test_voc_without_lists_is_split_by_folder_or_hash(write: Callable[[Path], Path], tmp_path: Path) -> None:
    data = detection(VOC(str(write(tmp_path)), classes=["cell", "platelet"], **OPTIONS))
    parts = [set(names(data, split)) for split in ("train", "val", "test")]
    assert all(parts) and sum(map(len, parts)) == len(parts[0] | parts[1] | parts[2]) == 24
    if write is roboflow_voc:
        assert list(map(len, parts)) == [18, 3, 3]
    assert len(first(data)["boxes"]) == 2


def test_an_annotation_without_an_image_is_named(tmp_path: Path) -> None:
    next((unlisted_voc(tmp_path) / "JPEGImages").glob("000003*")).unlink()
    with pytest.raises(InputError, match=r"000003\.xml: there is no image 000003\.\*"):
        detection(VOC(str(tmp_path), classes=["cell", "platelet"], **OPTIONS)).scenes("train")


def test_two_images_of_one_name_are_told_apart_or_refused(tmp_path: Path) -> None:
    """As where two cameras' folders are put together, each with its 000003."""
    root = unlisted_voc(tmp_path)
    xml = root / "Annotations" / "000003.xml"
    image = next((root / "JPEGImages").glob("000003*"))
    other = root / "JPEGImages" / "more" / image.name
    other.parent.mkdir()
    save(other, picture((40, 50), [], seed=9))

    def taken() -> list[str]:
        data = detection(VOC(str(root), classes=["cell", "platelet"], **OPTIONS))
        return [name for split in ("train", "val", "test") for name in names(data, split) if "000003" in name]

    text = xml.read_text()
    assert "<folder>" not in text
    with pytest.raises(InputError, match=r"000003\.xml: is it of JPEGImages/000003\.\w+ or of JPEGImages/more/000003") as error:
        taken()
    assert "\n" not in str(error.value)
    for place in ("more", "JPEGImages"):
        xml.write_text(text.replace("<annotation>", f"<annotation><folder>{place}</folder>"))
        assert [Path(name).parent.name for name in taken()] == [place]


def test_another_year_of_the_kit_is_not_read_without_its_lists(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"VOC2012.* is not there"):
        detection(VOC(str(tiny.write_voc(tmp_path)), year=2012, **OPTIONS)).scenes("train")


# labelme ------------------------------------------------------------------------------------------------------------------


def labelme_with(root: Path, *shapes: Any, **changes: Any) -> Path:
    """One image with these shapes in each of twelve files."""
    for i in range(12):
        save(root / f"{i}.jpg", picture((40, 50), [], seed=i))
        write_text(root / f"{i}.json", json.dumps(labelme_file(f"{i}.jpg", (40, 50), list(shapes)) | changes))
    return root


def test_labelme_shapes_are_objects_and_a_map_of_classes(tmp_path: Path) -> None:
    data = LabelMe(str(write_labelme(tmp_path)), **OPTIONS)
    assert data.metadata.mask_classes == ("background", "cell", "platelet")
    scene = first(data, "boxes", "labels", "masks", "mask")
    assert scene["boxes"].tolist() == [[5, 6, 25, 26], [28, 2, 48, 38]]
    assert scene["masks"].sum((1, 2)).tolist() == [400, 720]
    assert torch.equal(scene["mask"], scene["masks"][0] + 2 * scene["masks"][1])


def test_labelme_groups_circles_and_masks(tmp_path: Path) -> None:
    ring = np.zeros((8, 6), np.uint8)
    ring[1:7, 1:5] = 255
    file = io.BytesIO()
    Image.fromarray(ring).save(file, "PNG")
    circle = {"label": "cell", "points": [[30, 20], [30, 25]], "shape_type": "circle", "group_id": None}
    mask = {"label": "cell", "points": [[2, 3], [7, 10]], "shape_type": "mask", "group_id": None}
    mask["mask"] = base64.b64encode(file.getvalue()).decode()
    parts = [polygon("leaf", (1, 1, 5, 5)) | {"group_id": 4}, polygon("leaf", (11, 1, 15, 5)) | {"group_id": 4}]
    scene = first(LabelMe(str(labelme_with(tmp_path, circle, mask, *parts)), **OPTIONS), "boxes", "labels", "masks")
    assert scene["labels"].tolist() == [0, 0, 1]
    assert torch.allclose(scene["boxes"][0], torch.tensor([25.0, 15, 35, 25]), atol=0.02)
    assert scene["boxes"][1:].tolist() == [[3, 4, 7, 10], [1, 1, 15, 5]]
    assert scene["masks"][1:].sum((1, 2)).tolist() == [24, 32]


FAULTY_SHAPES: dict[str, Any] = {
    "shape 1: a polygon of 2 points, expected 3 or more": polygon("cell", (1, 1, 5, 5)) | {"points": [[1, 1], [5, 5]]},
    "shape 1: a 'point' encloses no pixels": polygon("cell", (1, 1, 5, 5)) | {"points": [[1, 1]], "shape_type": "point"},
    r"shape 1: its points are no list of \[x, y\]": polygon("cell", (1, 1, 5, 5)) | {"points": [[1, 1, 1], [5, 5], [1, 5]]},
    "shape 1: its points are no list": polygon("cell", (1, 1, 5, float("nan"))),
    "shape 1: its label is 3, expected a text": polygon("cell", (1, 1, 5, 5)) | {"label": 3},
    "shape 1: its label __ignore__ is no class": polygon("__ignore__", (1, 1, 5, 5)),
    r"shape 1: box \(1, 1, 70, 5\) leaves its image of 50 x 40": polygon("cell", (1, 1, 70, 5)),
    "shape 1: box .* has no area": polygon("cell", (1, 1, 1, 5)),
    "shape 1: its mask is no PNG": rectangle("cell", (1, 1, 5, 5)) | {"shape_type": "mask", "mask": "eA=="},
    "shape 1: is 5, expected a label and points": 5,
}


@pytest.mark.parametrize("message", FAULTY_SHAPES)
def test_a_faulty_shape_is_named_and_skip_leaves_out_it_alone(message: str, tmp_path: Path) -> None:
    labelme_with(tmp_path, polygon("cell", (5, 6, 25, 26)), FAULTY_SHAPES[message])
    with pytest.raises(SceneError, match=rf"\d\.json, {message}"):
        first(LabelMe(str(tmp_path), **OPTIONS), "boxes", "masks")
    data = LabelMe(str(tmp_path), invalid="skip", **OPTIONS)
    assert len(first(data, "boxes", "masks")["boxes"]) == 1
    _, left_out = PreparedScenes(data, "train", augment=False).checked(0)
    assert not left_out  # said in the scene itself, once


def test_labelme_of_another_size_or_without_image_is_named(tmp_path: Path) -> None:
    shape = polygon("cell", (5, 6, 25, 26))
    with pytest.raises(SceneError, match=r"the image is 50 x 40, in its annotation 100 x 80 \(W x H\)"):
        first(LabelMe(str(labelme_with(tmp_path / "a", shape, imageHeight=80, imageWidth=100)), **OPTIONS))
    root = labelme_with(tmp_path / "b", shape, imagePath="..\\photos\\gone.jpg")
    assert first(LabelMe(str(root), **OPTIONS))["name"].endswith(".jpg"), "beside it, by its own name"
    for path in root.glob("*.jpg"):
        path.unlink()
    with pytest.raises(SceneError, match=r"its image .* is not beside it"):
        first(LabelMe(str(root), **OPTIONS))


def test_two_labelme_files_of_one_image_are_refused(tmp_path: Path) -> None:
    """A file that was copied for the next photograph says the former one's name inside."""
    write_labelme(tmp_path)
    copy = tmp_path / "val" / "val_0.json"
    copy.write_text((tmp_path / "train/train_0.json").read_text().replace("train_0.jpg", "../train/train_0.jpg"))
    data = LabelMe(str(tmp_path), **OPTIONS)
    data.require(DETECTION)
    with pytest.raises(
        SceneError, match=r"val_0\.json: is it of train_0\.jpg, its imagePath, or of val_0\.jpg, which has its name"
    ):
        data.scenes("val")[0]
    (tmp_path / "val" / "val_0.jpg").unlink()
    with pytest.raises(SceneError, match=r"val_0\.json: its image train/train_0\.jpg is that of train/train_0\.json too"):
        LabelMe(str(tmp_path), classes=["cell", "platelet"], **OPTIONS).scenes("train")


def test_json_files_of_other_programs_are_passed_over_and_said(tmp_path: Path) -> None:
    write_labelme(tmp_path)
    for name, text in (
        ("settings.json", '{"theme": "dark"}'),
        ("coco.json", '{"images": [], "annotations": [], "categories": []}'),
    ):
        write_text(tmp_path / "train" / name, text)
    data = detection(LabelMe(str(tmp_path), **OPTIONS))
    assert len(names(data, "train")) == 4 and data.metadata.classes == ("cell", "platelet")
    assert any("train/coco.json and 1 more without shapes" in remark for remark in data.remarks), data.remarks
    for damaged in ("", '{"version": "5', '{"theme": 1}'):  # one of an image's own name is meant, whatever it holds
        write_text(tmp_path / "train" / "train_0.json", damaged)
        with pytest.raises(SceneError, match=r"train_0\.json"):
            first(LabelMe(str(tmp_path), classes=["cell", "platelet"], **OPTIONS))
    for path in tmp_path.rglob("t*.json"):
        path.unlink()
    for path in tmp_path.rglob("v*.json"):
        path.unlink()
    with pytest.raises(InputError, match=r"has no shapes, nor has another \.json: expected labelme's"):
        LabelMe(str(tmp_path), **OPTIONS).scenes("train")


# Folders of masks ---------------------------------------------------------------------------------------------------------


def test_masks_count_the_classes_that_are_named(tmp_path: Path) -> None:
    data = MaskFolder(str(write_mask_folder(tmp_path)), **OPTIONS)
    assert data.metadata.mask_classes == ("background", "cell")
    assert torch.equal(data.scenes("train")[0]["mask"], torch.from_numpy(mask_of((40, 50), 1, edge=True)))


def test_masks_of_0_and_255_are_two_classes_or_refused_and_never_ignored(tmp_path: Path) -> None:
    root = str(write_mask_folder(tmp_path, binary=True))
    data = MaskFolder(root, **OPTIONS)
    with pytest.warns(Remark, match="nothing names the classes.* background, foreground"):
        mask = data.scenes("train")[0]["mask"]
    assert torch.equal(mask, torch.from_numpy(mask_of((40, 50), 1)))
    with pytest.raises(InputError, match=r"masks hold 0 and 255 alone, and 255 is ignore: --data.values \[0,255\]"):
        MaskFolder(root, classes=["ground", "road"], **OPTIONS).scenes("train")
    given = MaskFolder(root, classes=["ground", "road"], values=[0, 255], **OPTIONS)
    assert torch.equal(given.scenes("train")[0]["mask"], mask)


def beside(root: Path) -> Path:
    for split in ("train", "val", "test"):
        for path in (root / "images" / split).iterdir():
            path.rename(root / path.name)
        for path in (root / "masks" / split).iterdir():
            path.rename(root / f"{path.stem}_mask.png")
    shutil.rmtree(root / "images")
    shutil.rmtree(root / "masks")
    return root


def inside(root: Path) -> Path:
    for kind, name in (("images", "Images"), ("masks", "Labels")):
        for split, folder in (("train", "Train"), ("val", "Validation"), ("test", "test")):
            (root / folder).mkdir(exist_ok=True)
            (root / kind / split).rename(root / folder / name)
        (root / kind).rmdir()
    return root


def segnet(root: Path) -> Path:
    for split in ("train", "val", "test"):
        (root / "images" / split).rename(root / split)
        (root / "masks" / split).rename(root / f"{split}annot")
    (root / "images").rmdir()
    (root / "masks").rmdir()
    return root


@pytest.mark.parametrize("change", [lambda root: root, beside, inside, segnet])
def test_masks_are_found_where_people_have_them(change: Callable[[Path], Path], tmp_path: Path) -> None:
    data = MaskFolder(str(change(write_mask_folder(tmp_path))), **OPTIONS)
    parts = [set(names(data, split)) for split in ("train", "val", "test")]
    assert all(parts) and len(parts[0] | parts[1] | parts[2]) == 8
    assert all(1 in scene["mask"] for scene in (data.scenes("train")[i] for i in range(len(parts[0]))))


def test_colours_are_classes_by_a_list(tmp_path: Path) -> None:
    write_mask_folder(tmp_path, all=12)
    (tmp_path / "classes.txt").unlink()
    x1, y1, x2, y2 = BOX
    for path in (tmp_path / "masks").iterdir():
        colours = np.zeros((40, 50, 3), np.uint8)
        colours[y1:y2, x1:x2] = (128, 64, 0)
        save(path, colours)
    plain = MaskFolder(str(tmp_path), **OPTIONS)
    assert plain.metadata.mask_classes == ("#000000", "#804000")
    write_text(tmp_path / "labelmap.txt", "# label:color_rgb:parts:actions\ncell:128,64,0::\nbackground:0,0,0::\n")
    scene = MaskFolder(str(tmp_path), **OPTIONS).scenes("train")[0]
    assert torch.equal(scene["mask"] == 0, torch.from_numpy(mask_of((40, 50), 1) == 1))
    write_text(tmp_path / "labelmap.txt", "cell:128,64,1::\nbackground:0,0,0::\n")
    with pytest.raises(SceneError, match=r"\.png: #804000 at x 5, y 6 is no class's value \(#804001, #000000\)"):
        MaskFolder(str(tmp_path), **OPTIONS).scenes("train")[0]


def test_masks_of_colours_may_begin_with_black_ones(tmp_path: Path) -> None:
    """As of the first photographs of a series, on which nothing is to be seen yet; whatever they hold is found."""
    write_mask_folder(tmp_path, all=12)
    (tmp_path / "classes.txt").unlink()
    paths = sorted((tmp_path / "masks").iterdir())
    x1, y1, x2, y2 = BOX
    for path in paths:
        colours = np.zeros((40, 50, 3), np.uint8)
        if path in paths[:3]:
            colours[:2] = 255
        if path in paths[6:]:
            colours[y1:y2, x1:x2] = (128, 64, 0)
        save(path, colours)
    data = MaskFolder(str(tmp_path), **OPTIONS)
    assert data.metadata.mask_classes == ("#000000", "#804000", "#ffffff")
    for split in ("train", "val", "test"):
        assert all(scene["mask"].max() < 3 for scene in (data.scenes(split)[i] for i in range(len(data.scenes(split)))))  # type: ignore[arg-type]


def test_a_value_of_no_class_and_a_missing_mask_are_named(tmp_path: Path) -> None:
    write_mask_folder(tmp_path)
    save(tmp_path / "masks/train/train_0.png", mask_of((40, 50), 3))
    data = MaskFolder(str(tmp_path), **OPTIONS)
    with pytest.raises(SceneError, match=r"train_0\.png: value 3 at x 5, y 6 is no class's value \(value 0, value 1\)"):
        data.scenes("train")[0]
    (tmp_path / "masks/train/train_0.png").unlink()
    with pytest.raises(SceneError, match=r"train_0\.jpg: no mask of its name"):
        MaskFolder(str(tmp_path), **OPTIONS).scenes("train")[0]


def test_masks_that_belong_to_no_image_are_refused(tmp_path: Path) -> None:
    write_mask_folder(tmp_path, all=3)
    for path in (tmp_path / "masks").iterdir():
        path.rename(path.with_name(f"other_{path.name}"))
    with pytest.raises(InputError, match="no mask has the name of an image"):
        MaskFolder(str(tmp_path), **OPTIONS).scenes("train")
