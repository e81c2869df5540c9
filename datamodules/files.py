"""What data sets on disk have in common: finding them, and splitting what has no official split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from .base import Split
from .scene import InputError, Scene

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


def existing(path: Path, expected: str) -> Path:
    """The path, if it is there.

    Raises:
        InputError: it is not; the message says what is ``expected`` and, in one line, where to get it.
    """
    if not path.exists():
        raise InputError(f"{path} is not there: expected {expected}")
    return path


def read_json(path: Path, expected: str) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: it is not there, or no JSON.
    """
    text = existing(path, expected).read_bytes()
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def split_of(name: str) -> Split:
    """The split of a file in a data set without official ones: 8 in 10 train, 1 val, 1 test.

    It depends on the name alone, so a file keeps its split when others are added.
    """
    tenth = hashlib.sha256(name.encode()).digest()[0] * 10 // 256
    return "val" if tenth == 8 else "test" if tenth == 9 else "train"
