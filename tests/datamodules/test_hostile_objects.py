"""Annotations that nobody wrote so, against readers of a few lines: each object is read right, or named and left out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_api

from datamodules import COCO, VOC, COCOKeypoints, VisualGenome
from datamodules.base import DataModule, PreparedScenes
from datamodules.scene import InputError, SceneError
from tests.support import tiny
from tests.support.coco_objects import annotation, write
from tests.support.hostile import anything, examples, number

W, H = 64, 48
Box = tuple[float, ...]


def outcomes(data: DataModule, *needs: str) -> tuple[dict[str, Any] | None, int]:
    """The first scene under ``skip``, None where it was left out, and how many faults were named; under ``error``, that it is
    refused if and only if there is a fault."""
    data.require(frozenset(needs))
    data.invalid = "skip"
    prepared = PreparedScenes(data, "train", augment=False)
    found: Any = prepared[0, 0]
    named = [str(found)] if isinstance(found, str) else found.pop("problems", [])
    count = len(named) + len(data.skipped)
    data.invalid = "error"
    try:
        PreparedScenes(data, "train", augment=False)[0, 0]
        assert not count, named
    except SceneError as error:
        assert count and "\n" not in str(error), error
    return None if isinstance(found, str) else found, count


def numbers(values: Any, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(type(v) in (int, float) and abs(v) < 1e30 for v in values)  # nan is not
    )


def in_image(box: Box, width: int, height: int) -> bool:
    """The contract of a box, one pixel of grace included."""
    x1, y1, x2, y2 = np.array(box, np.float64).astype(np.float32).tolist()
    return (
        all(map(math.isfinite, (x1, y1, x2, y2)))
        and x2 > x1
        and y2 > y1
        and min(x1, y1) >= -1
        and x2 <= width + 1
        and y2 <= height + 1
        and min(x2, width) > max(x1, 0)
        and min(y2, height) > max(y1, 0)
    )


def drawn(segmentation: Any) -> np.ndarray[Any, Any] | None:
    """The mask of a sound segmentation, by pycocotools; None of one that has no pixel or none of the two forms."""
    if isinstance(segmentation, dict):
        counts = segmentation.get("counts")
        if segmentation.get("size") != [H, W] or not isinstance(counts, list):
            return None
        if not all(type(c) is int and c >= 0 for c in counts) or sum(counts) != H * W:
            return None
        mask = np.repeat(np.arange(len(counts)) % 2, counts).reshape(W, H).T
    elif isinstance(segmentation, list) and segmentation:
        if not all(isinstance(p, list) and len(p) % 2 == 0 and numbers(p, len(p)) for p in segmentation):
            return None
        outlines = [polygon for polygon in segmentation if len(polygon) >= 6]
        if not outlines:
            return None
        mask = mask_api.decode(mask_api.merge(mask_api.frPyObjects(outlines, H, W)))
    else:
        return None
    return mask if mask.any() else None


def reference(given: dict[str, Any], *needs: str) -> Box | None:
    """The box of a sound annotation."""
    if not numbers(given.get("bbox"), 4):
        return None
    x, y, w, h = given["bbox"]
    if not (w > 0 and h > 0 and in_image((x, y, x + w, y + h), W, H)):
        return None
    area = given.get("area")
    if area is not None and not (type(area) in (int, float) and 0 <= area < 1e30):
        return None
    if given.get("iscrowd", 0) not in (0, 1):
        return None
    if "keypoints" in needs and not (numbers(given.get("keypoints"), 6) and {*given["keypoints"][2::3]} <= {0, 1, 2}):
        return None
    if "masks" in needs and drawn(given.get("segmentation")) is None:
        return None
    return x, y, x + w, y + h


coordinate = st.one_of(st.integers(-3, 67), st.floats(-3, 67), number)
polygon = st.lists(st.integers(-5, 70) | st.floats(-5, 70), max_size=9)
segmentations = st.one_of(
    st.lists(polygon, max_size=3),
    st.none(),
    st.text(max_size=3),
    st.fixed_dictionaries({"size": st.sampled_from([[H, W], [W, H]]), "counts": st.just([100, 50, H * W - 150])}),
    st.fixed_dictionaries({"size": st.just([H, W]), "counts": st.lists(st.integers(-5, H * W), max_size=4)}),
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "bbox": st.lists(coordinate, min_size=4, max_size=4) | st.lists(coordinate, max_size=5) | anything,
    "area": number | anything,
    "iscrowd": st.sampled_from([0, 1, True, 2, -1, None, "0"]) | anything,
    "keypoints": st.lists(st.sampled_from([0, 1, 2, 3, -1, 12, 0.5, math.nan]), min_size=6, max_size=6) | anything,
    "segmentation": segmentations,
}


@st.composite
def annotations(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for i in range(draw(st.integers(1, 4))):
        changes = draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2, unique=True))
        one = annotation(i + 1) | {key: draw(CHANGES[key]) for key in changes}
        if draw(st.integers(0, 9)) == 0:
            one.pop(draw(st.sampled_from(sorted(CHANGES))))
        found.append(one)
    return found


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[type[DataModule], Path]:
    root = tmp_path_factory.mktemp("places")
    coco = {kind: write(root / kind.__name__, [annotation()], kind) for kind in (COCO, COCOKeypoints)}
    return {**coco, VOC: tiny.write_voc(root / "voc"), VisualGenome: tiny.write_visual_genome(root / "vg")}


@given(given=annotations(), masks=st.booleans(), keypoints=st.booleans())
@examples(500)
def test_coco_objects(given: list[dict[str, Any]], masks: bool, keypoints: bool, places: dict[Any, Path]) -> None:
    kind = COCOKeypoints if keypoints else COCO
    path = places[kind] / f"annotations/{kind.annotations}_train2017.json"
    content = json.loads((places[kind] / f"annotations/{kind.annotations}_val2017.json").read_text())
    path.write_text(json.dumps(content | {"annotations": given}))
    needs = ("boxes", "labels", "area", *(["masks"] if masks else []), *(["keypoints"] if keypoints else []))
    scene, faults = outcomes(kind(str(places[kind]), image_size=(H, W), workers=0), *needs)
    assert scene is not None
    sound = [(one, box) for one in given if (box := reference(one, *needs))]
    assert faults == len(given) - len(sound)
    expected = np.array([box for _, box in sound], np.float64).reshape(-1, 4).astype(np.float32).clip(0, [W, H, W, H])
    assert np.allclose(scene["boxes"].numpy(), expected, atol=1e-5)
    if masks:
        assert all((m.numpy() == drawn(one["segmentation"])).all() for m, (one, _) in zip(scene["masks"], sound, strict=True))
    if keypoints:
        for (one, _), own in zip(sound, scene["keypoints"], strict=True):
            x, y, seen = (np.array(one["keypoints"][k::3], float) for k in range(3))
            # One that is marked off the image is unlabelled; within a pixel of its border either is right.
            inside = (x >= 0) & (x <= W - 1) & (y >= 0) & (y <= H - 1)
            outside = (x < -1) | (x > W) | (y < -1) | (y > H)
            assert (own[:, 2].numpy() == seen)[inside].all() and not own[:, 2].numpy()[outside].any()


corner = st.one_of(
    st.integers(-2, 53).map(str),
    st.floats(-2, 53).map(str),
    st.sampled_from(["nan", "inf", "-inf", "", " 7 ", "seven", "1e400", "9" * 400, "7,5", None]),
)


def as_number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan


@given(
    st.lists(
        st.tuples(st.sampled_from(["cow", "person"]), st.lists(corner, min_size=4, max_size=4), st.booleans()),
        min_size=1,
        max_size=4,
    )
)
@examples(300)
def test_voc_objects(places: dict[Any, Path], objects: list[tuple[str, list[str | None], bool]]) -> None:
    folder = places[VOC] / "VOCdevkit/VOC2007"
    name = (folder / "ImageSets/Main/train.txt").read_text().split()[0]
    xml, sound = tiny.voc_xml((40, 50), []), []
    for label, corners, difficult in objects:
        tags = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
        inside = "".join(f"<{tag}>{text}</{tag}>" for tag, text in tags if text is not None)
        one = f"<object><name>{label}</name><difficult>{int(difficult)}</difficult><bndbox>{inside}</bndbox></object>"
        xml = xml.replace("</annotation>", f"{one}</annotation>")
        x1, y1, x2, y2 = map(as_number, corners)
        box = (x1 - 1, y1 - 1, x2, y2) if x2 > x1 and y2 > y1 else (x1, y1, x2, y2)
        if in_image(box, 50, 40):
            sound.append((box, ["cow", "person"].index(label), difficult))
    (folder / f"Annotations/{name}.xml").write_text(xml)
    data = VOC(str(places[VOC]), year=2007, classes=["cow", "person"], image_size=(40, 50), workers=0)
    scene, faults = outcomes(data, "boxes", "labels", "difficult")
    assert scene is not None and faults == len(objects) - len(sound)
    expected = np.array([box for box, _, _ in sound], np.float32).reshape(-1, 4).clip(0, [50, 40, 50, 40])
    assert np.allclose(scene["boxes"].numpy(), expected, atol=1e-4)
    assert scene["labels"].tolist() == [label for _, label, _ in sound]
    assert scene["difficult"].tolist() == [difficult for _, _, difficult in sound]
    whole, _ = outcomes(data, "label")
    assert (whole is None) == (not sound)
    if whole:
        sizes = [(not hard, np.float32(b[2] - b[0]) * np.float32(b[3] - b[1])) for b, _, hard in sound]
        largest = [label for size, (_, label, _) in zip(sizes, sound, strict=True) if size[0] == max(sizes)[0]]
        assert int(whole["label"]) in largest


@given(st.lists(st.lists(st.integers(-2, 53) | st.floats(-2, 53) | anything, min_size=4, max_size=4), min_size=1, max_size=4))
@examples(200)
def test_visual_genome_regions(places: dict[Any, Path], regions: list[list[Any]]) -> None:
    path = places[VisualGenome] / "region_descriptions.json"
    original = path.with_suffix(".original")
    if not original.exists():
        original.write_bytes(path.read_bytes())
    content = json.loads(original.read_text())
    for entry in content:
        entry["regions"] = [dict(zip(("x", "y", "width", "height"), r, strict=True)) | {"phrase": "a dog"} for r in regions]
    path.write_text(json.dumps(content))
    data = VisualGenome(str(places[VisualGenome]), min_count=1, image_size=32, workers=0)
    data.require(frozenset({"boxes", "captions"}))
    size = tuple(data.scenes("train")[0]["image"].shape[1:])
    sound = []
    for region in regions:
        try:
            x, y, w, h = map(float, region)
        except (ValueError, TypeError, OverflowError):
            continue
        if in_image((x, y, x + w, y + h), size[1], size[0]):
            sound.append(region)
    scene, faults = outcomes(data, "boxes", "captions")
    assert scene is not None and len(scene["boxes"]) == len(scene["captions"]) == len(sound)
    assert faults == len(regions) - len(sound)


@given(st.data())
@examples(100)
def test_ids_are_those_of_one_thing_each(places: dict[Any, Path], data: st.DataObject) -> None:
    path = places[COCO] / "annotations/instances_train2017.json"
    content = json.loads((places[COCO] / "annotations/instances_val2017.json").read_text())
    ids = data.draw(st.lists(st.integers(1, 4) | st.sampled_from(["1", "a"]), min_size=1, max_size=4))
    path.write_text(json.dumps(content | {"annotations": [annotation() | {"id": one} for one in ids]}))
    module = COCO(str(places[COCO]), image_size=32, workers=0)
    if len(set(ids)) == len(ids):
        assert len(module.scenes("train")[0]["boxes"]) == len(ids)
    else:
        with pytest.raises(InputError, match=r"instances_train2017\.json: annotations: id .* is there twice"):
            module.scenes("train")
