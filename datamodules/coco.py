"""COCO: objects in everyday scenes, with boxes, masks and, for people, keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch

from .base import DataModule, Size, Split
from .coco_annotations import AnnotationReader, CocoImage, SomeKeypoints, named
from .coco_exports import CocoExport, export_of
from .coco_masks import draw_masks
from .files import SceneFiles, below, read_json, refuse_twice
from .holding_out import SHARE, checked_share, divided
from .images import read_image
from .keypoint_pairs import pairs_by_name, pairs_given
from .main_object import main_label
from .scene import DatasetMetadata, InputError, ReadScene, Scene, SceneError, quoted

_SPLITS: tuple[Split, ...] = ("train", "val")
_LAYOUT = "COCO's train2017/, val2017/ and annotations/, as cocodataset.org/#download has them"


class COCO(DataModule):
    """COCO's object instances (Lin et al. 2014), ``annotations/instances_*.json``, or one's own data so laid out.

    ``labels`` count the file's categories in its order, from 0: there are 80, with ids from 1 to 90. ``masks`` are
    made from polygons and run-length codes, ``area`` is the file's. ``label`` is the class of the largest object; where
    it is asked for, images without an object, or with nothing but a ``crowd``, are left out. The test split is
    ``val2017/``, as the official test's annotations are not public; a run therefore validates on a part of ``train2017/`` that
    is held out (``scenes`` has both as they lie on disk, ``run_scenes`` as a run has them).

    A few official boxes have no area: train with ``invalid: skip``.

    Exports of Roboflow (``train/_annotations.coco.json``), CVAT (``annotations/instances_default.json``, ``images/``) and Label
    Studio are read as they are, and any other names through ``annotations`` and ``images``: see :mod:`.coco_exports`. A
    split that such data do not have is held out of their training images.

    Args:
        root: the folder of ``train2017/``, ``val2017/`` and ``annotations/``, or that of an export.
        year: the year in those names.
        hold_out: share of the training images (5,000 at most) that a run validates on; with 0 it validates on the test split.
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
        hold_out: float = SHARE,
        image_size: Size = 320,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.year, self.annotation_files, self.image_folders = Path(root), year, annotations, images
        self.hold_out = checked_share(hold_out, type(self).__name__)
        self._files: dict[tuple[Path, frozenset[str]], CocoFile] = {}

    @property
    def metadata(self) -> DatasetMetadata:
        # Both files have the same categories; that of validation is the smaller by far.
        paths = [path for path in (self._path("val"), self._path("train")) if path.is_file()]
        path = paths[0] if paths else self._path("val")
        file = self._file(path, frozenset())
        try:
            keypoints = self._keypoints(file.categories)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
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
        if self.invalid == "error" and (faults := file.faults):
            raise SceneError(f"{self._path(split)}: {faults[0]} (data.invalid: skip leaves such objects out)")
        self._report([f"{self._path(split)}: {stray}" for stray in file.strays])
        images = self._export.part(split, file.images, self.remark) if self._export else file.images
        if "label" in self.fields:
            images = [image for image in images if not image.crowd.all()]
        folder = f"{'train' if split == 'train' else 'val'}{self.year}"
        folder = self._export.folder(split, file.images) if self._export else folder
        return SceneFiles(images, CocoReader(self.root, folder, self._path(split), self.fields).scene)

    def run_scenes(self, split: Split) -> SceneFiles[CocoImage]:
        if self._export:  # which holds out by itself
            return self.scenes(split)
        found: dict[Split, SceneFiles[CocoImage]] = {}

        def listed(name: Split) -> Sequence[CocoImage]:
            found[split] = self.scenes(name)
            return found[split].items

        def remark(text: str) -> None:
            self.remark(f"{self.root}: {text}")

        there = [name for name in _SPLITS if self._path(name).is_file()]
        items = divided(split, there, listed, self.hold_out, remark, name=_name_of)
        return SceneFiles(items, found[split].read)  # what was listed last has the folder that they are of

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
            classes = self.metadata.classes if fields else ()
            self._files[path, fields] = CocoFile.read(path, fields, classes)
        return self._files[path, fields]


class COCOKeypoints(COCO):
    """COCO's people with 17 keypoints, ``annotations/person_keypoints_*.json``; see :class:`COCO`.

    The file's keypoints are indices of pixels; half a pixel is added to have their centres. Its categories that have keypoints
    share one list of them; objects of the others have none that is labelled.

    Args:
        root: as :class:`COCO` has it.
        flip_pairs: the names of each two keypoints that a mirror exchanges, such as [[paw_a, paw_b]]; an empty list says that
            there are none. By default they are told from the names: ``left_eye``, ``eye_l``, ``LEye`` … Where they cannot be
            told, an augmentation that mirrors an image is refused.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`COCO`.
    """

    provides = COCO.provides | {"keypoints"}
    annotations = "person_keypoints"

    def __init__(
        self,
        root: str = "data/coco",
        *,
        flip_pairs: Sequence[tuple[str, str]] | None = None,
        image_size: Size = 320,
        **options: Any,
    ) -> None:
        super().__init__(root, image_size=image_size, **options)
        self.flip_pairs = flip_pairs

    def _keypoints(self, categories: list[dict[str, Any]]) -> dict[str, Any]:
        found = SomeKeypoints(categories)
        pairs = pairs_by_name(found.names) if self.flip_pairs is None else pairs_given(found.names, self.flip_pairs)
        return {"keypoints": found.names, "skeleton": found.skeleton, "flip_pairs": pairs}


