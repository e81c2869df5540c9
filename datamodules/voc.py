"""PASCAL VOC: twenty classes of objects, with boxes, and masks for some of the images."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
import torchvision

from .base import DataModule, Size, Split
from .files import SceneFiles, below, content, existing, read_text
from .holding_out import SHARE, checked_share, divided
from .images import read_image, read_mask, with_any_ending
from .main_object import main_label
from .own_splits import with_held_out
from .scene import DatasetMetadata, InputError, ReadScene, Scene, SceneError, UnknownClassError, quoted
from .voc_unlisted import AnnotatedImage, has_lists, is_unlisted, unlisted

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "": False}
"""What ``difficult`` may be, in small or capital letters; VOC has 0 and 1."""
_FROM_XML = frozenset({"label", "labels", "boxes", "difficult"})


class VOC(DataModule):
    """PASCAL VOC 2007 or 2012 (Everingham et al. 2010), or a data set of one's own in its layout.

    ``label`` is the class of the largest object that is not ``difficult``; ``mask`` counts the background as class 0.
    As the corners of VOC's boxes are pixels that belong to the box, counted from 1, a box here is
    (xmin - 1, ymin - 1, xmax, ymax).

    Splits are the lists of ``ImageSets/Main``, or of ``ImageSets/Segmentation`` where a mask is needed (see
    ``require``). Where there is no ``test.txt`` (the annotations of VOC 2012's test are not public), the test split is
    ``val.txt``, and a part of ``train.txt`` is held out for validation; as it is where there is no ``val.txt``. An image may
    have any ending of an image (``a.JPG``, ``a.png``). Where there are no lists at all, every image with an XML file is taken
    (see :mod:`.voc_unlisted`): folders called train, val or valid and test are splits, and one that is missing is held out of
    the training images.

    Args:
        root: the folder of ``VOCdevkit/VOC<year>/``, or of ``VOC<year>/``, or the one of the XML files, or above it.
        year: which of the two.
        classes: names of the classes, in the order in which labels count them; VOC's twenty where nothing else is said.
        download: get what is missing from the official servers.
        hold_out: share of the training images (5,000 at most) that is held out for validation where it has no list but the
            test's; with 0 it is the test's.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = _FROM_XML | {"mask"}

    def __init__(
        self,
        root: str = "data",
        *,
        year: Literal[2007, 2012] = 2012,
        classes: Sequence[str] = CLASSES,
        download: bool = False,
        hold_out: float = SHARE,
        image_size: Size = 300,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.hold_out = checked_share(hold_out, "VOC")
        self.root, self.year, self.classes, self.download = Path(root), year, tuple(classes), download

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name=f"PASCAL VOC {self.year}",
            image_size=self.image_size,
            classes=self.classes,
            mask_classes=("background", *self.classes),
        )

    def prepare_data(self) -> None:
        if self.download:
            for image_set in ("trainval", "test") if self.year == 2007 else ("trainval",):
                if not (self.folder / "ImageSets" / "Main" / f"{image_set}.txt").is_file():
                    try:
                        torchvision.datasets.VOCDetection(str(self.root), str(self.year), image_set, download=True)
                    except (OSError, RuntimeError) as error:
                        raise InputError(f"VOC: {self.folder} is not complete, and the download failed: {error}") from None

    @property
    def folder(self) -> Path:
        """The folder of ``Annotations/``, ``ImageSets/`` and ``JPEGImages/``."""
        inner = self.root / f"VOC{self.year}"
        outer = self.root / "VOCdevkit" / f"VOC{self.year}"
        return next((folder for folder in (inner, outer) if folder.is_dir()), self.root if is_unlisted(self.root) else outer)

    @cached_property
    def _unlisted(self) -> dict[Split, list[AnnotatedImage]]:
        return with_held_out(f"VOC {self.folder}", unlisted(self.folder), lambda item: item.xml, self.remark)

    def scenes(self, split: Split) -> SceneFiles[str] | SceneFiles[AnnotatedImage]:
        if "mask" not in self.fields and self.folder.is_dir() and not has_lists(self.folder):
            return SceneFiles(self._unlisted[split], UnlistedReader(self.folder, Path(), self.classes, self.fields).paired)
        kind = "Segmentation" if "mask" in self.fields else "Main"
        layout = f"PASCAL VOC's layout, VOCdevkit/VOC{self.year}/ImageSets/{kind}/train.txt"
        lists = existing(self.folder / "ImageSets" / kind, layout)
        there: list[Split] = [name for name in _SPLITS if (lists / f"{name}.txt").is_file()]

        paths: list[Path] = []

        def listed(name: Split) -> list[str]:
            paths.append(lists / f"{name}.txt")
            return [line.strip() for line in read_text(paths[-1], layout).splitlines() if line.strip()]

        names = divided(split, there, listed, self.hold_out, lambda text: self.remark(f"{lists}: {text}"))
        return SceneFiles(names, VOCReader(self.folder, paths[-1], self.classes, self.fields).scene)


@dataclass(frozen=True)
class VOCReader:
    """Reads one image of a VOC folder and those of its ``fields`` that are asked for."""

    folder: Path
    names: Path
    """The list that names the images."""
    classes: tuple[str, ...]
    fields: frozenset[str]

    def scene(self, name: str) -> Scene:
        path = with_any_ending(self._file("JPEGImages", f"{name}.jpg"))
        scene: ReadScene = {"image": read_image(path), "name": f"JPEGImages/{path.name}"}
        if "mask" in self.fields:
            scene["mask"] = read_mask(self._file("SegmentationClass", f"{name}.png"))
        if _FROM_XML & self.fields:
            height, width = scene["image"].shape[1:]
            self._annotate(scene, self._file("Annotations", f"{name}.xml"), (width, height))
        return scene

    def _file(self, folder: str, name: str) -> Path:
        return below(self.folder / folder, name, self.names)

    def _annotate(self, scene: ReadScene, path: Path, size: tuple[int, int]) -> None:
        try:
            root = _parsed(path)
            written = _number(root, "size/width"), _number(root, "size/height")
            if written != size:
                here = f"{written[0]:g} x {written[1]:g}"
                raise ValueError(f"its size is {here}, its image's {size[0]} x {size[1]} (W x H)")
            faults: dict[int, str] = {}
            objects = [self._object_or_fault(i, element, faults) for i, element in enumerate(root.iter("object"))]
        except UnknownClassError as error:
            raise UnknownClassError(f"{path}: {error}") from None
        except InputError as error:
            raise SceneError(error) from None
        except (ET.ParseError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
            raise SceneError(f"{path}: {error}") from None
        scene["faults"] = {place: f"{wrong} in {path}" for place, wrong in faults.items()}
        scene["labels"] = torch.tensor([label for label, _, _ in objects], dtype=torch.long)
        scene["boxes"] = torch.tensor([box for _, box, _ in objects], dtype=torch.float32).reshape(-1, 4)
        scene["difficult"] = torch.tensor([difficult for _, _, difficult in objects], dtype=torch.bool)
        if "label" in self.fields:
            if not objects:
                raise SceneError(f"{path}: no object, so the image has no label")
            scene["label"] = main_label(scene, faults)

    def _object_or_fault(self, place: int, element: ET.Element, faults: dict[int, str]) -> tuple[int, tuple[float, ...], bool]:
        """An object; one that cannot be read is named in ``faults``, and has no box."""
        try:
            return self._object(element)
        except UnknownClassError:
            raise
        except ValueError as error:
            faults[place] = str(error)
            return 0, (float("nan"),) * 4, False

    def _object(self, element: ET.Element) -> tuple[int, tuple[float, ...], bool]:
        name = (element.findtext("name") or "").strip()
        if name not in self.classes:
            raise UnknownClassError(f"class {quoted(name)} is not among data.classes ({', '.join(self.classes)})")
        x1, y1, x2, y2 = (_number(element, f"bndbox/{corner}") for corner in ("xmin", "ymin", "xmax", "ymax"))
        # Two corners in one pixel would be a box of one pixel; it is a slip of the annotator's hand.
        shift = 1 if x2 > x1 and y2 > y1 else 0
        if (flag := element.findtext("difficult", "0").strip()).lower() not in _FLAGS:
            raise ValueError(f"<difficult> is {quoted(flag)}; 0 or 1 expected")
        return self.classes.index(name), (x1 - shift, y1 - shift, x2, y2), _FLAGS[flag.lower()]


class UnlistedReader(VOCReader):
    """Reads what no list names."""

    def paired(self, item: AnnotatedImage) -> Scene:
        scene: ReadScene = {"image": read_image(below(self.folder, item.image, self.folder)), "name": item.image}
        height, width = scene["image"].shape[1:]
        self._annotate(scene, below(self.folder, item.xml, self.folder), (width, height))
        return scene


def _parsed(path: Path) -> ET.Element:
    """The root of an XML file. Nothing that it names is fetched, and it may define nothing of its own (an entity of entities
    would make a small file endless): no annotation tool writes such definitions."""
    if not path.exists():
        raise InputError(f"{path}: no such file")
    text = content(path, "an XML annotation as PASCAL VOC has them")
    if b"<!ENTITY" in text.replace(b"\0", b""):  # two bytes a character in UTF-16
        raise ValueError("it defines entities, which an annotation does not need")
    return ET.fromstring(text)


def _number(element: ET.Element, tag: str) -> float:
    text = element.findtext(tag)
    if text is None:
        raise ValueError(f"<{element.tag}> has no <{tag}>")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"could not convert <{tag}> {quoted(text)} to a number") from None
