"""Files of one's own data that nobody wrote so, in each format: read right or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datamodules import COCO, YOLO, LabelMe, MaskFolder, YOLOPose
from datamodules.guessing import guesses
from datamodules.loading import Skipped
from tests.support.hostile import OPTIONS, all_scenes, anything, examples, number, read_or_refused, replaced, text
from tests.support.own_data import cvat_coco
from tests.support.tiny.labelme import write_labelme
from tests.support.tiny.mask_folder import write_mask_folder
from tests.support.tiny.yolo import write_yolo

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sound")
    made = {"yolo": write_yolo(root / "yolo", "box", train=1, val=1, test=1)}
    made["outlines"] = write_yolo(root / "outlines", train=1, val=1, test=1)
    made["pose"] = write_yolo(root / "pose", "keypoints", train=1, val=1, test=1)
    made |= {"labelme": write_labelme(root / "labelme", train=1, val=1, test=1), "coco": cvat_coco(root / "coco")}
    return made | {"masks": write_mask_folder(root / "masks", train=1, val=1, test=1)}


fraction = (
    st.floats(-0.2, 1.2) | st.sampled_from(["0.5", "nan", "inf", "-1", "1e400", "1_0", "٣", ".5", "5e-1", "1e-9"]) | number
)
line = st.lists(st.integers(-1, 3) | fraction, max_size=12).map(lambda values: " ".join(map(str, values)))
label_text = st.lists(line | text, max_size=5).map("\n".join)


def reference(line: str) -> tuple[int, list[float]] | None:
    """A line with a box as YOLO's authors read it, for an image of 50 x 40; None where it is none."""
    try:
        label, x, y, w, h = map(float, line.split())
    except ValueError:
        return None
    return int(label), [50 * (x - w / 2), 40 * (y - h / 2), 50 * (x + w / 2), 40 * (y + h / 2)]


@given(content=label_text)
@examples(250)
def test_yolo_labels_are_read_as_a_plain_reader_does_or_refused(content: str, sound: dict[str, Path]) -> None:
    path = sound["yolo"] / "labels/train/train_0.txt"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    for scene in all_scenes(YOLO(str(sound["yolo"]), **OPTIONS)):
        assert scene is None or isinstance(scene, Skipped) or set(scene["labels"].tolist()) <= {0, 1}
    data = YOLO(str(sound["yolo"]), **OPTIONS)
    data.require(frozenset({"boxes", "labels"}))
    if scene := read_or_refused(lambda: data.scenes("train")[0]):
        lines = [one for one in content.splitlines() if one.strip()]
        assert len(scene["boxes"]) == len(lines)
        for box, label, one in zip(scene["boxes"].tolist(), scene["labels"].tolist(), lines, strict=True):
            if expected := reference(one):
                assert label == expected[0] and np.allclose(box, np.clip(expected[1], 0, [50, 40, 50, 40]), atol=1e-3)


@given(content=label_text, kind=st.sampled_from(["outlines", "pose"]))
@examples(150)
def test_outlines_and_keypoints_are_read_or_refused(content: str, kind: str, sound: dict[str, Path]) -> None:
    (sound[kind] / "labels/train/train_0.txt").write_bytes(content.encode("utf-8", "surrogatepass"))
    all_scenes((YOLO if kind == "outlines" else YOLOPose)(str(sound[kind]), **OPTIONS))


@given(data=st.data())
@examples(250)
def test_data_yaml_is_read_or_refused(data: st.DataObject, sound: dict[str, Path]) -> None:
    whole = {"names": ["a", "b"], "nc": 2, "path": ".", "train": "images/train", "val": "images/val"}
    whole |= {"kpt_shape": [3, 3], "flip_idx": [0, 2, 1], "kpt_names": ["x", "y", "z"]}
    content = data.draw(anything) if not data.draw(st.integers(0, 9)) else replaced(whole, data.draw)
    path = sound["pose"] / "data.yaml"
    before = path.read_bytes()
    try:
        if data.draw(st.integers(0, 3)):
            path.write_text(yaml.safe_dump(content))
        else:
            path.write_bytes(data.draw(text).encode("utf-8", "surrogatepass"))
        read_or_refused(lambda: guesses(sound["pose"]))
        for module in (YOLO, YOLOPose):
            made = module(str(sound["pose"]), **OPTIONS)
            if read_or_refused(lambda made=made: made.metadata):  # type: ignore[misc]
                all_scenes(made)
    finally:
        path.write_bytes(before)