def _name_of(image: CocoImage) -> str:
    return str(image.name)


@dataclass(frozen=True)
class CocoFile:
    """A file of COCO's format."""

    categories: list[dict[str, Any]]
    images: list[CocoImage]

    strays: list[str] = field(default_factory=list)
    """Annotations of images that the file does not list."""

    @property
    def faults(self) -> list[str]:
        """What is wrong with single annotations."""
        return self.strays + [f"annotation {i.ids[at]}: {fault}" for i in self.images for at, fault in i.faults.items()]

    @classmethod
    def read(cls, path: Path, fields: frozenset[str], classes: Sequence[str] = ()) -> CocoFile:
        """Reads what ``fields`` need.

        Args:
            path: the file.
            fields: those of a scene that are asked for.
            classes: the names that labels count; the file's categories in its order where none are given.

        Raises:
            InputError: there is no such file.
            InputError: the file lacks something, an annotation names a category that is not in it, or an id is there twice.
        """
        content = read_json(path, _LAYOUT)
        try:
            labels = _labels(content["categories"], classes)
            keypoints = SomeKeypoints(content["categories"]) if "keypoints" in fields else None
            annotations: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in content["images"]}
            refuse_twice("images", "id", [image["id"] for image in content["images"]])
            refuse_twice("images", "file_name", [image["file_name"] for image in content["images"]])
            refuse_twice("annotations", "id", [a["id"] for a in content["annotations"] if a.get("id") is not None])
            strays = []
            for annotation in content["annotations"]:
                if annotation["category_id"] not in labels:
                    raise InputError(f"{_which(annotation)} has category_id {quoted(annotation['category_id'])}, {_UNLISTED}")
                if annotation["image_id"] in annotations:
                    annotations[annotation["image_id"]].append(annotation)
                else:
                    strays.append(f"{_which(annotation)} has image_id {quoted(annotation['image_id'])}, {_UNLISTED}")
            reader = AnnotationReader(labels, keypoints.counts if keypoints else {}, fields)
            images = [reader.image(image, annotations.pop(image["id"])) for image in content["images"]]
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
        except _OTHER_FORMAT as error:
            raise _wrong(path, error) from None
        return cls(content["categories"], images, strays)


_UNLISTED = "which the file does not list"


def _which(annotation: dict[str, Any]) -> str:
    return f"annotation {quoted(annotation.get('id'))}"


def _labels(categories: list[dict[str, Any]], classes: Sequence[str]) -> dict[Any, int]:
    """The label of each category, by its id."""
    names = [category["name"] for category in categories]
    if strange := [name for name in names if not _is_name(name)]:
        raise InputError(f"a category's name is {quoted(strange[0])}, expected a text")
    refuse_twice("categories", "id", [category["id"] for category in categories])
    refuse_twice("categories", "name", names)
    classes = classes or names
    if unknown := [name for name in names if name not in classes]:
        raise InputError(
            f"category {quoted(unknown[0])} is none of the validation file's ({', '.join(classes)}); both need all"
        )
    return {category["id"]: classes.index(category["name"]) for category in categories}


_OTHER_FORMAT = (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError)
"""What reading a file of another form is led to."""


def _wrong(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not of COCO's format ({type(error).__name__}: {quoted(str(error))})")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isprintable()


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
        scene: ReadScene = {"image": read_image(path), "name": name}
        height, width = scene["image"].shape[1:]
        if (height, width) != image.size:
            listed = f"{quoted(image.size[1])} x {quoted(image.size[0])}"
            raise SceneError(f"{name}: the image is {width} x {height}, in its annotation {listed} (W x H)")
        faults = dict(image.faults)
        scene["faults"], scene["called"] = faults, named(image.ids, self.file.name)
        scene["boxes"] = torch.from_numpy(image.boxes)
        scene["labels"] = torch.from_numpy(image.labels)
        scene["area"] = torch.from_numpy(image.area)
        scene["crowd"] = torch.from_numpy(image.crowd)
        if "masks" in self.fields:
            scene["masks"] = torch.from_numpy(draw_masks(name, image.segmentations, height, width, faults))
        if image.keypoints is not None:
            scene["keypoints"] = torch.from_numpy(image.keypoints)
        if "label" in self.fields:
            scene["label"] = main_label(scene, faults)
        return scene
