"""labelme: a JSON file an image, with a polygon, a rectangle or another shape for each object."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from .base import DataModule, Size, Split
from .files import SceneFiles, below, content, existing
from .images import SUFFIXES, read_image
from .labelme_shapes import Shape, objects_of, read_shape
from .own_objects import Fault, scene_of
from .own_splits import named_split, with_held_out, written_name
from .scene import DatasetMetadata, InputError, Scene, SceneError, quoted

_LAYOUT = "labelme's x.json beside x.jpg, in one folder or in train/, val/ and test/"


class LabelMe(DataModule):
    """Images annotated with labelme (Wada), a ``.json`` beside each image or in a folder of its own.

    Polygons, rectangles, circles and masks are objects; shapes of one label and one ``group_id`` are one object. ``mask`` has a
    background as class 0, and where objects overlap the later one. Points, lines and line strips enclose nothing: they are
    named as faults. ``label`` is the class of the largest object; where it is asked for, images without an object are left out.
    The image inside a JSON (``imageData``) is not read: the file is.

    Folders called train, val (or valid) and test are splits; one that is missing is held out of the training images.

    (No library reads it: docs/own_data.md says why.)

    Args:
        root: the folder of the JSON files; they may lie in folders in it.
        classes: names of the classes, in the order in which labels count them. By default all labels of all files, sorted,
            for which each is read once before the training begins.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label", "labels", "boxes", "masks", "mask", "area"})

    def __init__(self, root: str, *, classes: list[str] | None = None, image_size: Size = 320, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.classes = Path(root), classes
        if classes is not None and len(set(classes)) < max(len(classes), 1):
            raise InputError(f"LabelMe: data.classes {classes}: one or more names expected, each once")

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name=self.root.resolve().name,
            image_size=self.image_size,
            classes=self._names,
            mask_classes=("background", *self._names),
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return self._found if self.classes is None else tuple(self.classes)

    @cached_property
    def _found(self) -> tuple[str, ...]:
        """The labels of all shapes of all files, sorted. A file that cannot be read says so when its scene is read."""
        labels = set[str]()
        for name in self._files:
            try:
                labels |= {shape.label for shape in read_shapes(self.root / name).shapes if isinstance(shape, Shape)}
            except SceneError:
                continue
        if not labels:
            raise InputError(f"{self.root}: no shape in any of its {len(self._files)} JSON files: expected {_LAYOUT}")
        return tuple(sorted(labels))

    @cached_property
    def _files(self) -> list[str]:
        """labelme's JSON files by their path below ``root``; those of other programs are passed over, which is said."""
        existing(self.root, _LAYOUT)
        names = [path.relative_to(self.root).as_posix() for path in sorted(self.root.rglob("*.json"))]
        names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
        if not names:
            raise InputError(f"{self.root} has no .json: expected {_LAYOUT}")
        others = [name for name in names if _is_of_another_program(self.root, name)]
        if len(others) == len(names):
            raise InputError(f"{self.root}: {others[0]} has no shapes, nor has another .json: expected {_LAYOUT}")
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            self.remark(f"LabelMe {self.root}: {others[0]}{more} without shapes, of another program: passed over")
        return [name for name in names if name not in set(others)]

    @cached_property
    def _splits(self) -> dict[Split, list[str]]:
        found: dict[Split, list[str]] = {}
        _refuse_two_of_one_image(self.root, self._files)
        for name in self._files:
            splits = {split for part in PurePosixPath(name).parts[:-1] if (split := named_split(part))}
            if len(splits) > 1:
                raise InputError(f"{self.root / name}: its folders name two splits, {' and '.join(sorted(splits))}")
            found.setdefault(splits.pop() if splits else "train", []).append(name)
        return with_held_out(f"LabelMe {self.root}", found, written_name, self.remark)

    def scenes(self, split: Split) -> SceneFiles[str]:
        """The scenes of a split, each by its JSON's path below ``root``."""
        names = self._splits[split]
        if "label" in self.fields:
            names = [name for name in names if _has_shapes(self.root / name)]
        return SceneFiles(names, LabelMeReader(self.root, self._names, self.fields, self.invalid).scene)


@dataclass(frozen=True)
class LabelMeReader:
    """Reads a JSON file and its image."""

    root: Path
    classes: tuple[str, ...]
    fields: frozenset[str]
    invalid: Literal["error", "skip"]

    def scene(self, name: str) -> Scene:
        path = self.root / name
        annotation = read_shapes(path)
        image_path = image_of(self.root, name, annotation.image)
        image = read_image(image_path)
        height, width = image.shape[1:]
        if annotation.size not in ((height, width), (None, None)):
            written = " x ".join(map(quoted, annotation.size[::-1]))
            raise SceneError(f"{path}: the image is {width} x {height}, in its annotation {written} (W x H)")
        found = objects_of(annotation.shapes, self.classes, (height, width))
        scene_name = image_path.relative_to(self.root).as_posix()
        return scene_of(image, scene_name, path, found, self.fields, self.invalid)


@dataclass(frozen=True)
class LabelMeFile:
    """What a JSON file says of its image."""

    image: str
    """Where whoever wrote it had the image; empty where nothing is said."""
    size: tuple[Any, Any]
    """(H, W) as it stands there; None where nothing is said."""
    shapes: list[Shape | Fault]


def read_shapes(path: Path) -> LabelMeFile:
    """A labelme file.

    Raises:
        SceneError: it is not there, no JSON, or not of labelme's form; the message names it.
    """
    try:
        text = content(path, _LAYOUT)
    except InputError as error:
        raise SceneError(error) from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{path}: not JSON ({quoted(str(error))})") from None
    shapes = values.get("shapes") if isinstance(values, dict) else None
    if not isinstance(shapes, list):
        raise SceneError(f"{path}: no list of shapes: expected {_LAYOUT}")
    image = values.get("imagePath")
    size = values.get("imageHeight"), values.get("imageWidth")
    return LabelMeFile(image if isinstance(image, str) else "", size, [read_shape(i, shape) for i, shape in enumerate(shapes)])


def image_of(root: Path, name: str, written: str) -> Path:
    """The image of a JSON file ``name`` below ``root``: where its ``imagePath`` leads, beside it, or in a folder ``images``.

    Raises:
        SceneError: there is none; or it is another than the one that has the JSON file's own name.
    """
    folder, file = PurePosixPath(name).parent, PurePosixPath(written.replace("\\", "/")).name
    places = [_joined(folder, written.replace("\\", "/"))]
    stem = PurePosixPath(name).stem
    for place in (folder, folder.parent / "images", folder / "images", PurePosixPath("images")):
        places += [str(place / file)] if file else []
        places += [str(place / f"{stem}{ending}") for suffix in sorted(SUFFIXES) for ending in (suffix, suffix.upper())]
    for candidate in places:
        if candidate and (path := below(root, candidate, root / name)).is_file():
            if path.stem != stem and (own := _image_of_its_name(root, name)):
                raise SceneError(f"{root / name}: is it of {path.name}, its imagePath, or of {own.name}, which has its name?")
            return path
    wanted = quoted(written) if written else f"'{stem}.jpg'"
    raise SceneError(f"{root / name}: its image {wanted} is not beside it, nor in a folder images")


def _image_of_its_name(root: Path, name: str) -> Path | None:
    try:
        return image_of(root, name, "")
    except SceneError:
        return None


def _refuse_two_of_one_image(root: Path, names: list[str]) -> None:
    """Nothing, where each JSON file has an image of its own: a photograph that is there twice may be trained on and tested on.

    Raises:
        SceneError: two have one. (A file that cannot be read says so when its scene is read.)
    """
    by_image: dict[Path, str] = {}
    for name in names:
        try:
            image = _image_of_its_name(root, name) or image_of(root, name, read_shapes(root / name).image)
        except SceneError:
            continue
        if (other := by_image.setdefault(image, name)) != name:
            raise SceneError(
                f"{root / name}: its image {image.relative_to(root)} is that of {other} too; one file an image expected"
            )


def _is_of_another_program(root: Path, name: str) -> bool:
    """Whether a JSON file is a whole one, never speaks of shapes, and has no image of its name; not one that is damaged."""
    path = root / name
    if _image_of_its_name(root, name) or not path.is_file():
        return False
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            ends = text[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] + text[-100:].rstrip()[-1:]
            return ends in (b"{}", b"[]") and text.find(b'"shapes"') < 0
    except (OSError, ValueError):  # an empty one cannot be mapped
        return False


def _joined(folder: PurePosixPath, path: str) -> str:
    """A path as it is meant from a folder below the root, ``..`` resolved; empty where it leads out of the root."""
    parts = list(folder.parts)
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "" if path.startswith("/") else "/".join(parts)


def _has_shapes(path: Path) -> bool:
    """Whether a file has an object; one that cannot be read stays, and says so when its scene is read."""
    try:
        return bool(read_shapes(path).shapes)
    except SceneError:
        return True
