"""COCO: objects in everyday scenes, with boxes, masks and, for people, keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from .base import DataModule, Size, Split
from .coco_exports import CocoExport, export_of
from .coco_masks import draw_masks
from .files import SceneFiles, below, read_json
from .images import read_image
from .scene import DatasetMetadata, InputError, Scene, SceneError, quoted

_LAYOUT = "COCO's train2017/, val2017/ and annotations/, as cocodataset.org/#download has them"


class COCO(DataModule):
    """COCO's object instances (Lin et al. 2014), ``annotations/instances_*.json``, or one's own data so laid out.

    ``labels`` count the file's categories in its order, from 0: there are 80, with ids from 1 to 90. ``masks`` are
    made from polygons and run-length codes, ``area`` is the file's. ``label`` is the class of the largest object; where
    it is asked for, images without an object, or with nothing but a ``crowd``, are left out. The test split is that of
    validation: the official test's annotations are not public.

    A few official boxes have no area: train with ``invalid: skip``.

    Exports of Roboflow (``train/_annotations.coco.json``), CVAT (``annotations/instances_default.json``, ``images/``) and Label
    Studio are read as they are, and any other names through ``annotations`` and ``images``: see :mod:`.coco_exports`. A
    split that such data do not have is held out of their training images.

    Args:
        root: the folder of ``train2017/``, ``val2017/`` and ``annotations/``, or that of an export.
        year: the year in those names.
        annotations: the file of each split below ``root`` (``{train: a.json, val: b.json}``), or one file for all images.
        images: the folder of each split's images below ``root``, or one for all; looked for, where nothing is said.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label", "labels", "boxes", "masks", "crowd", "area"})
    annotations: ClassVar[str] = "instances"
    """The first part of the names of the annotation files."""

    def __init__(
        self,
        root: str = "data/coco",
        *,
        year: int = 2017,
        annotations: str | dict[str, str] | None = None,
        images: str | dict[str, str] | None = None,
        image_size: Size = 320,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.year, self.annotation_files, self.image_folders = Path(root), year, annotations, images
        self._files: dict[tuple[Path, frozenset[str]], CocoFile] = {}

    @property
    def metadata(self) -> DatasetMetadata:
        # Both files have the same categories; that of validation is the smaller by far.
        paths = [path for path in (self._path("val"), self._path("train")) if path.is_file()]
        path = paths[0] if paths else self._path("val")
        file = self._file(path, frozenset())
        try:
            keypoints = self._keypoints(file.categories)
        except _OTHER_FORMAT as error:
            raise _wrong(path, error) from None
        return DatasetMetadata(
            name=self.root.resolve().name if self._export else f"COCO {self.year}",
            image_size=self.image_size,
            classes=tuple(category["name"] for category in file.categories),
            **keypoints,
        )

    def scenes(self, split: Split) -> SceneFiles[CocoImage]:
        file = self._file(self._path(split), self.fields)
        images = self._export.part(split, file.images) if self._export else file.images
        if "label" in self.fields:
            images = [image for image in images if not image.crowd.all()]
        folder = f"{'train' if split == 'train' else 'val'}{self.year}"
        folder = self._export.folder(split, file.images) if self._export else folder
        return SceneFiles(images, CocoReader(self.root, folder, self._path(split), self.fields).scene)

    def _keypoints(self, categories: list[dict[str, Any]]) -> dict[str, Any]:
        """What the metadata says of keypoints: nothing in this file's instances."""
        return {}

    @cached_property
    def _export(self) -> CocoExport | None:
        """Where files and images are, if not where COCO has them."""
        official = [self.root / "annotations" / f"{self.annotations}_{name}{self.year}.json" for name in ("train", "val")]
        said = (self.annotation_files, self.image_folders) != (None, None)
        if not said and any(path.is_file() for path in official):
            return None
        return export_of(self.root, self.annotations, self.annotation_files, self.image_folders)

    def _path(self, split: Split) -> Path:
        if self._export:
            return self._export.file(split)
        name = "train" if split == "train" else "val"
        return self.root / "annotations" / f"{self.annotations}_{name}{self.year}.json"

    def _file(self, path: Path, fields: frozenset[str]) -> CocoFile:
        if (path, fields) not in self._files:
            self._files[path, fields] = CocoFile.read(path, fields)
        return self._files[path, fields]


class COCOKeypoints(COCO):
    """COCO's people with 17 keypoints, ``annotations/person_keypoints_*.json``; see :class:`COCO`.

    The file's keypoints are indices of pixels; half a pixel is added to have their centres.
    """

    provides = COCO.provides | {"keypoints"}
    annotations = "person_keypoints"

    def _keypoints(self, categories: list[dict[str, Any]]) -> dict[str, Any]:
        names = tuple(categories[0]["keypoints"])
        pairs = [(names.index(n), names.index(n.replace("left", "right"))) for n in names if n.startswith("left")]
        skeleton = [(a - 1, b - 1) for a, b in categories[0]["skeleton"]]
        return {"keypoints": names, "skeleton": tuple(skeleton), "flip_pairs": tuple(pairs)}


@dataclass(frozen=True, slots=True)
class CocoImage:
    """What a file of COCO's format says of one image, in arrays: a million dicts would fill each worker's memory."""

    name: str
    size: tuple[int, int]
    boxes: NDArray[np.float32]  # (N, 4) xyxy
    labels: NDArray[np.int64]  # (N,)
    area: NDArray[np.float32]  # (N,)
    crowd: NDArray[np.bool_]  # (N,)
    segmentations: list[Any] = field(default_factory=list)  # N lists of polygons, or run-length codes
    keypoints: NDArray[np.float32] | None = None  # (N, K, 3)


@dataclass(frozen=True)
class CocoFile:
    """A file of COCO's format."""

    categories: list[dict[str, Any]]
    images: list[CocoImage]

    @classmethod
    def read(cls, path: Path, fields: frozenset[str]) -> CocoFile:
        """Reads what ``fields`` need.

        Raises:
            InputError: there is no such file.
            InputError: the file lacks something, or an annotation names an image or a category that is not in it.
        """
        content = read_json(path, _LAYOUT)
        try:
            labels = {category["id"]: i for i, category in enumerate(content["categories"])}
            if strange := [category["name"] for category in content["categories"] if not _is_name(category["name"])]:
                raise InputError(f"{path}: a category's name is {quoted(strange[0])}, expected a text")
            annotations: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in content["images"]}
            for annotation in content["annotations"]:
                for key, known in (("image_id", annotations), ("category_id", labels)):
                    if annotation[key] not in known:
                        which = f"annotation {quoted(annotation['id'])} has {key} {quoted(annotation[key])}"
                        raise InputError(f"{path}: {which}, which the file does not list")
                annotations[annotation["image_id"]].append(annotation)
            keypoints = len(content["categories"][0]["keypoints"]) if "keypoints" in fields else 0
            images = [_image(image, annotations.pop(image["id"]), labels, keypoints, fields) for image in content["images"]]
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
        except _OTHER_FORMAT as error:
            raise _wrong(path, error) from None
        return cls(content["categories"], images)


