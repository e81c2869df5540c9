"""The Scene contract: one image and all that is annotated in it.

Everything a data module yields and everything a task reads goes through the three types of this
file. Coordinates are absolute pixels with the origin at the outer corner of the top-left pixel, x to the
right and y down; a box is (x1, y1, x2, y2) with x2 > x1 and y2 > y1, so its width is x2 - x1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypedDict

import torch
from torch import Tensor

IGNORE = 255
"""Value of a mask's pixel that belongs to no class: neither trained on nor scored."""


class Scene(TypedDict, total=False):
    """One image and its annotations; only ``image`` is always there, the rest where the data set has it."""

    image: Tensor
    """uint8 (3, H, W), RGB."""
    label: Tensor
    """int64 (), the class of the image or of its main object."""
    mask: Tensor
    """uint8 (H, W), the class of each pixel in ``Specification.mask_classes``; 255 = ignore."""
    boxes: Tensor
    """float32 (N, 4), xyxy."""
    labels: Tensor
    """int64 (N,), the class of each object in ``Specification.classes``, from 0, without a background."""
    masks: Tensor
    """uint8 (N, H, W), one 0/1 mask an object."""
    keypoints: Tensor
    """float32 (N, K, 3): x, y, v of the K joints of each figure; v > 0 where the joint is labelled (2 visible, 1 hidden)."""
    captions: list[str]
    """N phrases, one an object."""
    difficult: Tensor
    """bool (N,), objects that evaluation passes over (PASCAL VOC's ``difficult``)."""
    crowd: Tensor
    """bool (N,), regions that hold many objects (COCO's ``iscrowd``)."""
    area: Tensor
    """float32 (N,), square pixels of each object itself, not of its box (COCO's ``area``)."""
    proposals: Tensor
    """float32 (P, 4), xyxy: regions that may hold an object, the most promising first; found in the image, not annotated."""
    name: str
    """Where the scene comes from: a path relative to the data set's root, or a drawing's number."""
    size: tuple[int, int]
    """(H, W) of the image as it lies on disk, before it was resized."""


OBJECT_FIELDS = ("boxes", "labels", "masks", "keypoints", "captions", "difficult", "crowd", "area")
"""The fields with one entry an object."""

COMPUTED = frozenset({"proposals"})
"""The fields that every data module computes from the image as it lies on disk, where they are asked for."""

FIELDS = ("label", "mask", *OBJECT_FIELDS, *sorted(COMPUTED))
"""What a data module may provide and a task may need, beside the image."""


class Batch(TypedDict, total=False):
    """B scenes. ``image``, ``label`` and ``mask`` are stacked; what has one entry an object is a list of B."""

    image: Tensor
    """uint8 (B, 3, H, W), normalised on the device and not before."""
    label: Tensor
    mask: Tensor
    boxes: list[Tensor]
    labels: list[Tensor]
    masks: list[Tensor]
    keypoints: list[Tensor]
    captions: list[list[str]]
    difficult: list[Tensor]
    crowd: list[Tensor]
    area: list[Tensor]
    proposals: list[Tensor]
    index: Tensor
    """int64 (B,), the place of each scene in its split: the same on any number of devices."""
    name: list[str]
    size: list[tuple[int, int]]


@dataclass(frozen=True)
class Specification:
    """What a task must know of a data set before it has seen a scene.

    It is plain data, and travels in checkpoints as the dict that :meth:`as_dict` gives.
    """

    name: str
    """The data set's name, as a person writes it."""
    image_size: tuple[int, int]
    """(H, W) of the images in a batch."""
    classes: tuple[str, ...] = ()
    """Names of the classes that ``label`` and ``labels`` count."""
    mask_classes: tuple[str, ...] = ()
    """Names of the classes that ``mask`` counts; a background, where there is one, is a class here."""
    joints: tuple[str, ...] = ()
    """Names of the K joints of ``keypoints``."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of joints that a bone connects."""
    flip_pairs: tuple[tuple[int, int], ...] = ()
    """Pairs of joints that a horizontal flip exchanges."""
    vocabulary: tuple[str, ...] = ()
    """The words of ``captions``."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Mean of the RGB channels, of values in [0, 1]."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Standard deviation of the RGB channels, of values in [0, 1]."""

    def as_dict(self) -> dict[str, Any]:
        """A dict of strings, numbers and lists: what a checkpoint may hold."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Specification:
        """The inverse of :meth:`as_dict`; keys of a newer version are passed over."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: _frozen(value) for key, value in values.items() if key in known})


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, tuple | list) else value