@given(data=st.data())
@examples(300)
def test_labelme_is_read_or_refused(data: st.DataObject, sound: dict[str, Path]) -> None:
    path = sound["labelme"] / "train/train_0.json"
    before = path.read_text()
    try:
        content = data.draw(anything) if not data.draw(st.integers(0, 9)) else replaced(json.loads(before), data.draw)
        path.write_text(json.dumps(content))
        for classes in (["cell", "platelet"], None):
            made = LabelMe(str(sound["labelme"]), classes=classes, **OPTIONS)
            if read_or_refused(lambda made=made: made.metadata):  # type: ignore[misc]
                all_scenes(made)
        read_or_refused(lambda: guesses(sound["labelme"]))
    finally:
        path.write_text(before)


@given(data=st.data())
@examples(150)
def test_coco_exports_are_read_or_refused(data: st.DataObject, sound: dict[str, Path]) -> None:
    path = sound["coco"] / "annotations/instances_default.json"
    before = path.read_text()
    try:
        path.write_text(json.dumps(replaced(json.loads(before), data.draw)))
        made = COCO(str(sound["coco"]), **OPTIONS)
        if read_or_refused(lambda: made.metadata):
            made.require(frozenset({"boxes", "labels"}))
            if (scenes := read_or_refused(lambda: made.scenes("val"))) and len(scenes):
                read_or_refused(lambda: scenes[0])
    finally:
        path.write_text(before)


values = st.lists(st.integers(0, 255), min_size=1, max_size=6)


@given(
    found=values,
    classes=st.none() | st.lists(text, max_size=4),
    listed=st.none() | st.lists(st.integers(-1, 300) | values, max_size=4),
)
@examples(200)
def test_masks_are_classes_or_refused(found: list[int], classes: Any, listed: Any, sound: dict[str, Path]) -> None:
    path = sound["masks"] / "masks/train/train_0.png"
    mask = np.resize(np.array(found, np.uint8), (40, 50))
    Image.fromarray(mask).save(path)
    made = read_or_refused(lambda: MaskFolder(str(sound["masks"]), classes=classes, values=listed, **OPTIONS))
    metadata = read_or_refused(lambda: made.metadata) if made else None
    scene = read_or_refused(lambda: made.scenes("train")[0]) if made and metadata else None
    if scene and metadata:
        known = listed if listed is not None else list(range(len(metadata.mask_classes)))
        if all(isinstance(value, int) for value in known):
            expected = np.full(256, 255)
            expected[known] = range(len(known))
            assert np.array_equal(scene["mask"].numpy(), expected[mask])
            assert set(found) <= {*known, 255}


@given(
    lines=st.lists(st.lists(text | st.integers(0, 255).map(str), max_size=5), max_size=5),
    name=st.sampled_from(["_classes.csv", "labelmap.txt", "class_dict.csv"]),
)
@examples(150)
def test_lists_of_classes_are_read_or_refused(lines: list[list[str]], name: str, sound: dict[str, Path]) -> None:
    path = sound["masks"] / name
    try:
        path.write_bytes(
            "\n".join((":" if name == "labelmap.txt" else ",").join(row) for row in lines).encode("utf-8", "surrogatepass")
        )
        made = MaskFolder(str(sound["masks"]), **OPTIONS)
        if read_or_refused(lambda: made.metadata):
            read_or_refused(lambda: made.scenes("train")[0])
    finally:
        path.unlink()
