"""Files of COCO's format in folders that are not COCO's: as Roboflow, CVAT and Label Studio export them, or as one has them."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .base import Split
from .files import below
from .own_splits import SPLITS, named_split, with_held_out
from .scene import InputError, SceneError, quoted

_KINDS = ("instances", "person_keypoints", "captions", "panoptic", "stuff", "image_info")
"""How COCO's own files begin, each with annotations of another kind."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


I = TypeVar("I", bound=_Named)  # noqa: E741


@dataclass(frozen=True)
class CocoExport:
    """The annotation file of each split that there is, and where its images are."""

    root: Path
    files: Mapping[Split, Path]
    folders: Mapping[Split, str] = field(default_factory=dict)
    """The folder below ``root``, of a split where it is said; otherwise it is looked for."""
    passed_over: tuple[Path, ...] = ()
    """Files that no split has, although one names its split."""

    def file(self, split: Split) -> Path:
        """The file with a split's images: that of training, where it is held out of that."""
        return self.files.get(split, self.files["train"])

    def part(self, split: Split, images: Sequence[I], remark: Callable[[str], Any]) -> list[I]:
        """The images of a split, among all of its :meth:`file`; ``remark`` is told what was held out or passed over."""
        for path in self.passed_over:
            other = self.files["train"].relative_to(self.root)
            remark(f"COCO {self.root}: {path.relative_to(self.root)} names no split, and {other} is train: passed over")
        if split in self.files and (split != "train" or len(self.files) == len(SPLITS)):
            return list(images)
        official: dict[Split, Sequence[I]] = dict.fromkeys(self.files, images[:1])  # which ones does not matter here
        splits = with_held_out(f"COCO {self.root}", {**official, "train": images}, lambda image: str(image.name), remark)
        return splits[split]

    def folder(self, split: Split, images: Sequence[_Named]) -> str:
        """The folder below ``root`` of a split's images; empty for ``root`` itself.

        Raises:
            InputError: they are in none of those where exports have them.
        """
        of_file: Split = split if split in self.files else "train"
        if said := self.folders.get(of_file):
            return said
        file = self.files[of_file]
        places = list(dict.fromkeys(_places(self.root, file, of_file)))
        names = [image.name for image in images[:5]]
        for place in places:
            try:
                if all(below(self.root / place, name, file).is_file() for name in names):
                    return place
            except SceneError:
                break  # it says so when the image is read
        first = places[0] if places else ""
        # A few may be missing by themselves; where not a single one is there, it is the folder.
        for place in places:
            if any(_is_there(self.root / place, image.name, file) for image in images[:200]):
                return place
        if not names:
            return first
        tried = ", ".join(f"{place or '.'}/" for place in places)
        raise InputError(
            f"{file}: image {quoted(names[0])} is in none of {tried} below {self.root}; data.images names the folder"
        )


def export_of(
    root: Path,
    kind: str,
    annotations: str | Mapping[str, str] | None,
    images: str | Mapping[str, str] | None,
) -> CocoExport | None:
    """What the data module's arguments say, or what is found below ``root``; None where there is no file of COCO's format.

    Args:
        root: the folder.
        kind: how the names of the wanted files begin, where COCO's own files lie together.
        annotations: the file of each split below ``root``, or one file for all.
        images: the folder of each split's images below ``root``, or one for all.

    Raises:
        InputError: a split is no such word, or several files may be meant.
    """
    folders = _by_split("images", images)
    if annotations is not None:
        files = {split: below(root, name, "data.annotations") for split, name in _by_split("annotations", annotations).items()}
        if "train" not in files:
            raise InputError("data.annotations: no file for train: {train: a.json, val: b.json}, or one file for all, expected")
        return CocoExport(root, files, _spread(folders, images))
    found, passed_over = _found(root, kind)
    return CocoExport(root, found, _spread(folders, images), passed_over) if found else None


def coco_files(root: Path) -> list[Path]:
    """The JSON files in a folder, or up to two folders down, that have images, annotations and categories."""
    patterns = ("*.json", "*/*.json", "annotations/*/*.json", "*/annotations/*.json")
    paths = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    visible = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(root).parts)]
    return [path for path in visible if _is_coco(path)]


def split_of_file(root: Path, path: Path) -> Split | None:
    """The split that a file's name, or that of a folder it lies in, says; None where neither does."""
    words = re.split(r"[_\-. ]", path.stem)
    for word in [*reversed(words), *reversed(path.relative_to(root).parts[:-1])]:
        if split := named_split(word):
            return split
    return None


def _found(root: Path, kind: str) -> tuple[dict[Split, Path], tuple[Path, ...]]:
    """The file of each split, and those that are of none although one is of train."""
    by_split: dict[Split | None, list[Path]] = {}
    for path in coco_files(root):
        other = next((k for k in _KINDS if path.name.startswith(k)), kind)
        if other == kind or (kind == "instances" and other == "person_keypoints"):
            by_split.setdefault(split_of_file(root, path), []).append(path)
    found: dict[Split, Path] = {}
    passed_over = tuple(by_split.pop(None, ())) if "train" in by_split else ()
    for split, paths in by_split.items():
        chosen = [path for path in paths if path.name.startswith(kind)] or paths
        if len(chosen) > 1:
            shown = " or ".join(path.relative_to(root).as_posix() for path in chosen[:3])
            raise InputError(f"{root}: {shown} for {split or 'all images'}? --data.annotations.train FILE says which")
        found[split or "train"] = chosen[0]
    if found and "train" not in found:
        raise InputError(f"{root}: {next(iter(found.values()))} is of {next(iter(found))}, and there is no file for train")
    return found, passed_over


def _is_coco(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size < 20:
        return False
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return all(text.find(b'"%s"' % key) >= 0 for key in (b"images", b"annotations", b"categories"))
    except (OSError, ValueError):
        return False


def _places(root: Path, file: Path, split: Split) -> list[str]:
    """The folders below ``root`` in which exports have the images of a file, the most likely first."""
    beside = file.parent.relative_to(root).as_posix()
    subset = re.split(r"[_]", file.stem)[-1]
    named = [p.name for p in sorted(root.glob("*")) if p.is_dir() and named_split(p.name) == split]
    inner = [p.name for p in sorted(root.glob("images/*")) if p.is_dir() and named_split(p.name) == split]
    above = file.parent.parent.relative_to(root).as_posix() if file.parent != root else "."
    places = [
        beside,
        f"{beside}/images",
        f"images/{subset}",
        *(f"images/{name}" for name in inner),
        "images",
        f"{above}/images",
    ]
    places += [subset, *named, *(f"{name}/images" for name in named), above, "."]
    cleaned = [re.sub(r"^(\./)+|^\.$", "", place) for place in places]
    return [place for place in cleaned if (root / place).is_dir()]


def _is_there(folder: Path, name: str, file: Path) -> bool:
    try:
        return below(folder, name, file).is_file()
    except SceneError:
        return False


def _by_split(argument: str, value: str | Mapping[str, str] | None) -> dict[Split, str]:
    """What an argument says of each split; a plain text is of training, and the rest is held out of that."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"train": value}
    found: dict[Split, str] = {}
    for key, name in value.items():
        if not (split := named_split(key)):
            raise InputError(f"data.{argument}: {quoted(key)} is no split; train, val and test are")
        found[split] = name
    return found


def _spread(folders: Mapping[Split, str], said: str | Mapping[str, str] | None) -> dict[Split, str]:
    """One folder for all splits, where it is said as a plain text."""
    return dict.fromkeys(SPLITS, said) if isinstance(said, str) else dict(folders)
