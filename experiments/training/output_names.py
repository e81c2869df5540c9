"""Where the predictions of an image are written: below their folder, and no two images in one place."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import unicodedata
from pathlib import Path

from datamodules.scene import FIELDS, printable

UNNAMED = "unnamed"
"""The folder of the pictures of images whose names cannot be files' names."""


def place_of(name: str, index: int) -> str:
    """Where the picture of an image lies below the folder of predictions, without its ending: a function of both alone.

    It is the image's name, its ending included (``a.jpg`` and ``a.png`` are two), where that is a path below any folder, on any
    system, and no name of another file there; otherwise its number, in a folder of its own.

    Args:
        name: the scene's, which may be a stranger's: ``../../x.jpg``, ``C:\\x``, a thousand characters, one that a terminal
            takes for a command.
        index: its place in its split.
    """
    parts = name.split("/")
    # A folder is called like no file there, and a picture like no map.
    like_others = parts[0] == UNNAMED or any(part.endswith((".jpg", ".png", ".npy", ".json")) for part in parts[:-1])
    fits = all(map(_is_file_name, parts)) and len(name.encode()) <= 1000
    return name if fits and not like_others and not name.endswith(_OF_MAPS) else f"{UNNAMED}/{index:06}"


_OF_MAPS = tuple(f"_{field}" for field in ("image", *FIELDS))
_ODD = re.compile(r'[\\:*?"<>|\t\n]')


def _is_file_name(part: str) -> bool:
    """Whether part of a path can be the name of a file or folder on any system, not hidden, and with room for an ending."""
    is_odd = printable(part) != part or _ODD.search(part) or part.startswith((".", " ")) or part.endswith((".", " "))
    return bool(part) and not is_odd and len(part.encode()) <= 200


class OutputPlaces:
    """The places of the images of one prediction: that of :func:`place_of`, unless another image has it already.

    Two images of one data set may have one name (a list that names a file twice), or names that are one on some disks
    (``a.jpg`` and ``A.jpg``; two ways to write an ü): the later one then has its number in place of its name.

    Args:
        folder: that of the predictions.
        shared: whether other processes write there too. They then see each other's places, in a folder of it.
    """

    def __init__(self, folder: Path, shared: bool = False) -> None:
        self.shared = folder / ".taken" if shared else None
        self._taken: set[str] = set()

    def place(self, name: str, index: int) -> str:
        """Where the files of an image begin, below the folder, without their endings; see :func:`place_of`."""
        place = place_of(name, index)
        return place if self._take(place) else f"{UNNAMED}/{index:06}"

    def _take(self, place: str) -> bool:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", place).casefold())
        if key in self._taken:
            return False
        self._taken.add(key)
        if self.shared is None:
            return True
        self.shared.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self.shared / hashlib.sha256(key.encode()).hexdigest(), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def close(self) -> None:
        """Removes what other processes saw."""
        if self.shared is not None:
            shutil.rmtree(self.shared, ignore_errors=True)
