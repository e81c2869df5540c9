"""Folders as people have them: splits under several names, one folder around all, and what systems leave in between."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .images import SUFFIXES, is_hidden
from .prepared import Split
from .scene import InputError

NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""The split that a folder of this name (in small or capital letters) holds, as Hugging Face's ``datasets`` takes them."""
_KNOWN = "train (training), val (valid, validation, dev) and test (testing, eval, evaluation)"


def subfolders(path: Path) -> list[str]:
    """The names of the folders in a folder, sorted; those that are hidden, or the system's, are passed over."""
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if not is_hidden(entry.name) and Path(entry).is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def images_in(path: Path) -> int:
    """How many images lie in a folder itself."""
    try:
        with os.scandir(path) as entries:
            return sum(not is_hidden(entry.name) and entry.name.lower().endswith(tuple(SUFFIXES)) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def inmost(root: Path) -> Path:
    """The folder that holds the splits or classes: ``root``, or the only folder in it, as archives unpack.

    (Unless that one is a split, or a class with its images.)
    """
    folder = root
    while len(names := subfolders(folder)) == 1 and not images_in(folder):
        inner = folder / names[0]
        if (
            _split_called(names[0], bool(subfolders(inner)))
            or not subfolders(inner)
            or images_in(inner)
            or os.path.realpath(inner) in _above(folder)
        ):
            break
        folder = inner
    return folder


def _above(folder: Path) -> set[str]:
    real = Path(os.path.realpath(folder))
    return {str(path) for path in (real, *real.parents)}


def split_folders(folder: Path, remark: Callable[[str], Any]) -> dict[Split, Path]:
    """The folders of the splits; none where the class folders lie in ``folder`` itself.

    Args:
        folder: to look in.
        remark: is told of folders that are passed over.

    Raises:
        InputError: two folders are of one split, or are one folder; or one holds class folders, and no split has its name.
    """
    inside = {name: subfolders(folder / name) for name in subfolders(folder)}
    named = {name: split for name in inside if (split := _split_called(name, bool(inside[name])))}
    # A class may be called train: it holds images then, and no folders.
    if len(named) < len(inside) and not any(inside[name] for name, split in named.items() if split == "train"):
        for name, other in ((a, b) for a in named for b in inside if a != b and {*inside[a]} & {*inside[b]}):
            raise InputError(
                f"{folder}: {name}/ and {other}/ hold the same folders, and neither is named as train; known are {_KNOWN}"
            )
        return {}
    found: dict[Split, Path] = {}
    for name, split in named.items():
        if split in found:
            raise InputError(f"{folder}: both {found[split].name}/ and {name}/ are named as the {split} split; one expected")
        found[split] = folder / name
        if name != split:
            remark(f"{folder}: {name}/ is taken for the {split} split")
    distinct(found.values(), "splits")
    classes = {inner for name in named for inner in inside[name]}
    for name in inside:
        if name not in named:
            if classes.intersection(inside[name]):
                raise InputError(f"{folder / name}: holds class folders, and its name is that of no split; known are {_KNOWN}")
            remark(f"{folder / name}: its name is that of no split, and it is passed over; known are {_KNOWN}")
    return {split: found[split] for split in ("train", "val", "test") if split in found}


def _split_called(name: str, holds_folders: bool) -> Split | None:
    """The split that a folder is named as: in one word, or if it holds folders, in one of several (``train_images``)."""
    if exact := NAMES.get(name.lower()):
        return exact
    words = {NAMES[word] for word in re.findall("[a-z]+", name.lower()) if word in NAMES}
    return words.pop() if holds_folders and len(words) == 1 else None


def distinct(folders: Iterable[Path], what: str) -> None:
    """Holds folders to being several.

    Raises:
        InputError: two are the same one, by a symbolic link.
    """
    seen: dict[str, Path] = {}
    for folder in folders:
        if (first := seen.setdefault(os.path.realpath(folder), folder)) is not folder:
            raise InputError(f"{folder} and {first} are one folder, by a symbolic link: different {what} expected")
