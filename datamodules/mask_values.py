"""Which value, or colour, of a mask's pixel is which class."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .files import read_text
from .images import read_image, read_mask
from .scene import IGNORE, InputError, SceneError, quoted

MOST = 64
"""Different values of masks whose classes nobody names; more are colours between colours, as JPEG makes them."""
LOOKED_AT = 200
"""Masks that are looked at where nobody names the classes."""
Value = int | tuple[int, int, int]


@dataclass(frozen=True)
class MaskValues:
    """The classes of masks, and how a pixel says them."""

    classes: tuple[str, ...]
    values: tuple[Value, ...]
    """Of each class: a number from 0 to 255, or an RGB colour."""
    said_by: str
    """Where that comes from, for messages."""

    @property
    def colored(self) -> bool:
        return any(isinstance(value, tuple) for value in self.values)

    def read(self, path: Path) -> Tensor:
        """A mask as uint8 (H, W) of classes. 255 is ignore, where it is no class's value.

        Raises:
            SceneError: the file is missing or damaged, or a pixel has another value.
        """
        values = pixel_values(path, self.colored)
        codes = np.array([_code(value) for value in self.values], np.int64)
        if self.colored:
            order = np.argsort(codes)
            at = np.searchsorted(codes[order], values).clip(max=len(codes) - 1)
            known, classes = codes[order][at] == values, order[at].astype(np.uint8)
        else:
            is_known = np.zeros(256, bool)
            is_known[[*codes, IGNORE]] = True
            table = np.full(256, IGNORE, np.uint8)
            table[codes] = np.arange(len(codes))
            known, classes = is_known[values], table[values]
        if not known.all():
            y, x = np.argwhere(~known)[0].tolist()
            found = shown(int(values[y, x]), self.colored)
            listed = ", ".join(shown(int(code), self.colored) for code in codes[:8])
            remedy = "masks are PNG, since JPEG blurs values" if path.suffix.lower() in (".jpg", ".jpeg") else _remedy(values)
            raise SceneError(
                f"{path}: {found} at x {x}, y {y} is no class's value ({listed}{' …' * (len(codes) > 8)}); {remedy}"
            )
        return torch.from_numpy(classes)


def given(classes: Sequence[str] | None, values: Sequence[int | Sequence[int]] | None) -> MaskValues | None:
    """What the data module's arguments say; None where they name no classes.

    Raises:
        InputError: they do not fit together.
    """
    if classes is None:
        if values is not None:
            raise InputError("MaskFolder: data.values without data.classes: a name for each value expected")
        return None
    names = _checked(tuple(classes), "data.classes")
    if values is None:
        return MaskValues(names, tuple(range(len(names))), "data.classes")
    if len(values) != len(names):
        raise InputError(
            f"MaskFolder: data.values has {len(values)} entries, data.classes {len(names)}: one value a class expected"
        )
    return MaskValues(names, _distinct([_value(value, "data.values") for value in values], "data.values"), "data.values")


def listed_in(root: Path) -> MaskValues | None:
    """What a file of the folder says: Roboflow's ``_classes.csv``, CVAT's ``labelmap.txt``, or another list.

    Raises:
        InputError: the file is not of its form; the message names it.
    """
    for name in ("_classes.csv", "train/_classes.csv", "labelmap.txt", "class_dict.csv", "classes.txt"):
        if (path := root / name).is_file():
            rows = [row for row in _rows(path) if row]
            if not rows:
                raise InputError(f"{path}: names no class")
            names = _checked(tuple(row[0] for row in rows), str(path))
            if name == "classes.txt":
                return MaskValues(names, tuple(range(len(names))), str(path))
            return MaskValues(names, _distinct([_value(row[1:], str(path)) for row in rows], str(path)), str(path))
    return None


def _rows(path: Path) -> list[list[str]]:
    """Of each class: its name, and its number or the three of its colour."""
    text = read_text(path, "a list of classes")
    if path.name == "classes.txt":
        return [[line.strip()] for line in text.splitlines() if line.strip()]
    if path.name == "labelmap.txt":
        lines = [line.split(":") for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return [[line[0].strip(), *(line[1].split(",") if len(line) > 1 else ())] for line in lines]
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from None
    body = rows[1:]  # behind the heading
    return [[*row[1:2], *row[:1]] for row in body] if path.name == "_classes.csv" else body


def check_ignored(root: Path, masks: Sequence[str], found: MaskValues) -> None:
    """Looks at some masks, where 255 is ignore: whether it stands for a class all the same.

    Raises:
        InputError: they hold 0 and 255 alone, of which every class but one would be ignored.
    """
    if found.colored or IGNORE in found.values or len(found.classes) < 2:
        return
    seen: set[int] = set()
    for name in masks[:: max(1, len(masks) // 20)]:
        try:
            seen |= set(np.unique(pixel_values(root / name, False)).tolist())
        except SceneError:
            continue  # it says so when it is read
        if not seen <= {0, IGNORE}:
            return
    if IGNORE in seen:
        remedy = "--data.values [0,255]" if len(found.classes) == 2 else "data.values says which value is which class's"
        raise InputError(f"{root}: its masks hold 0 and 255 alone, and 255 is ignore: {remedy}")


def guessed(root: Path, masks: Sequence[str]) -> MaskValues:
    """What the masks themselves say: a class for each value that is there. 0 and 255 alone, or 0 and 1, are background and
    foreground; 255 beside others is ignore.

    Raises:
        InputError: there are too many values.
    """
    chosen = masks[:: max(1, len(masks) // LOOKED_AT)]
    seen, colored = _seen(root, chosen)
    if not seen or len(seen) > MOST:
        found = f"{len(seen)} different values" if seen else "nothing that can be read"
        raise InputError(f"{root}: its masks have {found}: give data.classes, and data.values: the value of each class")
    values = sorted(seen)
    if not colored and len(values) > 2 and values[-1] == IGNORE:
        values = values[:-1]
    if not colored and values in ([0, 1], [0, IGNORE]):
        return MaskValues(("background", "foreground"), tuple(values), f"{len(chosen)} masks")
    names = tuple(shown(value, colored) for value in values)
    return MaskValues(names, tuple(_colour(v) if colored else v for v in values), f"{len(chosen)} masks")


def _seen(root: Path, masks: Sequence[str]) -> tuple[set[int], bool]:
    """The values of masks, or their colours, and which of the two; masks that cannot be read say so when they are read.

    A mask of black and white alone can be of either; the first one with a colour decides.
    """
    seen: set[int] = set()
    for name in masks:
        try:
            seen |= set(np.unique(pixel_values(root / name, False)).tolist())
        except SceneError:
            if seen <= {0, IGNORE} and _colours(root, [name]):
                return _colours(root, masks), True
    return seen, False


def _colours(root: Path, masks: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for name in masks:
        with suppress(SceneError):
            found |= set(np.unique(pixel_values(root / name, True)).tolist())
    return found


def pixel_values(path: Path, colored: bool) -> NDArray[Any]:
    """(H, W): the value of each pixel, uint8, or its colour as R * 65536 + G * 256 + B.

    Raises:
        SceneError: the file cannot be read, or has colours where values are expected.
    """
    if colored:
        red, green, blue = read_image(path).numpy().astype(np.int64)
        return np.asarray((red << 16) | (green << 8) | blue)
    try:
        return read_mask(path).numpy()
    except SceneError:
        if not path.is_file():
            raise
        red, green, blue = read_image(path).numpy()
        if (red != green).any() or (red != blue).any():
            raise
        return np.ascontiguousarray(red)  # grey, written as RGB


def shown(code: int, colored: bool) -> str:
    """A value or colour as a person writes it."""
    return f"#{code:06x}" if colored else f"value {code}"


def _remedy(values: NDArray[Any]) -> str:
    found = np.unique(values)
    if found.tolist() == [0, IGNORE]:
        return "a mask of 0 and 255: --data.values [0,255]"
    return "data.values says which value is which class's"


def _code(value: Value) -> int:
    return value if isinstance(value, int) else (value[0] << 16) | (value[1] << 8) | value[2]


def _colour(code: int) -> tuple[int, int, int]:
    return code >> 16, code >> 8 & 255, code & 255


def _value(value: object, where: str) -> Value:
    parts = [value] if isinstance(value, int | str) else list(value) if isinstance(value, list | tuple) else []
    numbers = [int(part) for part in parts if re.fullmatch(r"\s*\d{1,3}\s*", str(part))]
    if len(numbers) != len(parts) or len(numbers) not in (1, 3) or max(numbers) > 255:
        shown_value = ",".join(map(str, parts)) or str(value)
        raise InputError(f"{where}: {quoted(shown_value)} is no value from 0 to 255, and no colour of three")
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1], numbers[2])


def _distinct(values: list[Value], where: str) -> tuple[Value, ...]:
    if len({isinstance(value, int) for value in values}) > 1:
        raise InputError(f"{where}: values and colours together: one or the other expected")
    if len(set(values)) < len(values):
        raise InputError(f"{where}: two classes have one value")
    return tuple(values)


def _checked(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    if not names or len(names) > IGNORE or not all(name.strip() and name.isprintable() for name in names):
        raise InputError(f"{where}: 1 to {IGNORE} names of classes expected, each a text")
    if len(set(names)) < len(names):
        raise InputError(f"{where}: a class is named twice")
    return names
