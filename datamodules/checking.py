"""Whether scenes keep the contract: each scene by itself, and a data module's promise of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .kinds import Areas, Boxes, Kind, Map, Masks, PerObject, Points, Scalar
from .scene import FIELDS, IGNORE, DatasetMetadata, InputError, Scene, declared, keep_objects, of_kind


def check_promise(name: str, fields: frozenset[str], scene: Scene) -> None:
    """Holds a data module to its promise, at its first scene.

    Args:
        name: the data module's.
        fields: those of its ``provides`` that are in use.
        scene: as the data module read it.

    Raises:
        InputError: the scene lacks one of the fields, or has another kind of value there.
    """
    where = scene.get("name", "which has no name")
    for field in sorted(fields):
        promise = f"{name} promises {field}, {FIELDS[field]}; its first scene, {where}, has"
        if field not in scene:
            raise InputError(f"{promise} only {', '.join(sorted(scene))}")
        if found := FIELDS[field].fault(scene[field]):  # type: ignore[literal-required]
            raise InputError(f"{promise} {found}")


def problems(scene: Scene, metadata: DatasetMetadata) -> tuple[list[str], dict[int, str]]:
    """What breaks the contract: of the scene as a whole, and of single objects (index -> what is wrong).

    A scene's problem (an image that is no uint8 (3, H, W), a field of another kind, a mask of another size, a label out of
    range) leaves nothing to use; an object's problem (a box of zero area, outside the image, reversed or NaN) can be
    mended by leaving out that object.
    """
    image = scene["image"]
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
        return [f"image is {image.dtype} {tuple(image.shape)}, expected torch.uint8 (3, H, W)"], {}
    size = image.shape[1], image.shape[2]
    fields = declared(scene)
    if whole := [f"{field} is {found}, expected {kind}" for field, kind, value in fields if (found := kind.fault(value))]:
        return whole, {}
    whole = [text for field, kind, value in fields for text in _whole_problems(field, kind, value, size, metadata)]
    counts = {field: len(value) for field, kind, value in fields if kind.per_object}
    if len(set(counts.values())) > 1:
        whole.append("one entry an object expected in each field, got " + ", ".join(f"{k}: {v}" for k, v in counts.items()))
    if whole:
        return whole, {}
    return [], {i: text for _, kind, value in fields for i, text in _object_problems(kind, value, size, metadata)}


def _whole_problems(field: str, kind: Kind, value: Any, size: tuple[int, int], metadata: DatasetMetadata) -> Iterator[str]:
    """What is wrong with a field as a whole, whose value is of its kind, in an image of ``size`` (H, W)."""
    match kind:
        case Scalar() if kind.classes:
            if text := _label_problem(field, int(value), kind, metadata):
                yield text
        case Map() if tuple(value.shape) != size:
            yield f"{field} is {value.shape[0]} x {value.shape[1]}, its image {size[0]} x {size[1]} (H x W)"
        case Map() if kind.classes:
            count = len(metadata.names(kind))
            # bincount is several times faster than unique on a byte image.
            counts = torch.bincount(value.flatten().int(), minlength=256)
            counts[IGNORE] = 0
            if bool(counts[count:].any()):
                found = int(counts[count:].nonzero()[0]) + count
                yield f"{field} has class {found}: {_range(count, metadata)}, and {IGNORE} for ignore"
        case Masks() if tuple(value.shape[1:]) != size:
            yield f"{field} are {tuple(value.shape[1:])}, their image is {size} (H, W)"


def _object_problems(kind: Kind, value: Any, size: tuple[int, int], metadata: DatasetMetadata) -> Iterator[tuple[int, str]]:
    """The objects with a fault in a field of this kind, and what it is."""
    match kind:
        case PerObject() if kind.classes:
            faults = [_label_problem("label", label, kind, metadata) for label in value.tolist()]
        case Boxes():
            faults = [_box_problem(box, *size) for box in value.tolist()]
        case Points():
            faults = [_points_problem(points, metadata) for points in value]
        case Areas():
            faults = ["" if 0 <= area < float("inf") else f"area is {area:g}, expected 0 or more" for area in value.tolist()]
        case _:
            faults = []
    return ((i, text) for i, text in enumerate(faults) if text)


def without_pixels(scene: Scene) -> dict[int, str]:
    """The objects whose mask has no pixel, and that it has none.

    On disk that is a fault, while a crop or a resizing may leave none of a mask. A box with nothing in it is no truth: neither
    to train a mask on, nor to be found.
    """
    masks = [mask for _, _, value in of_kind(scene, Masks) for mask in value]
    return {i: "its mask has no pixel" for i, mask in enumerate(masks) if not bool(mask.any())}


def with_pixels(scene: Scene) -> Scene:
    """The scene without those objects."""
    empty = without_pixels(scene)
    return keep_objects(scene, [i for i in range(len(scene["masks"])) if i not in empty]) if empty else scene


def _label_problem(field: str, label: int, kind: Kind, metadata: DatasetMetadata) -> str:
    count = len(metadata.names(kind))
    return "" if 0 <= label < count else f"{field} {label} is out of range: {_range(count, metadata)}"


def _range(count: int, metadata: DatasetMetadata) -> str:
    return f"{metadata.name} has classes 0 to {count - 1}"


def _box_problem(box: list[float], height: int, width: int) -> str:
    x1, y1, x2, y2 = box
    text = f"box ({x1:g}, {y1:g}, {x2:g}, {y2:g})"
    if not all(abs(v) < float("inf") for v in box):
        return f"{text} is not finite"
    if x2 < x1 or y2 < y1:
        return f"{text} is reversed: x2 >= x1 and y2 >= y1 expected"
    if x2 == x1 or y2 == y1:
        return f"{text} has no area"
    # One pixel of grace: some official annotations count the last pixel's far edge from 1.
    if x1 < -1 or y1 < -1 or x2 > width + 1 or y2 > height + 1:
        return f"{text} leaves its image of {width} x {height} (W x H)"
    if min(x2, width) <= max(x1, 0) or min(y2, height) <= max(y1, 0):
        return f"{text} lies beside its image of {width} x {height} (W x H)"
    return ""


def _points_problem(keypoints: Tensor, metadata: DatasetMetadata) -> str:
    if keypoints.shape != (len(metadata.keypoints), 3):
        return f"keypoints of an instance are {tuple(keypoints.shape)}, expected ({len(metadata.keypoints)}, 3)"
    if strange := [v for v in keypoints[:, 2].tolist() if v not in (0, 1, 2)]:
        return f"visibility of a keypoint is {strange[0]:g}, expected 0 (not labelled), 1 (hidden) or 2 (visible)"
    labelled = keypoints[keypoints[:, 2] > 0, :2]
    if not bool(torch.isfinite(labelled).all()):
        return "a labelled keypoint is not finite"
    return ""
