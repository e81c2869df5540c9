"""Pixels of drawn scenes with what there is at them: the direction of an edge, a texture, a part of an outline, the class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from datamodules import Shapes
from datamodules.drawing import Style
from datamodules.drawing.language import FILLS
from datamodules.scene import Scene

_Array = np.ndarray[Any, np.dtype[Any]]

DIRECTIONS = 8
"""Of 45 degrees each, from dark to light."""
STRONGEST = 0.1
"""The part of an image's pixels whose gradients count as strong edges."""
ROUND = ("circle", "ring")
"""The classes whose outlines are arcs; those of the others are straight between corners."""
CORNER, STRAIGHT, ARC = 0, 1, 2
NEAR, FAR = 1.5, 3.0
"""Pixels from the nearest corner: at most for a corner, at least for a straight part; what lies between is neither."""
TOLERANCE = 1.5
"""Pixels by which the polygon that has the corners may miss the outline."""
EACH = 4
"""Pixels of a scene that are drawn for each property."""

CORNERS = "corner or straight"

_Found = tuple[_Array, _Array]
"""int64 (P, 2) row and column of pixels, and int64 (P,) their classes."""


class AnnotatedPixels(NamedTuple):
    """Pixels of N scenes for one property; ``EACH`` of a scene, and some of those are not there."""

    pixels: Tensor
    """int64 (N, EACH, 2), row and column."""
    labels: Tensor
    """int64 (N, EACH); −1 where the scene has no such pixel."""


def edges(scene: Scene, style: Style) -> _Found:
    """Strong edges of the image, with the direction of the gradient."""
    grey = scene["image"].float().mean(0).numpy()
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(right, down)
    strength[[0, -1], :], strength[:, [0, -1]] = 0, 0  # what lies outside is made up
    pixels = np.argwhere(strength > np.quantile(strength, 1 - STRONGEST))
    turn = np.arctan2(down, right)[tuple(pixels.T)] / (2 * np.pi) * DIRECTIONS
    return pixels, np.round(turn).astype(np.int64) % DIRECTIONS


def textures(scene: Scene, style: Style) -> _Found:
    """Pixels of the object, with the word for its fill; the last class is none."""
    words = scene["captions"][0].split()
    fill = next((i for i, word in enumerate(FILLS) if word in words), len(FILLS))
    return _all(scene, fill)


def outline_parts(scene: Scene, style: Style) -> _Found:
    """Pixels on the object's rim: at a corner, on a straight part, or on an arc."""
    mask = (scene["mask"] > 0).numpy().astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    pixels, labels = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.int64)]
    for contour in contours:
        rim = contour[:, 0].astype(np.int64)
        if style.classes[int(scene["label"])] in ROUND:
            kinds = np.full(len(rim), ARC)
        else:
            corners = cv2.approxPolyDP(contour, TOLERANCE, True)[:, 0]
            away = np.linalg.norm(rim[:, None] - corners[None], axis=-1).min(1)
            kinds = np.select([away <= NEAR, away >= FAR], [CORNER, STRAIGHT], -1)
        pixels.append(rim[kinds >= 0, ::-1])
        labels.append(kinds[kinds >= 0])
    return np.concatenate(pixels), np.concatenate(labels)


def corners(scene: Scene, style: Style) -> _Found:
    """As :func:`outline_parts`, without arcs: these belong to classes of their own, so that who knows the class knows them."""
    pixels, labels = outline_parts(scene, style)
    return pixels[labels != ARC], labels[labels != ARC]


def objects(scene: Scene, style: Style) -> _Found:
    """Pixels of the object, with its class."""
    return _all(scene, int(scene["label"]))


def _all(scene: Scene, label: int) -> _Found:
    pixels = np.argwhere(scene["mask"].numpy() > 0)
    return pixels, np.full(len(pixels), label, np.int64)


PROPERTIES: Mapping[str, Callable[[Scene, Style], _Found]] = {
    "edge": edges,
    "texture": textures,
    "part": outline_parts,
    "class": objects,
    CORNERS: corners,
}


def annotated(seed: int, count: int, style: Style) -> tuple[Tensor, dict[str, AnnotatedPixels]]:
    """Scenes that no training has seen (the test split of ``seed``): uint8 (N, 3, H, W), and pixels of them by property."""
    data = Shapes(style=style, image_size=style.image_size, data_seed=seed, test=count, workers=0, cache_mib=0)
    data.require(frozenset({"label", "mask", "captions"}))
    scenes, rng = data.scenes("test"), np.random.default_rng(seed)
    images: list[Tensor] = []
    found: dict[str, list[tuple[_Array, _Array]]] = {name: [] for name in PROPERTIES}
    for i in range(count):
        scene = scenes[i]
        images.append(scene["image"])
        for name, find in PROPERTIES.items():
            pixels, labels = np.zeros((EACH, 2), np.int64), np.full(EACH, -1, np.int64)
            places, kinds = find(scene, style)
            chosen = rng.permutation(len(kinds))[:EACH]
            pixels[: len(chosen)], labels[: len(chosen)] = places[chosen], kinds[chosen]
            found[name].append((pixels, labels))
    return torch.stack(images), {
        name: AnnotatedPixels(*(torch.from_numpy(np.stack(each)) for each in zip(*rows, strict=True)))
        for name, rows in found.items()
    }
