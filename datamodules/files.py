"""What data sets on disk have in common: finding them, and splitting what has no official split."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor

from .base import Split
from .scene import InputError, Scene, SceneError, quoted

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class SceneFiles(Generic[_Item]):
    """Scenes that are read one by one, each when it is asked for."""

    items: Sequence[_Item]
    read: Callable[[_Item], Scene]
    """Reads the scene of an item; a function or a bound method of something small, as it travels to the workers."""

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Scene:
        return self.read(self.items[index])


@dataclass(frozen=True)
class LabelledImages:
    """Images in memory, each with its class."""

    in_memory: ClassVar = True
    """No scene is kept a second time."""

    images: Tensor
    """uint8 (N, 3, H, W), RGB."""
    labels: Tensor
    """int64 (N,)."""
    name: str
    first: int = 0
    """The place of the first image in the file ``name``."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Scene:
        return {"image": self.images[index], "label": self.labels[index], "name": f"{self.name}/{self.first + index}"}


def hold_out(data: LabelledImages, split: Split) -> LabelledImages:
    """The ``train`` or the ``val`` part of a training set: its last 5,000 images, or tenth if less, are ``val``."""
    first = len(data) - min(5_000, len(data) // 10)
    if split == "val":
        return LabelledImages(data.images[first:], data.labels[first:], data.name, first)
    return LabelledImages(data.images[:first], data.labels[:first], data.name)


def below(root: Path, name: Any, said_by: object) -> Path:
    """The file that data name, below ``root``: the one way from a name in a list, a table or an annotation to a path.

    What counts is the name as it is written. A folder of images that is a symbolic link, or an image that is one, is normal;
    a name that leads elsewhere by itself is a mistake or worse.

    Args:
        root: the folder that the data set's layout has it in.
        name: with ``/`` between its parts.
        said_by: the file that names it, for the message.

    Raises:
        SceneError: it is no text, empty, absolute (``/x``, ``C:\\x``), has ``..`` in it, a control character, or is longer than
            a name can be.
    """
    if fault := _fault(name):
        raise SceneError(f"{said_by}: file name {quoted(name)} {fault}; the path of a file below {root} expected")
    return root / name


_FOREIGN_ROOT = re.compile(r"[/\\]|[A-Za-z]:")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def _fault(name: Any) -> str:
    """What keeps a name from being a path below a folder, on this system or on another; empty where nothing does."""
    if not isinstance(name, str) or not name.strip(". /\\"):
        return "is none"
    if _CONTROL.search(name):
        return "has a control character"
    if _FOREIGN_ROOT.match(name):
        return "is absolute"
    parts = re.split(r"[/\\]", name)
    if ".." in parts:
        return "leads out of its folder"
    return "is too long" if len(name.encode()) > 4000 or max(len(part.encode()) for part in parts) > 255 else ""


def existing(path: Path, expected: str) -> Path:
    """The path, if it is there.

    Raises:
        InputError: it is not; the message says what is ``expected`` and, in one line, where to get it.
    """
    if not path.exists():
        raise InputError(f"{path} is not there: expected {expected}")
    return path


LARGEST = 64 * 2**20
"""Bytes of a list, a table or one image's annotation; a larger one is none."""


def content(path: Path, expected: str, largest: int | None = LARGEST) -> bytes:
    """What is in a file of annotations.

    Raises:
        InputError: it is not there, no plain file (reading a pipe or a device may never end), larger than ``largest`` bytes, or
            cannot be read.
    """
    if not existing(path, expected).is_file():
        raise InputError(f"{path} is no plain file: expected {expected}")
    try:
        if largest is not None and (size := path.stat().st_size) > largest:
            raise InputError(f"{path} has {size:,} bytes, more than the {largest:,} of any such file: expected {expected}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def read_text(path: Path, expected: str) -> str:
    """A list or a table, in UTF-8 with or without its mark.

    Raises:
        InputError: as :func:`content`, or it is not UTF-8.
    """
    text = content(path, expected)
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "UTF-16, as Excel's “Unicode text”" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "Latin-1 or another"
        why = f"no text in UTF-8 (byte {error.start}; it may be {kind}): save it as UTF-8 (Excel: “CSV UTF-8”)"
        raise InputError(f"{path}: {why}; expected {expected}") from None


def read_json(path: Path, expected: str) -> Any:
    """The content of a JSON file, of any size: COCO's have hundreds of megabytes.

    Raises:
        InputError: as :func:`content`, or it is no JSON, or nested too deeply to be data.
    """
    text = content(path, expected, largest=None)
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"{path}: nested too deeply: expected {expected}") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def refuse_twice(where: str, key: str, values: Iterable[Any]) -> None:
    """Nothing, where the values are all different.

    Raises:
        InputError: two of them are one: what is said of it by that name is said of two things.
    """
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise InputError(f"{where}: {key} {quoted(value)} is there twice; give each its own (files that are put together?)")
        seen.add(value)


def split_of(name: str) -> Split:
    """The split of a file in a data set without official ones: 8 in 10 train, 1 val, 1 test.

    It depends on the name alone, so a file keeps its split when others are added.
    """
    tenth = hashlib.sha256(name.encode()).digest()[0] * 10 // 256
    return "val" if tenth == 8 else "test" if tenth == 9 else "train"
