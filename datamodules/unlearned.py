"""Masks of 0 and 255, as most programs draw a foreground: here 255 is no class, and nothing would be learned of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from .kinds import Map
from .scene import IGNORE, DatasetMetadata, InputError, Scene, SceneError, of_kind

ENOUGH = 500
"""Masks with ignored pixels and no class but the first that are looked at before all are taken to be so."""


class ForegroundSought:
    """Whether the masks of a split have any class but the first, asked of its scenes until one has.

    A mask that holds nothing but 0 and 255 is normal where an object is left to be ignored, and some other mask of that data
    set has its class. Where none has, 255 stands for the foreground, and a network would be perfect that never says it.

    Args:
        least: masks with ignored pixels that there must be before that is said: a few images to test on may show no object.
    """

    def __init__(self, least: int) -> None:
        self.least, self.done = least, False

    def look(self, scene: Scene, metadata: DatasetMetadata, others: Callable[[], Iterator[Scene]]) -> None:
        """Looks at a scene, and where it has such a mask, at others.

        Args:
            scene: that keeps the contract.
            metadata: that names the masks' classes.
            others: gives the scenes of the split.

        Raises:
            InputError: no mask has a class but the first; the message says how to save them.
        """
        if self.done:
            return
        holds = _holds(scene, metadata)
        if holds.foreground or not holds.ignored:
            self.done = holds.foreground
            return
        self.done, seen = True, 0
        for other in others():
            holds = _holds(other, metadata)
            if holds.foreground:
                return
            seen += holds.ignored
            if seen >= ENOUGH:
                break
        if seen < self.least:
            return
        self.done = False
        first, *rest = metadata.mask_classes
        raise InputError(
            f"{scene.get('name', metadata.name)}: its mask holds {IGNORE} and no class but 0 ({first}), like each of the masks "
            f"looked at that hold {IGNORE} ({seen}): {IGNORE} is “ignore”, and nothing is learned of {', '.join(rest[:3])}. "
            f"Where it stands for the foreground, save masks of the classes' numbers, 0 to {len(rest)} (of two: mask // 255)"
        )


class _Holds(NamedTuple):
    """What a scene's mask holds; neither where it has no mask, or one of a single class."""

    foreground: bool
    ignored: bool


def _holds(scene: Scene, metadata: DatasetMetadata) -> _Holds:
    for _, kind, value in of_kind(scene, Map):
        if (count := len(metadata.names(kind))) > 1:
            counts = torch.bincount(value.flatten().int(), minlength=256)
            return _Holds(bool(counts[1 : min(count, IGNORE)].any()), bool(counts[IGNORE]))
    return _Holds(False, False)


def readable(scenes: Callable[[int], Scene], count: int) -> Iterator[Scene]:
    """The scenes of a split that can be read, in an order in which near ones are far apart."""
    for i in np.random.default_rng(0).permutation(count).tolist():
        try:
            yield scenes(i)
        except SceneError:
            continue
