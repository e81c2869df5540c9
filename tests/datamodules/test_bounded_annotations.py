"""Annotations that would hang, or swell: one line, in bounded time and memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from datamodules import COCO, LSP, MNIST, VOC, CaltechBoxes, COCOCaptions, VisualGenome
from datamodules.base import DataModule
from datamodules.files import read_json
from datamodules.scene import InputError
from tests.support import tiny
from tests.support.hostile import (
    NOT_PLAIN,
    OPTIONS,
    all_scenes,
    read_or_refused,
)

# What would hang, or swell ------------------------------------------------------------------------------------------------

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "x">' + "".join(
    f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)
)
XML = {
    "entities of entities": f"{BOMB}]><annotation>&a9;</annotation>".encode(),
    "in UTF-16": f"{BOMB}]><annotation>&a9;</annotation>".replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"),
    "a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><object><name>&x;</name></object></annotation>',
    "deep": b"<annotation>" + b"<object>" * 100_000,
    "deep and closed": b"<annotation>" * 50_000 + b"</annotation>" * 50_000,
    "an encoding that nobody knows": b'<?xml version="1.0" encoding="klingon"?><annotation/>',
    "a long word": b"<annotation><size><width>" + b"9" * 1_000_000 + b"</width></size></annotation>",
}


@pytest.mark.parametrize("content", XML.values(), ids=XML)
def test_xml_that_would_swell_is_one_line(content: bytes, tmp_path: Path) -> None:
    data = VOC(str(tiny.write_voc(tmp_path, train=1)), year=2007, **OPTIONS)
    for path in tmp_path.rglob("*.xml"):
        path.write_bytes(content)
    assert all_scenes(data)[0] is None


JSON = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "a long number": "1" * 10_000,
    "half": '{"images": [',
    "none": "",
}


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_that_is_none_is_one_line(content: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.json").write_text(content)
    assert read_or_refused(lambda: read_json(path, "COCO's")) is None


LONG = {"one line": "a" * 10_000_000, "commas": "," * 5_000_000, "a quote": '"' + "a\n" * 200_000, "zeros": "\0" * 1000}


@pytest.mark.parametrize("content", LONG.values(), ids=LONG)
def test_a_table_without_an_end_is_one_line(content: str, tmp_path: Path) -> None:
    tiny.write_caltech_boxes(tmp_path)
    (tmp_path / "annotations/face.csv").write_text(content)
    assert all_scenes(CaltechBoxes(str(tmp_path), **OPTIONS)) == []


@pytest.mark.parametrize("make", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize("name", ["Coco", "Captions", "Voc list", "Voc xml", "Caltech", "Lsp", "Mnist", "Genome"])
def test_annotations_that_are_no_plain_file_are_one_line(make: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    sources: dict[str, tuple[Callable[..., Path], str, Callable[[], DataModule]]] = {
        "Coco": (tiny.write_coco, "annotations/instances_train2017.json", lambda: COCO(str(root), **OPTIONS)),
        "Captions": (
            tiny.write_coco_captions,
            "annotations/captions_train2017.json",
            lambda: COCOCaptions(str(root), **OPTIONS),
        ),
        "Voc list": (
            tiny.write_voc,
            "VOCdevkit/VOC2007/ImageSets/Main/train.txt",
            lambda: VOC(str(root), year=2007, **OPTIONS),
        ),
        "Voc xml": (tiny.write_voc, "VOCdevkit/VOC2007/Annotations/*.xml", lambda: VOC(str(root), year=2007, **OPTIONS)),
        "Caltech": (tiny.write_caltech_boxes, "annotations/face.csv", lambda: CaltechBoxes(str(root), **OPTIONS)),
        "Lsp": (tiny.write_lsp, "joints.mat", lambda: LSP(str(root), **OPTIONS)),
        "Mnist": (tiny.write_mnist, "MNIST/raw/train-images*", lambda: MNIST(str(root), workers=0)),
        "Genome": (tiny.write_visual_genome, "region_descriptions.json", lambda: VisualGenome(str(root), **OPTIONS)),
    }
    write, place, module = sources[name]
    write(root)
    for path in list(root.glob(place)):
        make(path)
    data = module()
    data.require(data.provides - {"mask"})  # whose images are in another list
    with pytest.raises(InputError) as refused:
        scenes = data.scenes("train")
        _ = [scenes[i] for i in range(len(scenes))]
    assert "\n" not in str(refused.value) and str(root) in str(refused.value)
