"""The Scene contract: one image and all that is annotated in it.

Everything a data module yields and everything a task reads goes through the three types of this
file. Coordinates are absolute pixels with the origin at the outer corner of the top-left pixel, x to the
right and y down; a box is (x1, y1, x2, y2) with x2 > x1 and y2 > y1, so its width is x2 - x1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self, TypedDict, TypeVar, cast

import torch
from torch import Tensor

from .errors import InputError as InputError
from .errors import SceneError as SceneError
from .errors import UnknownClassError as UnknownClassError
from .errors import printable as printable
from .errors import quoted as quoted
from .kinds import Areas, Boxes, Kind, Map, Masks, PerObject, Points, Regions, Scalar, Texts

K = TypeVar("K", bound=Kind)

IGNORE = 255
"""Value of a mask's pixel that belongs to no class: neither trained on nor scored."""


class Scene(TypedDict, total=False):
    """One image and its annotations; only ``image`` is always there, the rest where the data set has it."""

    image: Tensor
    """uint8 (3, H, W), RGB."""
    label: Tensor
    """int64 (), the class of the image or of its main object."""
    mask: Tensor
    """uint8 (H, W), the class of each pixel in ``DatasetMetadata.mask_classes``; 255 = ignore."""
    boxes: Tensor
    """float32 (N, 4), xyxy."""
    labels: Tensor
    """int64 (N,), the class of each object in ``DatasetMetadata.classes``, from 0, without a background."""
    masks: Tensor
    """uint8 (N, H, W), one 0/1 mask an object."""
    keypoints: Tensor
    """float32 (N, K, 3): x, y, v of each instance's K keypoints; v > 0 where one is labelled (2 visible, 1 hidden)."""
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
    """(H, W) of the image as it lies on disk, before it was resized; each a :class:`Side`."""
    index: int
    """Its place in its split; given by the data module."""


class Side(int):
    """The height or the width of an image as it lies on disk, in pixels, which knows what became of them.

    It is a number like any other, so that whatever hands a ``size`` on (workers, pinned memory, a cache) keeps it.
    """

    scale: float
    """Pixels of the resized image in one of these; of scenes that are not augmented."""

    def __new__(cls, pixels: int, scale: float = 1.0) -> Self:
        side = super().__new__(cls, pixels)
        side.scale = scale
        return side


class ReadScene(Scene, total=False):
    """A scene as its reader gives it."""

    faults: dict[int, str]
    """What is wrong with single objects, by their place; they hold nothing of use, and are left out or refused."""
    called: list[str]
    """N names, what messages call the objects beside their numbers: ``annotation 31 of instances_train2017.json``."""


FIELDS: dict[str, Kind] = {
    "label": Scalar(dtype=torch.int64, classes="classes"),
    "mask": Map(dtype=torch.uint8, classes="mask_classes", fill=IGNORE),
    "boxes": Boxes(),
    "labels": PerObject(dtype=torch.int64, classes="classes"),
    "masks": Masks(),
    "keypoints": Points(),
    "captions": Texts(),
    "difficult": PerObject(dtype=torch.bool),
    "crowd": PerObject(dtype=torch.bool),
    "area": Areas(),
    "proposals": Regions(),
}
"""What a data module may provide and a task may need, beside the image, and of which kind each is.

A new field is an entry here, in :class:`Scene` and in :class:`Batch`; everything else goes over kinds.
"""

COMPUTED = frozenset({"proposals"})
"""The fields that every data module computes from the image as it lies on disk, where they are asked for."""


class Batch(TypedDict, total=False):
    """B scenes: a stacked tensor of what has the same size in each (see ``Kind.stacked``), otherwise a list of B."""

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


def scales_of(batch: Batch) -> list[tuple[float, float]]:
    """Of each image of a batch, the pixels that one pixel of its annotation has become, across and down.

    Places in the batch are in pixels of the resized image; ``area`` is in the annotation's.
    """
    return [(getattr(width, "scale", 1.0), getattr(height, "scale", 1.0)) for height, width in batch.get("size", [])]


@dataclass(frozen=True)
class DatasetMetadata:
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
    keypoints: tuple[str, ...] = ()
    """Names of the K keypoints that ``keypoints`` has of each instance."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoints that a bone connects."""
    flip_pairs: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoints that a horizontal flip exchanges."""
    vocabulary: tuple[str, ...] = ()
    """The words of ``captions``."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Mean of the RGB channels, of values in [0, 1]."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Standard deviation of the RGB channels, of values in [0, 1]."""

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of the classes that values of a kind count; none where they count no classes."""
        return getattr(self, kind.classes) if kind.classes else ()

    def as_dict(self) -> dict[str, Any]:
        """A dict of strings, numbers and lists: what a checkpoint may hold."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DatasetMetadata:
        """The inverse of :meth:`as_dict`; keys of a newer version are passed over."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: _frozen(value) for key, value in values.items() if key in known})


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, tuple | list) else value


def declared(scene: Mapping[str, Any]) -> list[tuple[str, Kind, Any]]:
    """Name, kind and value of each field of a scene, a batch or a prediction that :data:`FIELDS` declares."""
    return [(field, FIELDS[field], value) for field, value in scene.items() if field in FIELDS]


def of_kind(scene: Mapping[str, Any], kind: type[K]) -> list[tuple[str, K, Any]]:
    """Those of :func:`declared` that are of one kind."""
    return [(field, found, value) for field, found, value in declared(scene) if isinstance(found, kind)]


def keep_objects(scene: Mapping[str, Any], rows: Iterable[int]) -> Scene:
    """The scene with only the objects ``rows`` (indices), in that order, in each of its fields with one entry an object."""
    chosen = list(rows)
    kept = {field: kind.chosen(value, chosen) for field, kind, value in declared(scene) if kind.per_object}
    return cast(Scene, {**scene, **kept})


def unbind(batch: Batch) -> list[Scene]:
    """The B scenes of a batch, the inverse of ``collate``: they share its tensors' memory, on its device."""
    columns: dict[str, Any] = {**batch, "index": batch["index"].tolist()}
    return [cast(Scene, {field: values[i] for field, values in columns.items()}) for i in range(len(columns["index"]))]
