"""What the units of a layer stand for: as binary codes, by the classes that they serve, and by what is lost without one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def binary_codes(activations: Tensor, share: float) -> Tensor:
    """Whether each unit is on: in the images in which it is most active, ``share`` of all at most; never, if it never varies.

    A threshold of the unit's own, so that codes do not depend on the units' scales. At ``share`` 1 / K a unit is on as often as
    one that stood for one of K equally frequent classes.

    Args:
        activations: float (N, U), of N images and U units.
        share: more than 0 and less than 1.

    Returns:
        bool (N, U).
    """
    return activations > activations.quantile(1 - share, dim=0)


def classes_served(codes: Tensor, labels: Tensor, classes: int, times: float = 2.0) -> Tensor:
    """The number of classes that each unit serves: it is on in at least ``times`` as large a part of their images as of all.

    A unit that stands for one class serves one, and one whose activation has nothing to do with the classes none.

    Args:
        codes: bool (N, U).
        labels: int64 (N,), from 0 to ``classes`` − 1.
        classes: their number.
        times: how much more often than over all images.

    Returns:
        int64 (U,).
    """
    on = codes.double()
    within = torch.stack([on[labels == c].mean(0) for c in range(classes)])
    return ((within >= times * on.mean(0)) & (on.mean(0) > 0)).sum(0)


def distinct(codes: Tensor) -> int:
    """The number of different codes among those of (N, U)."""
    return len(codes.unique(dim=0))


def falls_without(maps: Tensor, head: Callable[[Tensor], Tensor], labels: Tensor, classes: int) -> Tensor:
    """The fall of each class's accuracy where one unit after another, a feature map, is set to 0.

    Args:
        maps: float (N, U, H, W).
        head: makes logits (N, classes) of them.
        labels: int64 (N,).
        classes: their number.

    Returns:
        float64 (U, classes), from −1 to 1.
    """

    def accuracies(maps: Tensor) -> Tensor:
        right = (head(maps).argmax(1) == labels).double()
        return torch.stack([right[labels == c].mean() for c in range(classes)])

    with torch.no_grad():
        whole, falls = accuracies(maps), []
        for unit in range(maps.shape[1]):
            without = maps.clone()
            without[:, unit] = 0
            falls.append(whole - accuracies(without))
    return torch.stack(falls)
