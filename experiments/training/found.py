"""A picture of what was predicted alone, at the size of its image: the names of classes stand in it, since no legend can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from datamodules.kinds import Map, Masks
from datamodules.scene import DatasetMetadata, declared, of_kind

from .drawing import Canvas, draw, label_tile
from .judging import grey
from .label_places import Rectangle, overlap
from .legend import Label, colour

LEAST = 0.005
"""Of the picture's area: a class that covers less is painted, and not named."""


def draw_found(image: Tensor, fields: Mapping[str, Any], metadata: DatasetMetadata, least: float) -> Tensor:
    """An image with what was predicted of it, as :func:`draw` has it; but masks lie over grey, and a map's classes are named.

    Args:
        image: uint8 (3, H, W).
        fields: a prediction, in pixels of it.
        metadata: names classes.
        least: detected objects of a lower score are not drawn.
    """
    painted = any((isinstance(kind, Map) and kind.classes) or isinstance(kind, Masks) for _, kind, _ in declared(fields))
    drawn = draw(grey(image) if painted else image, fields, metadata, least=least)
    canvas = drawn.permute(1, 2, 0).numpy()
    for _, kind, value in of_kind(fields, Map):
        if kind.classes:
            _name_regions(canvas, value.cpu().numpy(), metadata.names(kind))
    return drawn


def _name_regions(canvas: Canvas, mask: NDArray[np.uint8], names: Sequence[str]) -> None:
    """Writes the name of each class that covers enough in the middle of its widest region, the largest class first."""
    text, factor = max(11, min(canvas.shape[:2]) // 28), canvas.shape[0] / mask.shape[0]
    counts = np.bincount(mask.ravel(), minlength=len(names))[: len(names)]
    taken = list[Rectangle]()
    for k in np.argsort(-counts).tolist():
        if counts[k] < LEAST * mask.size or names[k] == "background":
            continue
        inside = np.pad((mask == k).astype(np.uint8), 1)  # the image's edge is an edge
        far = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = (int((part + 0.5) * factor) for part in np.unravel_index(int(far.argmax()), far.shape))
        tile = label_tile(Label(names[k], colour(k)), text)[: canvas.shape[0], : canvas.shape[1]]
        height, width = tile.shape[:2]
        x, y = (
            min(max(at - side // 2, 0), whole - side)
            for at, side, whole in ((x, width, canvas.shape[1]), (y, height, canvas.shape[0]))
        )
        for shift in (0, height, -height, 2 * height, -2 * height):
            place = (x, min(max(y + shift, 0), canvas.shape[0] - height))
            own = (*place, place[0] + width, place[1] + height)
            if not any(overlap(own, other) for other in taken):
                taken.append(own)
                canvas[own[1] : own[3], own[0] : own[2]] = tile
                break
