"""Validation is never the test split by a fall-back: a part of training is held out, and it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamodules.base import DataModule, Split
from datamodules.camvid import CamVid
from datamodules.coco import COCO, COCOKeypoints
from datamodules.coco_captions import COCOCaptions
from datamodules.holding_out import FEWEST, MOST, divided, held_out
from datamodules.image_folder import ImageFolder
from datamodules.prepared import PreparedScenes
from datamodules.remarks import Remark
from datamodules.scene import InputError
from datamodules.voc import VOC
from tests.support import tiny

SMALL: dict[str, Any] = {"workers": 0, "batch_size": 2, "image_size": 16}
SPLITS: tuple[Split, ...] = ("train", "val", "test")

pytestmark = pytest.mark.filterwarnings("ignore::datamodules.remarks.Remark")


def without_val(root: Path) -> str:
    return str(tiny.write_image_folder(root, train=10, test=3))


def voc_without_val(root: Path) -> str:
    tiny.write_voc(root, train=18, val=2, test=3)
    for kind in ("Main", "Segmentation"):
        (root / "VOCdevkit/VOC2007/ImageSets" / kind / "val.txt").unlink()
    return str(root)


TWO_SPLITS: dict[str, tuple[Callable[[Path], DataModule], int]] = {
    # data module, images of its test
    "ImageFolder without val/": (lambda root: ImageFolder(without_val(root), **SMALL), 6),
    "ImageFolder without test/": (lambda root: ImageFolder(str(tiny.write_image_folder(root, Train=10, Valid=2)), **SMALL), 4),
    "VOC without test.txt": (lambda root: VOC(str(tiny.write_voc(root, train=18, test=0)), year=2007, **SMALL), 2),
    "VOC without val.txt": (lambda root: VOC(voc_without_val(root), year=2007, **SMALL), 3),
    "CamVid without test/": (lambda root: CamVid(str(tiny.write_camvid(root, train=20, test=0)), **SMALL), 2),
    "COCO": (lambda root: COCO(str(tiny.write_coco(root, train=20)), **SMALL), 2),
    "COCOKeypoints": (lambda root: COCOKeypoints(str(tiny.write_coco(root, train=20)), **SMALL), 2),
}


def seen(data: DataModule, split: Split) -> set[str]:
    scenes = PreparedScenes(data, split, augment=False)
    return {scenes[(0, i)]["name"] for i in range(len(scenes))}


@pytest.mark.parametrize("name", TWO_SPLITS)
def test_validation_is_a_part_of_training(name: str, tmp_path: Path) -> None:
    build, tests = TWO_SPLITS[name]
    data = build(tmp_path)
    data.require(data.provides - {"label"} if "label" in data.provides and len(data.provides) > 1 else data.provides)
    with pytest.warns(Remark, match=r"held out for validation: [12] of the \d+ training images \(data\.hold_out\)"):
        found = {split: seen(data, split) for split in SPLITS}
    assert len(found["val"]) == len(found["train"] | found["val"]) // 10 and len(found["test"]) == tests
    assert not found["val"] & found["test"] and not found["val"] & found["train"] and not found["train"] & found["test"]
    again = build(tmp_path / "again")
    again.require(data.fields)
    assert {split: seen(again, split) for split in SPLITS} == found
    (batch, *_) = list(data.val_dataloader())
    assert batch is not None and set(batch["name"]) <= found["val"]
    assert any("held out for validation" in remark for remark in data.remarks)


@pytest.mark.parametrize("name", TWO_SPLITS)
def test_the_test_split_may_be_asked_for(name: str, tmp_path: Path) -> None:
    data = TWO_SPLITS[name][0](tmp_path)
    data.require(data.provides - {"label"} if "label" in data.provides and len(data.provides) > 1 else data.provides)
    data.hold_out = 0  # type: ignore[attr-defined]
    with pytest.warns(Remark, match="data.hold_out is 0: validation is the test split, so what is chosen by it looks better"):
        assert seen(data, "val") == seen(data, "test")
    assert len(seen(data, "train")) >= 18


def test_captions_are_held_out(tmp_path: Path) -> None:
    data = tiny.DATA["COCOCaptions"]
    assert data.write
    root = data.write(tmp_path)
    found = COCOCaptions(str(root), **SMALL)
    names = {split: [item.name for item in found.scenes(split).items] for split in SPLITS}
    few = len(names["train"]) < FEWEST
    assert few == any("too few to hold some out" in remark for remark in found.remarks)
    assert few or not {*names["val"]} & {*names["test"]}


def test_of_few_images_none_is_held_out_and_it_is_said(tmp_path: Path) -> None:
    data = ImageFolder(str(tiny.write_image_folder(tmp_path, train=3, val=1)), **SMALL)
    with pytest.warns(Remark, match="6 training images are too few to hold some out: validation is the test split"):
        assert len(data.scenes("train")) == 6


def test_three_official_splits_are_as_they_are(tmp_path: Path) -> None:
    data = ImageFolder(str(tiny.write_image_folder(tmp_path, train=10, val=1, test=2)), **SMALL)
    assert [len(data.scenes(split)) for split in SPLITS] == [20, 2, 4] and not data.remarks


def test_nothing_is_held_out_where_no_annotation_is_asked_for(tmp_path: Path) -> None:
    data = ImageFolder(without_val(tmp_path), **SMALL)
    data.require(frozenset())
    assert len(data.scenes("train")) == 20 and not data.remarks


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_is_a_part(share: float) -> None:
    with pytest.raises(InputError, match=r"hold_out is .*from 0 to below 1"):
        ImageFolder("somewhere", hold_out=share)


@given(st.lists(st.text(max_size=5), unique=True, max_size=60), st.floats(0.01, 0.9), st.randoms())
def test_what_is_held_out_depends_on_names_alone(names: list[str], share: float, shuffle: Any) -> None:
    held = {names[i] for i in held_out(names, share)}
    assert len(held) == (max(1, int(len(names) * share)) if len(names) >= FEWEST else 0)
    shuffle.shuffle(names)
    assert {names[i] for i in held_out(names, share)} == held


def test_each_class_has_its_part_and_no_more_than_most() -> None:
    names = [f"{i}.jpg" for i in range(1000)]
    groups = ["rare" if i < 100 else "common" for i in range(1000)]
    assert Counter(groups[i] for i in held_out(names, 0.1, groups)) == {"rare": 10, "common": 90}
    assert len(held_out([str(i) for i in range(MOST * 11)], 0.1)) == MOST


def test_the_test_alone_is_said() -> None:
    said: list[str] = []
    assert divided("val", ["val"], lambda name: [name], 0.1, said.append) == ["val"]
    assert said == ["there is val alone: validation and test are the same"]
