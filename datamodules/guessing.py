"""Which data module reads a folder: told from the files that lie in it, without a look at more than a few of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from .coco_exports import coco_files
from .errors import InputError
from .images import SUFFIXES
from .labelme import read_shapes
from .mask_pairs import is_mask_like, pairs_below
from .voc import CLASSES
from .voc_unlisted import has_lists, is_unlisted, names_in, unlisted, xml_files
from .yolo_layout import classes_file, label_file, yolo_layout

_CAMVID = re.compile(r"(0001TP|0006R0|0016E5|Seq05VD)_")
"""How the names of CamVid's own frames begin."""
_NO_CLASSES = re.compile(r"^(images?|imgs?|jpegimages|masks?|labels?|annotations?|\w+annot)$", re.IGNORECASE)
"""Folders that are no classes of an :class:`ImageFolder`."""


_KITS = ("VOC", "MNIST", "cifar-10")
"""How folders begin that belong to an official layout, although nothing lies beside them."""


@dataclass(frozen=True)
class Guess:
    """A data module that can read a folder."""

    data: str
    """The name of its class."""
    root: Path
    """What its ``root`` should be: the folder, or the one in it."""
    layout: str
    """The format in words; two guesses of one layout are one format with more or fewer fields."""
    options: dict[str, Any] = field(default_factory=dict)
    """Arguments that it needs beside ``root``."""
    certain: bool = True
    """Whether it is taken where nothing else speaks for it."""


def guesses(root: Path) -> list[Guess]:
    """The data modules that can read a folder, or the one folder in it that holds everything; none where none is known."""
    if not root.is_dir():
        return []
    folder = root
    for _ in range(3):
        inner = list[Path]()
        with suppress(PermissionError):
            inner = [path for path in folder.iterdir() if not _is_hidden(path.name)]
        if len(inner) != 1 or not inner[0].is_dir() or inner[0].name.startswith(_KITS):
            break
        folder = inner[0]
    few = few_files(folder)
    return [guess for look in _LOOKS for guess in _looked(look, folder, few)]


FOLDERS, ENTRIES, EACH = 300, 20_000, 50
"""Folders that are looked into, entries of each, and files of each ending that are taken from one."""


def few_files(root: Path, depth: int = 4) -> list[str]:
    """Some files below a folder, by their paths with ``/``: of each ending a few from each folder, the uppermost folders first.

    (ImageNet has 1.3 million files; what a folder holds is told by a few.)
    """
    found, level = list[str](), [""]
    for _ in range(depth):
        inner: list[str] = []
        for above in level:
            counts: dict[str, int] = {}
            with suppress(PermissionError), os.scandir(root / above) as entries:  # one that nobody may read holds no data
                for entry in islice(entries, ENTRIES):
                    if _is_hidden(entry.name):
                        continue
                    name, ending = f"{above}{entry.name}", PurePosixPath(entry.name).suffix.lower()
                    counts[ending] = counts.get(ending, 0) + 1
                    if entry.is_dir():
                        inner.append(f"{name}/")
                    elif counts[ending] <= EACH:
                        found.append(name)
        level = sorted(inner)[:FOLDERS]
    return sorted(found)


def _is_hidden(name: str) -> bool:
    """Whether an entry of a folder is a system's, or a program's: ``.git``, ``__MACOSX``, a disk's ``lost+found``."""
    return name.startswith((".", "__")) or name == "lost+found"


FormatLook = Callable[[Path, list[str]], Iterator[Guess]]
"""Is given a folder and some of its files."""


def _looked(look: FormatLook, root: Path, few: list[str]) -> list[Guess]:
    """What one format's look finds; a folder that is nearly of it, and has a fault, is none of it here."""
    try:
        return list(look(root, few))
    except (InputError, OSError):
        return []


def _official(root: Path, few: list[str]) -> Iterator[Guess]:
    """Data sets of their own, told by a file that no other has."""
    for name, sign in {
        "MNIST": "MNIST/raw",
        "CIFAR10": "cifar-10-batches-py",
        "LSP": "joints.mat",
        "VisualGenome": "region_descriptions.json",
    }.items():
        if (root / sign).exists():
            yield Guess(name, root, f"{name}'s layout ({sign})")
    if any(root.glob("annotations/*.csv")) and (root / "images").is_dir():
        yield Guess("CaltechBoxes", root, "annotations/<class>.csv, images/<class>/")


