"""What the writers of tiny data sets share: pictures, files, and how a data set is entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]


@dataclass(frozen=True)
class Tiny:
    """How a data module is given a few tiny files, or a few scenes where it draws them."""

    write: Callable[[Path], Path] | None
    """Writes them in the official layout into a folder, and returns what the data module's ``root`` names."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that the data module needs for them."""
    image_size: int | tuple[int, int] | None = None
    """Where a test may choose one; None where the data set has its own."""


def picture(size: tuple[int, int], boxes: Sequence[tuple[float, ...]], seed: int) -> Array:
    """Dark noise, uint8 (H, W, 3), with a bright rectangle in each box (x1, y1, x2, y2)."""
    image = np.random.default_rng(seed).integers(0, 100, (*size, 3)).astype(np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[round(y1) : round(y2), round(x1) : round(x2)] += 150
    return image


def save(path: Path, array: Array, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette:
        image.putpalette([value for i in range(256) for value in (i, 255 - i, 7 * i % 256)])
    image.save(path, quality=95)


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