class InputError(ValueError):
    """Something that a person gave is wrong: its message is one line that says what, where, and what would be right."""


class SceneError(InputError):
    """A scene that breaks the contract: its message says which file and what is wrong with it."""


def keep_objects(scene: Scene, keep: Iterable[int]) -> Scene:
    """The scene with only the objects ``keep`` (indices), in that order, in each of its object fields."""
    chosen = list(keep)
    kept = dict(scene)
    for field in OBJECT_FIELDS:
        value = kept.get(field)
        if isinstance(value, Tensor):
            kept[field] = value[torch.tensor(chosen, dtype=torch.long)]
        elif isinstance(value, list):
            kept[field] = [value[i] for i in chosen]
    return kept  # type: ignore[return-value]


def problems(scene: Scene, specification: Specification) -> tuple[list[str], dict[int, str]]:
    """What breaks the contract: of the scene as a whole, and of single objects (index -> what is wrong).

    A scene's problem (an image that is no uint8 (3, H, W), a mask of another size, a label out of range)
    leaves nothing to use; an object's problem (a box of zero area, outside the image, reversed or NaN) can be
    mended by leaving out that object.
    """
    image = scene["image"]
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
        return [f"image is {image.dtype} {tuple(image.shape)}, expected torch.uint8 (3, H, W)"], {}
    height, width = image.shape[1:]
    whole = [*_label_problems(scene, specification), *_mask_problems(scene, specification, (height, width))]
    counts = {field: len(scene[field]) for field in OBJECT_FIELDS if field in scene}  # type: ignore[literal-required]
    if len(set(counts.values())) > 1:
        whole.append("one entry an object expected in each field, got " + ", ".join(f"{k}: {v}" for k, v in counts.items()))
    if whole:
        return whole, {}
    objects: dict[int, str] = {}
    for i, label in enumerate(scene["labels"].tolist() if "labels" in scene else ()):
        if not 0 <= label < len(specification.classes):
            objects[i] = (
                f"label {label} is out of range: {specification.name} has classes 0 to {len(specification.classes) - 1}"
            )
    for i, box in enumerate(scene["boxes"].tolist() if "boxes" in scene else ()):
        if wrong := _box_problem(box, height, width):
            objects[i] = wrong
    for i, joints in enumerate(scene.get("keypoints", ())):
        if wrong := _joint_problem(joints, specification):
            objects[i] = wrong
    return [], objects


def _label_problems(scene: Scene, specification: Specification) -> list[str]:
    if "label" not in scene or 0 <= int(scene["label"]) < len(specification.classes):
        return []
    return [
        f"label {int(scene['label'])} is out of range: {specification.name} has classes 0 to {len(specification.classes) - 1}"
    ]


def _mask_problems(scene: Scene, specification: Specification, size: tuple[int, int]) -> list[str]:
    found = []
    if "mask" in scene:
        mask = scene["mask"]
        if tuple(mask.shape) != size:
            found.append(f"mask is {mask.shape[0]} x {mask.shape[1]}, its image {size[0]} x {size[1]} (H x W)")
        else:
            classes = len(specification.mask_classes)
            # bincount is several times faster than unique on a byte image.
            counts = torch.bincount(mask.flatten().int(), minlength=256)
            counts[IGNORE] = 0
            if bool(counts[classes:].any()):
                value = int(counts[classes:].nonzero()[0]) + classes
                found.append(
                    f"mask has class {value}: {specification.name} has classes 0 to {classes - 1}, and {IGNORE} for ignore"
                )
    if "masks" in scene and tuple(scene["masks"].shape[1:]) != size:
        found.append(f"masks are {tuple(scene['masks'].shape[1:])}, their image is {size} (H, W)")
    return found


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
    return ""


def _joint_problem(joints: Tensor, specification: Specification) -> str:
    if joints.shape != (len(specification.joints), 3):
        return f"keypoints of a figure are {tuple(joints.shape)}, expected ({len(specification.joints)}, 3)"
    labelled = joints[joints[:, 2] > 0, :2]
    if not bool(torch.isfinite(labelled).all()):
        return "a labelled joint is not finite"
    return ""
