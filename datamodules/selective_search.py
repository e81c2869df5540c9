"""Selective search: the regions at all levels of many hierarchical groupings of an image.

Uijlings, van de Sande, Gevers and Smeulders 2013, "Selective Search for Object Recognition", International Journal of Computer
Vision; the proposals of R-CNN, SPP-net and Fast R-CNN.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .grouping import Similarity, group
from .layout import to_hwc
from .proposal_cache import ProposalCache
from .proposals import Proposer
from .scene import InputError
from .segments import ColorSpace, DescribedImage, ImageArray, hsv, hue, intensity, lab, rgi

VERSION = 1
"""Part of what names a cached result: raised with every change after which an image has other proposals."""


@dataclass(frozen=True)
class Strategies:
    """What is varied so that some grouping gets each object right: all combinations of these are run."""

    color_spaces: tuple[ColorSpace, ...]
    similarities: tuple[Similarity, ...]
    scales: tuple[float, ...]
    """The k of the segmentation with which a grouping begins."""


FAST = Strategies(
    (hsv, lab),
    (Similarity(color=True, texture=True, size=True, fill=True), Similarity(texture=True, size=True, fill=True)),
    (50, 100),
)
"""8 groupings (table 5)."""

QUALITY = Strategies(
    (hsv, lab, rgi, hue, intensity),
    (*FAST.similarities, Similarity(fill=True), Similarity(size=True)),
    (50, 100, 150, 300),
)
"""80 groupings (table 5)."""


class SelectiveSearch(Proposer):
    """The boxes of the regions at all levels of 8 (``fast``) or 80 (``quality``) groupings of an image.

    Each grouping begins with segments of one colour space and joins the two most similar neighbours, again and again. The
    boxes of all groupings are ranked as the paper does: by their places in their hierarchies, from the whole image down, times
    a random number, so that large regions come early and do not take all the first places. Of equal boxes the one of the best
    rank stays.

    The random numbers are a function of the image, so that an image has the same proposals whenever it is searched. Where the
    paper's authors leave out small boxes (R-CNN's scripts those narrower than 20 pixels), nothing is left out here.

    Args:
        mode: the paper's "fast" or "quality" settings.
        count: proposals of an image at most: the first of that many.
        scales: the k of the segmentations, in place of the mode's: the smaller, the smaller the first regions.
        min_size: pixels of a first region at least; by default as many as its scale, as in the authors' code.
        longest: images with a longer side are searched at this size, as R-CNN did with 500 pixels of width.
        cache: keeps results on disk, since a search takes seconds: in a folder of the user's (true), nowhere (false), or in
            the folder named. See :class:`ProposalCache`.
    """

    def __init__(
        self,
        mode: Literal["fast", "quality"] = "fast",
        *,
        count: int = 2000,
        scales: tuple[float, ...] | None = None,
        min_size: int | None = None,
        longest: int = 500,
        cache: bool | str = True,
    ) -> None:
        strategies = FAST if mode == "fast" else QUALITY
        self.strategies = Strategies(strategies.color_spaces, strategies.similarities, tuple(scales or strategies.scales))
        if count < 1 or longest < 1 or min(self.strategies.scales) <= 0 or (min_size is not None and min_size < 1):
            raise InputError(
                f"SelectiveSearch: count, longest, scales and min_size must be above 0, got {count}, {longest}, {scales} and "
                f"{min_size}"
            )
        self.count, self.min_size, self.longest = count, min_size, longest
        settings = f"selective search {VERSION} {mode} {self.strategies.scales} {count} {min_size} {longest}"
        self.cache = ProposalCache(cache, settings) if cache else None

    def __call__(self, image: Tensor) -> Tensor:
        pixels = np.ascontiguousarray(to_hwc(image))
        return self.cache.get(pixels, self._search) if self.cache else self._search(pixels)

    def _search(self, image: ImageArray) -> Tensor:
        height, width = image.shape[:2]
        scale = min(1.0, self.longest / max(height, width))
        small = max(1, round(width * scale)), max(1, round(height * scale))
        if scale < 1:
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        boxes = ranked(self.hierarchies(image), np.random.default_rng(_seed(image)))[: self.count]
        return torch.from_numpy((boxes * np.tile([width / small[0], height / small[1]], 2)).astype(np.float32))

    def hierarchies(self, image: ImageArray) -> list[NDArray[np.int64]]:
        """The boxes (N, 4) of each grouping, in the order in which their regions came to be: the whole image is the last."""
        found = []
        for space in self.strategies.color_spaces:
            described = DescribedImage(space(image))
            for k in self.strategies.scales:
                labels = described.segment(k, self.min_size or round(k))
                segments = described.segments(labels)
                found += [group(segments, similarity).boxes for similarity in self.strategies.similarities]
        return found


def ranked(hierarchies: list[NDArray[np.int64]], random: np.random.Generator) -> NDArray[np.int64]:
    """The boxes of all groupings, each once and the most promising first (section 4.3)."""
    boxes = np.concatenate(hierarchies)
    places = np.concatenate([np.arange(len(grouping), 0, -1) for grouping in hierarchies])
    boxes = boxes[np.argsort(places * random.random(len(places)), kind="stable")]
    _, first = np.unique(boxes, axis=0, return_index=True)
    return np.asarray(boxes[np.sort(first)])


def _seed(image: ImageArray) -> int:
    return int.from_bytes(hashlib.blake2b(image.tobytes(), digest_size=8).digest(), "little")
