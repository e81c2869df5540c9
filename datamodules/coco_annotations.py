"""What a file of COCO's format says of one object: each field of it checked where it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coco_masks import area_of_segmentation
from .scene import InputError, quoted


@dataclass(frozen=True, slots=True)
class CocoImage:
    """What a file of COCO's format says of one image, in arrays: a million dicts would fill each worker's memory."""

    name: str
    size: tuple[int, int]
    boxes: NDArray[np.float32]  # (N, 4) xyxy
    labels: NDArray[np.int64]  # (N,)
    area: NDArray[np.float32]  # (N,)
    crowd: NDArray[np.bool_]  # (N,)
    ids: NDArray[Any]  # (N,), of the annotations
    segmentations: list[Any] = field(default_factory=list)  # N lists of polygons, or run-length codes
    keypoints: NDArray[np.float32] | None = None  # (N, K, 3)
    faults: Mapping[int, str] = field(default_factory=dict)
    """What is wrong with single objects: they hold nothing of use."""


@dataclass(frozen=True)
class AnnotationReader:
    """Reads the annotations of an image.

    Args:
        labels: by the id of a category.
        keypoints: how many, by the id of each category that has some.
        fields: those of a scene that are asked for.
    """

    labels: Mapping[Any, int]
    keypoints: Mapping[Any, int]
    fields: frozenset[str]

    def image(self, image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]) -> CocoImage:
        """All objects of an image, those with a fault at their places."""
        faults = {i: fault for i, annotation in enumerate(annotations) if (fault := self._fault(annotation))}
        size = image["height"], image["width"]
        boxes, area = np.full((len(annotations), 4), np.nan), np.zeros(len(annotations))
        crowd, count = np.zeros(len(annotations), bool), max(self.keypoints.values(), default=0)
        keypoints = np.zeros((len(annotations), count, 3))
        for i, annotation in enumerate(annotations):
            if i in faults:
                continue
            boxes[i], crowd[i] = annotation["bbox"], annotation.get("iscrowd", 0)
            area[i] = annotation["area"] if annotation.get("area") is not None else _own_area(annotation, size)
            if "keypoints" in self.fields and annotation["category_id"] in self.keypoints:
                keypoints[i] = np.reshape(annotation["keypoints"], (count, 3))
        boxes[:, 2:] += boxes[:, :2]
        keypoints[..., :2] += 0.5
        keypoints[keypoints[..., 2] == 0] = 0
        return CocoImage(
            name=image["file_name"],
            size=size,
            boxes=boxes.astype(np.float32),
            labels=np.array([self.labels[a["category_id"]] for a in annotations], np.int64),
            area=area.astype(np.float32),
            crowd=crowd,
            ids=np.array([_name(a) for a in annotations], object),
            segmentations=[[] if i in faults else compact(a.get("segmentation")) for i, a in enumerate(annotations)]
            if "masks" in self.fields
            else [],
            keypoints=keypoints.astype(np.float32) if "keypoints" in self.fields else None,
            faults=faults,
        )

    def _fault(self, annotation: Mapping[str, Any]) -> str:
        """What is wrong with a field of an annotation; empty where nothing is."""
        if fault := _numbers_fault(annotation, "bbox", 4):
            return fault
        x, y, width, height = annotation["bbox"]
        if not (0 < width < 1e30 and 0 < height < 1e30):
            return f"bbox ({x:g}, {y:g}, {width:g}, {height:g}) has no area: x, y, width and height above 0 expected"
        if (area := annotation.get("area")) is not None and (not _is_number(area) or not 0 <= area < 1e30):
            return f"area is {quoted(area)}, expected a number of square pixels, 0 or more"
        if annotation.get("iscrowd", 0) not in (0, 1):
            return f"iscrowd is {quoted(annotation['iscrowd'])}, expected a number, 0 or 1"
        if "keypoints" in self.fields and (count := self.keypoints.get(annotation["category_id"])):
            if fault := _numbers_fault(annotation, "keypoints", 3 * count):
                return fault
            if strange := [v for v in annotation["keypoints"][2::3] if v not in (0, 1, 2)]:
                return f"keypoints has visibility {strange[0]:g}, expected 0 (not labelled), 1 (hidden) or 2 (visible)"
        if "masks" in self.fields and not annotation.get("segmentation"):
            return "no segmentation, which masks need: a list of polygons or a run-length code expected"
        return ""


def named(ids: Iterable[Any], file: str) -> list[str]:
    """What messages call the annotations of a file."""
    return [f"annotation {one} of {file}" for one in ids]


def _name(annotation: Mapping[str, Any]) -> str | int:
    one = annotation.get("id")
    return one if isinstance(one, int) and abs(one) < 2**63 else quoted(one)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers_fault(annotation: Mapping[str, Any], key: str, length: int) -> str:
    """Why a field is not ``length`` finite numbers; empty where it is."""
    values = annotation.get(key)
    if not isinstance(values, list) or len(values) != length or not all(map(_is_number, values)):
        found = f"{len(values)} values" if isinstance(values, list) and len(values) != length else quoted(values)
        what = f"{key} is {found}" if key in annotation else f"not of COCO's format, it has no {key}"
        return f"{what}, expected {length} numbers"
    if not all(-1e30 < value < 1e30 for value in values):
        return f"{key} has a number that is not finite"
    return ""


def _own_area(annotation: Mapping[str, Any], size: tuple[int, int]) -> float:
    """Square pixels of an object whose area the file does not give: of its segmentation or, without one, of its box."""
    own = area_of_segmentation(compact(annotation.get("segmentation")), *size)
    return own or float(annotation["bbox"][2] * annotation["bbox"][3])


def compact(segmentation: Any) -> Any:
    """A segmentation as it is kept: polygons as arrays."""
    return segmentation if isinstance(segmentation, dict) else [_polygon(one) for one in _listed(segmentation)]


def _listed(segmentation: Any) -> list[Any]:
    return segmentation if isinstance(segmentation, list) else [] if segmentation is None else [segmentation]


def _polygon(points: Any) -> NDArray[Any]:
    try:
        return np.array(points)
    except ValueError:  # lists of different lengths
        return np.array(None)


class SomeKeypoints:
    """What the categories of a file say of keypoints: one list of names that those with keypoints share, and its bones."""

    def __init__(self, categories: Sequence[Mapping[str, Any]]) -> None:
        own = [category for category in categories if category.get("keypoints")]
        if not own:
            raise InputError("no category has keypoints; data COCO reads the boxes and masks of such a file")
        names = own[0]["keypoints"]
        if not isinstance(names, list) or not all(isinstance(n, str) and n.isprintable() for n in names):
            raise InputError(f"category {quoted(own[0]['name'])}: keypoints is {quoted(names)}, expected a list of names")
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"category {quoted(own[0]['name'])}: keypoint {quoted(twice[0])} is there twice")
        if others := [category for category in own if category["keypoints"] != names]:
            both = f"{quoted(own[0]['name'])} and {quoted(others[0]['name'])}"
            raise InputError(f"categories {both} have other keypoints each, expected one list for all")
        self.names: tuple[str, ...] = tuple(names)
        skeleton: Any = next((category["skeleton"] for category in own if category.get("skeleton")), [])
        for bone in skeleton if isinstance(skeleton, list) else [skeleton]:
            ends = bone if isinstance(bone, list) else []
            if len(ends) != 2 or not all(isinstance(end, int) and 1 <= end <= len(names) for end in ends):
                raise InputError(f"skeleton has {quoted(str(bone))}, expected pairs of numbers from 1 to {len(names)}")
        self.skeleton: tuple[tuple[int, int], ...] = tuple((a - 1, b - 1) for a, b in skeleton)
        self.counts = {category["id"]: len(names) for category in own}