def _yolo(root: Path, few: list[str]) -> Iterator[Guess]:
    file = classes_file(root)
    if file is None:
        return
    is_yaml = file.suffix in (".yaml", ".yml")
    try:
        layout = yolo_layout(root)
    except InputError:
        if not is_yaml:
            return
        yield Guess("YOLO", root, f"YOLO's layout ({file.name})")  # which says what is wrong with it
        return
    names = [name for images in layout.splits.values() for name in images[:100]]
    if is_yaml or any(label_file(root, name).is_file() for name in names):
        yield Guess("YOLO", root, f"YOLO's layout ({file.name})")
        if layout.keypoints:
            yield Guess("YOLOPose", root, f"YOLO's layout ({file.name})")


def _coco(root: Path, few: list[str]) -> Iterator[Guess]:
    if not any(name.endswith(".json") for name in few):
        return
    own = [path for kind in ("instances", "person_keypoints") for path in sorted(root.glob(f"annotations/{kind}_*.json"))]
    files = own or coco_files(root)
    objects = [path for path in files if not path.name.startswith("captions")]
    if objects:
        layout = f"COCO's format ({objects[0].relative_to(root).as_posix()})"
        if any(not path.name.startswith("person_keypoints") for path in objects):
            yield Guess("COCO", root, layout)
        if any(path.name.startswith("person_keypoints") or _has_skeleton(path) for path in objects):
            yield Guess("COCOKeypoints", root, layout)
    elif any(root.glob("annotations/captions_*.json")):
        yield Guess("COCOCaptions", root, "COCO's captions")


def _has_skeleton(path: Path) -> bool:
    """Whether a file's categories have keypoints, by a look at its end and its beginning, where categories are."""
    with path.open("rb") as file:
        size = path.stat().st_size
        head = file.read(1 << 16)
        file.seek(max(0, size - (1 << 16)))
        return b'"skeleton"' in head or b'"skeleton"' in file.read()


def _voc(root: Path, few: list[str]) -> Iterator[Guess]:
    if not any(name.endswith(".xml") for name in few):
        return
    kits = {
        year: folder
        for year in (2007, 2012)
        for folder in (root / f"VOC{year}", root / "VOCdevkit" / f"VOC{year}")
        if (folder / "Annotations").is_dir()
    }
    for year, folder in kits.items():
        yield Guess("VOC", root, f"PASCAL VOC {year}'s layout", {"year": year} | _classes(folder))
    if not kits and ((has_lists(root) and (root / "Annotations").is_dir()) or (is_unlisted(root) and unlisted(root))):
        yield Guess("VOC", root, "PASCAL VOC's XML files", _classes(root))


def _classes(folder: Path) -> dict[str, Any]:
    """The classes of XML files, where they are not VOC's own: a look at 100 tells whether all must be read."""
    names = xml_files(folder)
    looked_at = names_in(folder, names[:: max(1, len(names) // 100)])
    if set(looked_at) <= set(CLASSES):
        return {}
    return {"classes": sorted(names_in(folder, names))}


def _labelme(root: Path, few: list[str]) -> Iterator[Guess]:
    for name in islice((name for name in few if name.endswith(".json")), 20):
        try:
            shapes = read_shapes(root / name).shapes
        except InputError:
            continue
        if shapes:
            yield Guess("LabelMe", root, f"labelme's JSON files ({name})")
            return


def _masks(root: Path, few: list[str]) -> Iterator[Guess]:
    if not any(map(is_mask_like, few)):
        return
    pairs = pairs_below(root)
    if sum(bool(item.mask) for items in pairs.values() for item in items) * 2 < sum(map(len, pairs.values())):
        return
    segnet = all((root / name).is_dir() for name in ("train", "trainannot", "val", "valannot"))
    is_camvid = segnet and bool(pairs.get("train")) and bool(_CAMVID.match(Path(pairs["train"][0].image).name))
    if segnet:
        yield Guess("CamVid", root, "SegNet's folders of CamVid", certain=is_camvid)
    lists = root / "ImageSets" / "Segmentation"
    certain = not is_camvid and not (lists.is_dir() and xml_files(root))
    yield Guess("MaskFolder", root, "folders of images and masks", certain=certain)


def _image_folder(root: Path, few: list[str]) -> Iterator[Guess]:
    """Class folders, with or without folders of splits around them, where nothing else is in the folder."""
    images = [name.split("/")[:-1] for name in few if PurePosixPath(name).suffix.lower() in SUFFIXES]
    others = any(name.endswith((".json", ".xml", ".yaml", ".csv")) for name in few)
    classes = {folders[-1] for folders in images if folders}
    if not others and len(classes) > 1 and all(images) and not any(_NO_CLASSES.match(part) for f in images for part in f):
        yield Guess("ImageFolder", root, "a folder for each class")


_LOOKS = (_official, _yolo, _coco, _voc, _labelme, _masks, _image_folder)
