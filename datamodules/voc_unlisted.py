"""VOC's XML files without VOC's lists: which images there are, where, and of which split."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .base import Split
from .files import content
from .images import image_names
from .own_splits import named_split
from .scene import InputError

LAYOUT = "Annotations/*.xml and JPEGImages/ (or images/), or each x.xml beside x.jpg, in train/ and valid/ or not"


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and its XML file, by their paths below the folder."""

    image: str
    xml: str


def has_lists(folder: Path) -> bool:
    """Whether a folder has lists of VOC's; that of all images which CVAT adds (``default.txt``) is none."""
    lists = folder / "ImageSets" / "Main"
    return any((lists / f"{name}.txt").is_file() for name in ("train", "val", "trainval", "test"))


def is_unlisted(root: Path) -> bool:
    """Whether XML files lie in or below a folder that is not VOC's development kit, with its years."""
    kits = any(path.is_dir() for pattern in ("VOC2*", "VOCdevkit/VOC*") for path in root.glob(pattern))
    return not kits and bool(xml_files(root))


def xml_files(folder: Path) -> list[str]:
    """The XML files up to three folders down, by their paths; hidden ones are passed over."""
    patterns = ("*.xml", "*/*.xml", "*/*/*.xml", "*/*/*/*.xml")
    found = [path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)]
    return sorted(name for name in found if not any(part.startswith(".") for part in name.split("/")))


def unlisted(folder: Path) -> dict[Split, list[AnnotatedImage]]:
    """The images that have an XML file, in the splits that folders are named by; all as ``train`` where none is.

    An XML file is of the image of its name: beside it, or below a folder of images where it lies below one of annotations.

    Raises:
        InputError: there is no XML file, or one without an image or with several, or its folders name two splits.
    """
    names = xml_files(folder)
    if not names:
        raise InputError(f"{folder} has no XML files: expected PASCAL VOC's layout, {LAYOUT}")
    images: dict[str, list[str]] = {}
    for image in image_names(folder):
        images.setdefault(PurePosixPath(image).stem, []).append(image)
    found: dict[Split, list[AnnotatedImage]] = {}
    for name in names:
        path = PurePosixPath(name)
        candidates = [image for image in images.get(path.stem, ()) if "Segmentation" not in image]
        if not candidates:
            raise InputError(f"{folder / name}: there is no image {path.stem}.* below {folder}: expected {LAYOUT}")
        image = _nearest(folder, path, candidates)
        splits = {split for part in (*path.parts[:-1], *PurePosixPath(image).parts[:-1]) if (split := named_split(part))}
        if len(splits) > 1:
            raise InputError(f"{folder / name}: its folders name two splits, {' and '.join(sorted(splits))}")
        found.setdefault(splits.pop() if splits else "train", []).append(AnnotatedImage(image, name))
    return found


def _nearest(folder: Path, xml: PurePosixPath, images: list[str]) -> str:
    """Of several images of one name, that of an XML file: by its folders, or else by the file and folder that it names.

    Raises:
        InputError: more than one may be meant.
    """
    shared = {image: len(set(PurePosixPath(image).parts[:-1]) & set(xml.parts[:-1])) for image in images}
    nearest = [image for image in images if shared[image] == max(shared.values())]
    if len(nearest) > 1 and (root := _root_of(folder / xml)) is not None:
        file, place = ((root.findtext(tag) or "").strip().replace("\\", "/") for tag in ("filename", "folder"))
        nearest = [image for image in nearest if PurePosixPath(image).name == PurePosixPath(file).name] or nearest
        nearest = [image for image in nearest if PurePosixPath(image).parent.name == PurePosixPath(place).name] or nearest
    if len(nearest) > 1:
        raise InputError(
            f"{folder / xml}: is it of {nearest[0]} or of {nearest[1]}? Its <folder> or <filename>, or its own folder, should "
            "say so"
        )
    return nearest[0]


def _root_of(path: Path) -> ET.Element | None:
    """What an XML file holds; None of one that cannot be read, which says so when its scene is read."""
    try:
        text = content(path, "an XML annotation")
        return None if b"<!ENTITY" in text.replace(b"\0", b"") else ET.fromstring(text)
    except (InputError, ET.ParseError, ValueError, LookupError):
        return None


def names_in(folder: Path, names: Iterable[str]) -> Mapping[str, int]:
    """How often objects of each class are in XML files; one that cannot be read says so when its scene is read."""
    counts: dict[str, int] = {}
    for name in names:
        root = _root_of(folder / name)
        for element in () if root is None else root.iter("object"):
            label = (element.findtext("name") or "").strip()
            if label and label.isprintable():
                counts[label] = counts.get(label, 0) + 1
    return counts
