"""The class of an image whose objects are annotated: that of its largest."""

from __future__ import annotations

from collections.abc import Container

import torch
from torch import Tensor

from .scene import Scene


def main_label(scene: Scene, left_out: Container[int] = ()) -> Tensor:
    """int64 (): the label of the largest object, by its ``area`` or, where there is none, by its box.

    Objects that are flagged ``difficult`` or ``crowd`` come behind all others, and of equals the first is taken.

    Args:
        scene: with ``boxes`` and ``labels``, and at least one object that is not left out.
        left_out: the places of objects that do not count.
    """
    boxes = scene["boxes"]
    size = scene["area"] if "area" in scene else (boxes[:, 2:] - boxes[:, :2]).prod(1)
    rank = size.double().nan_to_num(-1)
    for flag in (scene.get("difficult"), scene.get("crowd")):
        if flag is not None:
            rank = torch.where(flag, rank - 1e30, rank)
    rank[[i for i in range(len(rank)) if i in left_out]] = -torch.inf
    return scene["labels"][rank.argmax()]
