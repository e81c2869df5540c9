"""Annotations that nobody wrote so: each is read right or refused in one line, in bounded time."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamodules import COCO, VOC, CaltechBoxes, COCOCaptions, COCOKeypoints, VisualGenome
from datamodules.loading import Skipped
from tests.support import tiny
from tests.support.hostile import (
    OPTIONS,
    all_scenes,
    anything,
    examples,
    number,
    read_or_refused,
    replaced,
    text,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each data set, in order."""
    root = tmp_path_factory.mktemp("sound")
    writers = {"coco": tiny.write_coco, "captions": tiny.write_coco_captions, "voc": tiny.write_voc}
    writers |= {"caltech": tiny.write_caltech_boxes, "genome": tiny.write_visual_genome}
    return {name: write(root / name) for name, write in writers.items()}


@given(data=st.data(), keypoints=st.booleans())
@examples(200)
def test_coco_json_is_read_or_refused(data: st.DataObject, keypoints: bool, sound: dict[str, Path]) -> None:
    module = COCOKeypoints if keypoints else COCO
    kind = module.annotations
    place = sound["coco"] / "annotations"
    whole = json.loads((place / f"{kind}_val2017.json").read_text())
    content = data.draw(anything) if data.draw(st.integers(0, 19)) == 0 else replaced(whole, data.draw)
    path = place / f"{kind}_train2017.json"
    path.write_text(json.dumps(content))
    (sound["coco"] / "train2017").is_symlink() or _linked(sound["coco"])
    all_scenes(module(str(sound["coco"]), **OPTIONS))


def _linked(root: Path) -> None:
    """Training on the images of validation, whose annotations the generated ones begin with."""
    for path in (root / "val2017").iterdir():
        (root / "train2017" / path.name).unlink(missing_ok=True)
        (root / "train2017" / path.name).symlink_to(path)


SEGMENTATIONS = st.one_of(
    anything,
    st.lists(st.lists(number | st.floats(-1e7, 1e7), max_size=9), max_size=3),
    st.fixed_dictionaries(
        {
            "size": st.sampled_from([[40, 50], [50, 40], [100_000, 100_000], [-40, -50], [40], [40.0, 50.0]]) | anything,
            "counts": st.lists(st.integers(-10, 2000) | number, max_size=6) | text | anything,
        }
    ),
)


@given(segmentation=SEGMENTATIONS)
@examples(150)
def test_any_segmentation_is_drawn_or_refused(segmentation: Any, sound: dict[str, Path]) -> None:
    _linked(sound["coco"])
    place = sound["coco"] / "annotations"
    content = json.loads((place / "instances_val2017.json").read_text())
    content["annotations"][0]["segmentation"] = segmentation
    (place / "instances_train2017.json").write_text(json.dumps(content))
    for scene in all_scenes(COCO(str(sound["coco"]), **OPTIONS)):
        assert scene is None or isinstance(scene, Skipped) or set(scene["masks"].unique().tolist()) <= {0, 1}


@given(data=st.data())
@examples(60)
def test_captions_are_read_or_refused(data: st.DataObject, sound: dict[str, Path]) -> None:
    path = sound["captions"] / "annotations/captions_train2017.json"
    whole = json.loads((sound["captions"] / "annotations/captions_val2017.json").read_text())
    path.write_text(json.dumps(replaced(whole, data.draw)))
    all_scenes(COCOCaptions(str(sound["captions"]), min_count=1, **OPTIONS))


@given(data=st.data(), which=st.sampled_from(["region_descriptions.json", "image_data.json"]))
@examples(80)
def test_visual_genome_is_read_or_refused(data: st.DataObject, which: str, sound: dict[str, Path]) -> None:
    path = sound["genome"] / which
    whole = path.read_text()
    try:
        path.write_text(json.dumps(replaced(json.loads(whole), data.draw)))
        module = read_or_refused(lambda: VisualGenome(str(sound["genome"]), min_count=1, **OPTIONS))
        if module and read_or_refused(lambda: module.metadata):
            all_scenes(module, "train")
    finally:
        path.write_text(whole)


XML_NAMES = st.sampled_from(
    ["annotation", "object", "size", "width", "height", "name", "bndbox", "xmin", "ymin", "xmax", "ymax", "difficult"]
)
xml_text = st.text(st.characters(codec="utf-8", exclude_characters="<&", min_codepoint=32), max_size=12) | st.sampled_from(
    ["person", "50", "40", "nan", "inf", "-1", "1e400", "1_0", "٣", "9" * 5000]
)


@given(data=st.data())
@examples(150)
def test_voc_xml_is_read_or_refused(data: st.DataObject, sound: dict[str, Path]) -> None:
    folder = sound["voc"] / "VOCdevkit/VOC2007"
    name = (folder / "ImageSets/Main/train.txt").read_text().split()[0]
    path = folder / "Annotations" / f"{name}.xml"
    whole = path.read_bytes()
    root = ET.fromstring(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        element = data.draw(st.sampled_from(list(root.iter())))
        if data.draw(st.booleans()):
            element.text = data.draw(xml_text)
        elif data.draw(st.booleans()) and len(element):
            element.remove(data.draw(st.sampled_from(list(element))))
        else:
            ET.SubElement(element, data.draw(XML_NAMES)).text = data.draw(xml_text)
    content = bytearray(ET.tostring(root))
    if data.draw(st.integers(0, 3)) == 0:
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 3] = data.draw(st.binary(max_size=4))
    try:
        path.write_bytes(content)
        all_scenes(VOC(str(sound["voc"]), year=2007, **OPTIONS))
    finally:
        path.write_bytes(whole)


@given(
    lines=st.lists(st.lists(text | st.sampled_from(["face", "1", "9", "nan", "1e999"]), max_size=7).map(",".join), max_size=4),
    plausible=st.booleans(),
)
@examples(100)
def test_a_table_is_read_or_refused(lines: list[str], plausible: bool, sound: dict[str, Path]) -> None:
    path = sound["caltech"] / "annotations/face.csv"
    made = [f"{line.split(',')[0]},1,2,9,8,face" for line in lines] if plausible else lines
    path.write_bytes("\n".join(made).encode("utf-8", "surrogatepass"))
    all_scenes(CaltechBoxes(str(sound["caltech"]), **OPTIONS))
