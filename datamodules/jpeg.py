"""Decoding of whole and plain JPEG files, two to three times as fast as Pillow and to its pixels."""

from __future__ import annotations

import stat
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LARGEST = 256 * 2**20
"""Bytes of a file that is read here; larger ones are none that anybody took."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_PLAIN_FRAMES = (0xC0, 0xC1, 0xC2)
"""SOF0 to SOF2: baseline, extended and progressive, all of them Huffman-coded."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _TABLES, _APP1 = 0xDA, 0xC4, 0xE1
_RESTARTS = frozenset(range(0xD0, 0xD8))
_PROGRESSIVE = _RESTARTS | {_SCAN, _TABLES}
"""What may stand in the data of a progressive image: more scans, and tables between them."""
_ORIENTATION = 274
"""EXIF's tag of which way is up; 1 is upright."""


def decode_jpeg(path: Path, largest: int) -> NDArray[np.uint8] | None:
    """The pixels (H, W, 3) of a JPEG file as Pillow has them, or None where Pillow is to say what the file is.

    What is decoded here is a baseline or progressive JPEG (ITU T.81) of 8 bits, grayscale or of three components, upright,
    whole and, as far as its markers tell, undamaged. All else is None: other formats, CMYK, a turned photograph, a truncated
    file, bytes behind the end. All have the same decoder (libjpeg-turbo), but OpenCV passes over faults that Pillow refuses;
    Pillow copies more.

    Args:
        path: of any file.
        largest: H x W of the largest image that is decoded.
    """
    content = _content(path)
    if content is None or not content.endswith(_END) or (header := _header(content)) is None:
        return None
    if not 0 < header.pixels <= largest or not _whole(content, header.end, header.progressive):
        return None
    return _decoder()(content)


@cache
def _decoder() -> Callable[[bytes], NDArray[np.uint8] | None]:
    """What decodes in this process: simplejpeg where it is installed, which copies least, or else OpenCV."""
    return with_opencv if find_spec("simplejpeg") is None else with_simplejpeg


def with_simplejpeg(content: bytes) -> NDArray[np.uint8] | None:
    """The pixels (H, W, 3); None where libjpeg-turbo has as much as a warning."""
    from simplejpeg import decode_jpeg

    try:
        return np.asarray(decode_jpeg(content), np.uint8)
    except ValueError:
        return None


def with_opencv(content: bytes) -> NDArray[np.uint8] | None:
    """The pixels (H, W, 3); None where OpenCV cannot decode them."""
    try:
        # Without the second flag, OpenCV looks for an orientation too, which is known already.
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _content(path: Path) -> bytes | None:
    """What is in a plain file that begins as a JPEG does; None of any other."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None
        with path.open("rb", buffering=0) as file:
            return _START + file.readall() if file.read(2) == _START else None
    except OSError:  # Pillow meets it too, and it is said there
        return None


class _Header(NamedTuple):
    pixels: int
    progressive: bool
    end: int
    """Where the first scan's data begin."""


def _header(content: bytes) -> _Header | None:
    """What the segments before the first scan say; None where OpenCV might make something else of it than Pillow."""
    at, frame = 2, None
    while content[at : at + 1] == b"\xff" and at + 4 <= len(content):
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + length]
        at += 2 + length
        if length < 2 or at > len(content) or not 0xC0 <= marker <= 0xFE:
            return None
        if marker == _APP1 and not _upright(segment):
            return None
        if marker in _FRAMES:
            if frame or marker not in _PLAIN_FRAMES or len(segment) < 6 or segment[0] != 8 or segment[5] not in (1, 3):
                return None
            frame = marker, int.from_bytes(segment[1:3], "big") * int.from_bytes(segment[3:5], "big")
        if marker == _SCAN:
            return _Header(frame[1], frame[0] == 0xC2, at) if frame else None
    return None


def _upright(segment: bytes) -> bool:
    """Whether nothing in an APP1 segment (EXIF or XMP) turns the image."""
    if not segment.startswith(b"Exif\0\0"):
        return b"Orientation" not in segment  # of XMP, which Pillow reads too
    exif = Image.Exif()
    try:
        exif.load(segment)
        return exif.get(_ORIENTATION, 1) == 1
    except Exception:  # Pillow raises whatever damaged bytes lead it to
        return False


def _whole(content: bytes, start: int, progressive: bool) -> bool:
    """Whether the compressed data have no other markers than their kind has, and the end's last: with others they are damaged,
    or another image follows."""
    data = np.frombuffer(content, np.uint8)[start:]
    escaped = data[1:][data[:-1] == 0xFF]  # the byte after each FF: 0 where FF is a value, and no marker's first half
    markers = escaped[escaped > 0].tolist()
    return markers[-1:] == [_END[1]] and (_PROGRESSIVE if progressive else _RESTARTS).issuperset(markers[:-1])
