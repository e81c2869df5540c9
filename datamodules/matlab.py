"""An array of numbers from a MATLAB file, read so that no file can end the process, which scipy's reader does on damaged ones.

MathWorks, "MAT-File Format": the level 5 files that MATLAB has written since 1996, packed or not.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_HEADER = 128
"""Bytes of text, version and byte order before the first element."""
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""How an element's numbers are stored (table 1-1): miINT8 to miUINT64."""
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = range(6, 16)
"""Classes of arrays that are numbers (table 1-3): mxDOUBLE_CLASS to mxUINT64_CLASS."""
_COMPLEX = 0x08


def read_matlab_array(content: bytes, name: str, largest: int) -> NDArray[np.float64]:
    """The real array of numbers that has a name, in MATLAB's shape.

    Args:
        content: of the file.
        name: of the variable.
        largest: how many numbers it may have.

    Raises:
        ValueError: the file is damaged or of another kind, has no such variable, or it is no real array of numbers.
    """
    if content[126:128] not in (b"IM", b"MI") or len(content) < _HEADER:
        raise ValueError("it is no MATLAB file of level 5 (save with -v7 or -v6)")
    order = "<" if content[126:128] == b"IM" else ">"
    for kind, data in _elements(content[_HEADER:], order):
        if kind == _COMPRESSED:
            # Eight bytes a number are the most, and its headers are short; a larger one is another variable.
            if (unpacked := _unpacked(data, 8 * largest + 4096)) is None:
                continue
            kind, data = next(_elements(unpacked, order), (0, b""))
        if kind == _MATRIX and (array := _array(data, name, largest, order)) is not None:
            return array
    raise ValueError(f"it has no variable {name!r} of up to {largest} numbers")


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """The type and the content of each element; short ones have both in eight bytes."""
    at, byteorder = 0, "little" if order == "<" else "big"
    while at + 8 <= len(data):
        tag = int.from_bytes(data[at : at + 4], byteorder)  # type: ignore[arg-type]
        if tag >> 16:
            kind, size, begin, at = tag & 0xFFFF, tag >> 16, at + 4, at + 8
            if size > 4:
                raise ValueError("a short element is longer than four bytes")
        else:
            kind, size, begin = tag, int.from_bytes(data[at + 4 : at + 8], byteorder), at + 8  # type: ignore[arg-type]
            at = begin + size + (-size % 8 if kind != _COMPRESSED else 0)
        if begin + size > len(data):
            raise ValueError("an element ends behind the file")
        yield kind, data[begin : begin + size]


def _unpacked(data: bytes, most: int) -> bytes | None:
    """The content of a packed element; None where it is larger."""
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(data, most)
    except zlib.error as error:
        raise ValueError(f"a packed element is damaged: {error}") from None
    return None if unpacking.unconsumed_tail else unpacked


def _array(data: bytes, name: str, largest: int, order: str) -> NDArray[np.float64] | None:
    """The array where it has the name, None where it has another."""
    parts = _elements(data, order)
    flags, shape, called = (_numbers(*next(parts, (0, b"")), order) for _ in range(3))
    if called.astype(np.uint8).tobytes() != name.encode():
        return None
    kind = int(flags[0]) & 0xFF if len(flags) else 0
    if kind not in _NUMBERS or int(flags[0]) >> 8 & _COMPLEX:
        raise ValueError(f"{name} is no real array of numbers")
    sides = [int(side) for side in shape]
    if len(sides) < 2 or min(sides) < 0 or math.prod(sides) > largest:
        raise ValueError(f"{name} claims to be {tuple(sides)}")
    values = _numbers(*next(parts, (0, b"")), order)
    if len(values) != math.prod(sides):
        raise ValueError(f"{name} has {len(values)} numbers and claims to be {tuple(sides)}")
    return values.astype(np.float64).reshape(sides, order="F")


def _numbers(kind: int, data: bytes, order: str) -> NDArray[np.generic]:
    if kind not in _TYPES or len(data) % int(_TYPES[kind][1]):
        raise ValueError("an element holds no numbers")
    return np.frombuffer(data, order + _TYPES[kind])
