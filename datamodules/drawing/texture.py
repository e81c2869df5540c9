"""Textures: periodic grey tiles from integer arithmetic, drawn once a process, the same on every machine."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .colors import RGB
from .rng import Rng

Grey = NDArray[np.uint8]
AnyArray = TypeVar("AnyArray", Grey, NDArray[np.int16])

PERIOD = 256
"""Pixels after which a tile repeats itself. Tiles are kept twice as wide, so that a window is a slice."""

PATTERNS = ("striped", "spotted", "checked")
_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (2, -1), (1, 2), (1, -2))


def window(tile: AnyArray, rng: Rng, height: int, width: int) -> AnyArray:
    """(height, width) pixels of a tile from a random place on, a view of it where they fit."""
    top, left = rng.integer(0, PERIOD - 1), rng.integer(0, PERIOD - 1)
    if top + height <= 2 * PERIOD and left + width <= 2 * PERIOD:
        return tile[..., top : top + height, left : left + width]
    rows, columns = np.arange(top, top + height) % PERIOD, np.arange(left, left + width) % PERIOD
    return tile[..., rows[:, None], columns]


def background(rng: Rng, height: int, width: int) -> Grey:
    """(height, width) of the mean of two random textures, from a random place on and with a random symmetry."""
    first, second = (rng.choice(_tiles()) for _ in range(2))
    return (_turned(first, rng, height, width) >> 1) + (_turned(second, rng, height, width) >> 1)


def grain(rng: Rng, height: int, width: int) -> Grey:
    """(height, width) of a fine, even texture: that of plain objects."""
    return window(_tiles()[0], rng, height, width)


def pattern(name: str, rng: Rng, height: int, width: int, period: float) -> Grey:
    """(height, width) of one of ``PATTERNS``, in a random direction, of about ``period`` pixels."""
    direction = rng.choice(_DIRECTIONS)
    length = (direction[0] ** 2 + direction[1] ** 2) ** 0.5
    wanted = period * length
    power = min((8, 16, 32, 64), key=lambda p: abs(p - wanted) / p)
    return window(_pattern(name, power, direction), rng, height, width)


@lru_cache(maxsize=4)
def noise(strength: int) -> NDArray[np.int16]:
    """A tile (3, 2 PERIOD, 2 PERIOD) of normal noise, of standard deviation ``strength`` in 64ths of a grey level.

    The sum of twelve bytes is near to normal, and exact.
    """
    bytes_ = np.random.Generator(np.random.PCG64(12)).random((12, 3, PERIOD, PERIOD)) * 256
    total = bytes_.astype(np.int64).sum(0) - 6 * 255
    # One byte's variance is (256^2 - 1) / 12, so the sum's standard deviation is 256.
    return _doubled((total * strength + (1 << 13)) >> 14).astype(np.int16)


def palette(dark: RGB, light: RGB) -> NDArray[np.uint8]:
    """(256, 3): the colours from the first, for a tile's 0, to the second, for its 255."""
    low = np.array(dark, np.int32)
    return (low + ((np.array(light, np.int32) - low) * _RAMP + 127) // 255).astype(np.uint8)


_RAMP = np.arange(256, dtype=np.int32)[:, None]


def _turned(tile: Grey, rng: Rng, height: int, width: int) -> Grey:
    symmetry = rng.integer(0, 7)
    if symmetry & 1:
        tile = tile.T
    return window(tile, rng, height, width)[:: 1 - (symmetry & 2), :: 1 - (symmetry & 4) // 2]


def _doubled(tile: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.tile(tile, (2, 2))


@cache
def _tiles() -> tuple[Grey, ...]:
    """The textures of backgrounds."""
    clouds, hills = _fractal(1, 128, 64, 32, 16, 8, 4), _fractal(2, 64, 32, 16)
    fine, coarse = _fractal(3, 4, 2), _octave(4, 32, 32)
    y, x = np.mgrid[:PERIOD, :PERIOD]
    blocks = ((x >> 4) + (y >> 4)) % 2 * 128 + fine // 2
    bricks = np.where((y % 16 < 2) | ((x + (y >> 4) % 2 * 16) % 32 < 2), 0, 128 + (hills >> 2) + (fine >> 2))
    greys = (
        _fractal(5, 8, 4, 2, 1),
        clouds,
        255 - abs(2 * hills - 255),
        _wave(x * 8 + coarse * 3) // 2 + fine // 2,
        np.clip((_fractal(6, 32, 16, 8) - 128) * 6 + 128, 0, 255),
        _octave(7, 4, 64) + _octave(8, 2, 32),
        _wave(x * 16) // 3 + _wave(y * 16) // 3 + fine // 3,
        blocks,
        bricks,
        _wave((x + y) * 8) // 2 + clouds // 2,
    )
    return tuple(_doubled(_stretched(grey)).astype(np.uint8) for grey in greys)


@cache
def _pattern(name: str, period: int, direction: tuple[int, int]) -> Grey:
    """Two tones with soft edges of about a pixel."""
    y, x = np.mgrid[:PERIOD, :PERIOD]
    a, b = direction
    across, along = _wave((a * x + b * y) * 256 // period), _wave((b * x - a * y) * 256 // period)
    if name == "striped":
        level = (across - 128) * 4
    elif name == "spotted":
        level = (150 - np.sqrt((255 - across) ** 2 + (255 - along) ** 2).astype(np.int64)) * 4
    else:
        level = (across - 128) * (along - 128) // 4
    return _doubled(np.clip(level + 128, 0, 255)).astype(np.uint8)


def _wave(phase: NDArray[np.int64]) -> NDArray[np.int64]:
    """A triangle wave of period 256 between 0 and 255."""
    return 255 - abs(2 * (phase % 256) - 255)


def _fractal(seed: int, *cells: int) -> NDArray[np.int64]:
    """Value noise: the larger a cell, the more it counts."""
    total: NDArray[np.int64] = sum(_octave(100 * seed + cell, cell, cell) * (cell + 8) for cell in cells)  # type: ignore[assignment]
    return _stretched(total)


def _octave(seed: int, high: int, wide: int) -> NDArray[np.int64]:
    """Random bytes at the corners of cells of (high, wide) pixels, smoothly joined."""
    corners = np.random.Generator(np.random.PCG64(seed)).random((PERIOD // high, PERIOD // wide)) * 256
    return _joined(_joined(corners.astype(np.int64), wide).T, high).T


def _joined(values: NDArray[np.int64], cell: int) -> NDArray[np.int64]:
    """Each row drawn out to ``cell`` pixels a value, by 3 t^2 - 2 t^3 from one to the next."""
    t = np.arange(cell)
    weight = (3 * t * t * cell - 2 * t * t * t) * 256 // cell**3
    following = np.roll(values, -1, axis=1)
    return ((values[..., None] * (256 - weight) + following[..., None] * weight) >> 8).reshape(len(values), -1)


def _stretched(grey: NDArray[np.int64]) -> NDArray[np.int64]:
    """The grey levels drawn out to 0 .. 255."""
    low, high = int(grey.min()), int(grey.max())
    return (grey - low) * 255 // (high - low)
