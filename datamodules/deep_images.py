"""Grayscale images of more than eight bits: which value is black in them and which is white.

It follows from the type of the values and from what the file says of them, and never from the values themselves: one pixel that
is a little too bright would make another picture of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from .scene import SceneError

_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT, _GREATEST = 258, 262, 339, (341, 281)
"""TIFF's tags: BitsPerSample, PhotometricInterpretation, SampleFormat; SMaxSampleValue and MaxSampleValue."""
_UNSIGNED, _SIGNED, _FLOATING = 1, 2, 3
_WHITE_IS_ZERO = 0
_BAND = 256
"""Rows that are converted at once: eight bytes a pixel of a large image would fill the memory."""


class Limits(NamedTuple):
    """The values that are black and white in an image."""

    black: float
    white: float


def is_deep(image: Image.Image) -> bool:
    """Whether an image's values have more than eight bits."""
    return image.mode.startswith("I") or image.mode == "F"


def limits(path: Path, image: Image.Image) -> Limits:
    """What is black and white in a deep image, as Pillow has opened it from ``path``.

    Unsigned values of up to 16 bits go from 0 to the largest of so many bits, and floating-point values from 0 to 1. A TIFF
    file may say that its largest is another (SMaxSampleValue, MaxSampleValue); that is believed where it is the largest number
    of some bits (255, 1023, 4095, …), since many programs write the largest value that happens to occur. Pillow has brought a
    PNG or PGM file of 9 to 16 bits to 16 already.

    Raises:
        SceneError: the values are signed, or have 32 bits, and the file does not say which is white.
    """
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None:
        return Limits(0, 1 if image.mode == "F" else 65_535)
    bits, form = _first(tags, _BITS, 16), _first(tags, _SAMPLE_FORMAT, _UNSIGNED)
    said = [float(value) for tag in _GREATEST if _is_largest(value := _first(tags, tag, 0))]
    if said and (form == _FLOATING or said[0] >= 255):
        white = said[0]
    elif form == _FLOATING:
        white = 1.0
    elif form == _UNSIGNED and bits <= 16:
        white = 2.0**bits - 1
    else:
        kind = f"{'signed ' if form == _SIGNED else ''}whole numbers of {bits} bits"
        raise SceneError(
            f"{path}: its values are {kind}, and it does not say which of them is white (TIFF's SMaxSampleValue); "
            "save it with 8 or 16 bits, unsigned"
        )
    return Limits(white, 0) if _first(tags, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO else Limits(0, white)


def eight_bits(path: Path, image: Image.Image, between: Limits) -> Image.Image:
    """A deep image at eight bits a value; Pillow's own convert clips instead.

    Raises:
        SceneError: a value is no number, or lies beyond black or white by more than half of one of 255 steps.
    """
    array = np.asarray(image)
    eight = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), _BAND):
        values = array[start : start + _BAND].astype(np.float64)
        scaled = (values - between.black) * (255 / (between.white - between.black))
        if not (fine := (scaled > -0.5) & (scaled < 255.5)).all():  # NaN is neither
            wrong = values[~fine].flat[0]
            low, high = sorted(between)
            raise SceneError(
                f"{path}: a value is {wrong:g}, and its type has {low:g} to {high:g}, from black to white (in floating point 0 "
                "to 1, unless TIFF's SMaxSampleValue says otherwise); save it with 8 or 16 bits"
            )
        eight[start : start + _BAND] = np.rint(scaled)
    return Image.fromarray(eight)


def _first(tags: Any, tag: int, otherwise: float) -> Any:
    """The value of a tag, of the first channel where there are several."""
    value = tags.get(tag, otherwise)
    return value[0] if isinstance(value, tuple) and value else value


def _is_largest(value: Any) -> bool:
    """Whether it is the largest number of some bits, up to 32."""
    return isinstance(value, int | float) and value >= 1 and float(value).is_integer() and (int(value) + 1).bit_count() == 1
