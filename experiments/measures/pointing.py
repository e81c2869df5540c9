"""The pointing game: whether the highest place of a map lies on the object (Zhang et al. 2016, "Top-down neural attention")."""

from __future__ import annotations

import torch
from torch import Tensor


def pointed_at(maps: Tensor) -> Tensor:
    """(row, column) of each map's highest place, int64 (B, 2), from float (B, H, W).

    Where several pixels are equally high, as under the squares of an occlusion, it is the pixel nearest to their middle: of a
    map that is the same everywhere the image's centre.
    """
    flat = maps.flatten(1)
    top = (flat >= flat.amax(1, keepdim=True)).view_as(maps)
    places = []
    for own in top:
        found = own.nonzero()
        middle = found.double().mean(0)
        places.append(found[(found - middle).square().sum(1).argmin()])
    return torch.stack(places)


def hits(maps: Tensor, masks: Tensor) -> Tensor:
    """Whether each map's highest place lies on the object, bool (B,).

    Args:
        maps: float (B, H, W).
        masks: bool (B, H, W), true on the object.
    """
    row, column = pointed_at(maps).unbind(1)
    return masks[torch.arange(len(masks)), row, column]


def centre_hits(masks: Tensor) -> Tensor:
    """What a point at the image's centre hits, bool (B,): the baseline that needs no image."""
    return masks[:, masks.shape[1] // 2, masks.shape[2] // 2]


def random_hits(masks: Tensor) -> Tensor:
    """What a point drawn evenly over the image hits on average, float64 (B,): the object's share of it."""
    return masks.flatten(1).double().mean(1)
