"""Images for pictures: drawn scenes and written digits, as numbers from 0 to 1."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.floating[Any]]


@cache
def scene(index: int = 0, size: int = 64, name: str = "star", **style: Any) -> Pixels:
    """A drawn scene with one large object of the class ``name``: (H, W, 3)."""
    image: Pixels = _drawn(index, size, name, **style)["image"].permute(1, 2, 0).numpy() / 255
    return image


@cache
def mask(index: int = 0, size: int = 64, name: str = "star", **style: Any) -> NDArray[np.bool_]:
    """Where the object of :func:`scene` is: (H, W)."""
    found: NDArray[np.bool_] = _drawn(index, size, name, **style)["masks"][0].numpy() > 0
    return found


def _drawn(index: int, size: int, name: str, **style: Any) -> dict[str, Any]:
    from datamodules.drawing import Style  # with torch, which most pictures do without
    from datamodules.drawing.composition import draw

    options: dict[str, Any] = {
        "objects": (1, 1),
        "object_size": (0.5, 0.5),
        "clutter": 0.2,
        "rotation": 12.0,
        "thin": 0.0,
        "noise": 0.0,
    } | style
    return dict(draw(7, index, Style(image_size=(size, size), classes=(name,), **options)))


def grey(image: Pixels) -> Pixels:
    """The luminance of (H, W, 3): (H, W)."""
    return image @ np.array([0.299, 0.587, 0.114])


@cache
def digit(number: int, which: int = 0) -> Pixels:
    """A written digit of scikit-learn's 8 × 8 test images: (8, 8), ink being 1."""
    from sklearn.datasets import load_digits

    data = load_digits()
    image: Pixels = data.images[np.flatnonzero(data.target == number)[which]] / 16
    return image