_OTHER_FORMAT = (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError)
"""What reading a file of another form is led to."""


def _wrong(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not of COCO's format ({type(error).__name__}: {quoted(str(error))})")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isprintable()


def _rows(annotations: list[dict[str, Any]], key: str, length: int) -> NDArray[np.float64]:
    """The ``length`` numbers that each annotation has under a key, float64 (N, length).

    Raises:
        InputError: one has more, less, or something else; the message names the annotation.
    """
    for annotation in annotations:
        values = annotation[key]
        if not isinstance(values, list) or len(values) != length or not all(isinstance(v, int | float) for v in values):
            found = f"{len(values)} values" if isinstance(values, list) else quoted(values)
            which = f"annotation {quoted(annotation.get('id'))}: {key} is {found}"
            raise InputError(f"{which}, expected {length} numbers")
    return np.array([a[key] for a in annotations], np.float64).reshape(-1, length)


def _number(annotation: dict[str, Any], key: str) -> float:
    """The number that an annotation has under a key.

    Raises:
        InputError: it has something else; the message names the annotation.
    """
    value = annotation[key]
    if not isinstance(value, int | float):
        raise InputError(f"annotation {quoted(annotation.get('id'))}: {key} is {quoted(value)}, expected a number")
    return value


def _image(
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    labels: dict[int, int],
    number_of_keypoints: int,
    fields: frozenset[str],
) -> CocoImage:
    boxes = _rows(annotations, "bbox", 4)
    boxes[:, 2:] += boxes[:, :2]
    keypoints = None
    if "keypoints" in fields:
        keypoints = _rows(annotations, "keypoints", 3 * number_of_keypoints).astype(np.float32)
        keypoints = keypoints.reshape(-1, number_of_keypoints, 3)
        keypoints[..., :2] += 0.5
        keypoints[keypoints[..., 2] == 0] = 0
    return CocoImage(
        name=image["file_name"],
        size=(image["height"], image["width"]),
        boxes=boxes.astype(np.float32),
        labels=np.array([labels[a["category_id"]] for a in annotations], np.int64),
        area=np.array([_number(a, "area") for a in annotations], np.float32),
        crowd=np.array([_number({"iscrowd": 0} | a, "iscrowd") for a in annotations], bool),
        segmentations=[_compact(a["segmentation"]) for a in annotations] if "masks" in fields else [],
        keypoints=keypoints,
    )


def _compact(segmentation: Any) -> Any:
    return segmentation if isinstance(segmentation, dict) else [np.array(polygon) for polygon in segmentation]


@dataclass(frozen=True)
class CocoReader:
    """Reads an image and makes a scene of what is known of it."""

    root: Path
    folder: str
    file: Path
    """That names the images."""
    fields: frozenset[str]

    def scene(self, image: CocoImage) -> Scene:
        path, name = below(self.root / self.folder, image.name, self.file), f"{self.folder}/{image.name}".lstrip("/")
        scene: Scene = {"image": read_image(path), "name": name}
        height, width = scene["image"].shape[1:]
        if (height, width) != image.size:
            listed = f"{quoted(image.size[1])} x {quoted(image.size[0])}"
            raise SceneError(f"{name}: the image is {width} x {height}, in its annotation {listed} (W x H)")
        scene["boxes"] = torch.from_numpy(image.boxes)
        scene["labels"] = torch.from_numpy(image.labels)
        scene["area"] = torch.from_numpy(image.area)
        scene["crowd"] = torch.from_numpy(image.crowd)
        if "masks" in self.fields:
            scene["masks"] = torch.from_numpy(draw_masks(name, image.segmentations, height, width))
        if image.keypoints is not None:
            scene["keypoints"] = torch.from_numpy(image.keypoints)
        if "label" in self.fields:
            scene["label"] = scene["labels"][scene["area"].where(~scene["crowd"], -1).argmax()]
        return scene
