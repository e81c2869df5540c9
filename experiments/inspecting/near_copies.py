"""Images that are copies of each other, or nearly: the same photograph in two splits makes a test too easy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 4
"""Of 64 by which two hashes may differ: JPEG's quality and another size change none or a few."""
GREY = 6.0
"""Levels by which two thumbnails may differ in the mean. A hash knows only what is brighter than the median: images that have
little in them can share one by chance."""
THUMB = 16
ROWS = 256
"""Hashes that are compared with all others at a time: 40 MB for 20,000."""


def fingerprint(image: NDArray[np.uint8]) -> tuple[np.uint64, NDArray[np.uint8]]:
    """The perceptual hash (pHash: signs of the lowest 8 x 8 cosine frequencies of the 32 x 32 grey image about their median) of
    an image (H, W, 3), and its grey thumbnail (16, 16)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:8, :8]
    bits = low.flatten() > np.median(low)
    return np.packbits(bits).view(np.uint64)[0], np.asarray(
        cv2.resize(small, (THUMB, THUMB), interpolation=cv2.INTER_AREA), np.uint8
    )


def groups(hashes: NDArray[np.uint64], thumbs: NDArray[np.uint8], bits: int = BITS, grey: float = GREY) -> list[list[int]]:
    """The images that are copies of each other, by their places; those that have none are in no group.

    Args:
        hashes: (N,).
        thumbs: (N, 16, 16).
        bits: see :data:`BITS`.
        grey: see :data:`GREY`.
    """
    parent = list(range(len(hashes)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in _pairs(hashes, bits):
        if (a := root(i)) != (b := root(j)) and _apart(thumbs[i], thumbs[j]) <= grey:
            parent[b] = a
    members: dict[int, list[int]] = defaultdict(list)
    for i in range(len(hashes)):
        members[root(i)].append(i)
    return [found for found in members.values() if len(found) > 1]


def _pairs(hashes: NDArray[np.uint64], bits: int) -> Iterator[tuple[int, int]]:
    """Each two places i < j whose hashes differ by so few bits."""
    for start in range(0, len(hashes), ROWS):
        rows = hashes[start : start + ROWS]
        differ = np.bitwise_count(rows[:, None] ^ hashes[None, start:])
        for i, j in zip(*np.nonzero(differ <= bits), strict=True):
            if i < j:
                yield start + int(i), start + int(j)


def _apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def across(found: Sequence[Sequence[int]], splits: Sequence[str]) -> list[Sequence[int]]:
    """The groups whose images are in more than one split."""
    return [group for group in found if len({splits[i] for i in group}) > 1]
