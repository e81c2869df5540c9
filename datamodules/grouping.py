"""Hierarchical grouping: segments are joined two by two, the most similar neighbours first, until one is left.

Uijlings et al. 2013, "Selective Search for Object Recognition", algorithm 1 and section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .segments import Segments, search_loops

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Similarity:
    """Which of the four measures are summed (equation 6): each is in [0, 1], and 1 where two regions belong together most."""

    color: bool = False
    """What two regions' histograms of colour have in common."""
    texture: bool = False
    """What their histograms of derivatives have in common."""
    size: bool = False
    """The part of the image that they leave free: small regions are joined early, all over the image."""
    fill: bool = False
    """The part of the image that is not a gap in the box around both: regions that fit into each other are joined."""


class Hierarchy(NamedTuple):
    """The regions of a grouping, in the order in which they came to be: N segments, then N - 1 joins of two."""

    boxes: Numbers
    """(2 N - 1, 4), xyxy."""
    joined: Numbers
    """(N - 1, 2): region N + i is what the two regions ``joined[i]`` became."""


def group(segments: Segments, similarity: Similarity) -> Hierarchy:
    """Joins the segments of an image until one region is left, which is the image.

    Of equally similar pairs, the one with the earlier regions is joined first.
    """
    regions = _Regions(segments, similarity)
    first = len(segments.sizes)
    if (loops := search_loops()) is not None:
        histograms = np.zeros((2 * first - 1, 0), np.float32) if regions.histograms is None else regions.histograms
        rows = histograms, regions.sizes, regions.boxes
        joins = loops.joins(*rows, segments.neighbours, segments.area, similarity.size, similarity.fill)
        return Hierarchy(regions.boxes, joins)
    neighbours: list[set[int]] = [set() for _ in range(2 * first - 1)]
    for a, b in segments.neighbours.tolist():
        neighbours[a].add(b)
        neighbours[b].add(a)
    # Python's heap gives the least first. A pair stays in it after one of the two was joined, and is then passed over.
    similarities = regions.similarity(segments.neighbours[:, 0], segments.neighbours[:, 1])
    heap = [(-s, a, b) for s, (a, b) in zip(similarities.tolist(), segments.neighbours.tolist(), strict=True)]
    heapify(heap)
    joined: list[tuple[int, int]] = []
    gone: set[int] = set()
    while heap:
        _, a, b = heappop(heap)
        if a in gone or b in gone:
            continue
        new = first + len(joined)
        joined.append((a, b))
        regions.join(a, b, new)
        gone |= {a, b}
        around = neighbours[new] = (neighbours[a] | neighbours[b]) - {a, b}
        for other in around:
            neighbours[other] -= {a, b}
            neighbours[other].add(new)
        others = sorted(around)
        for other, s in zip(others, regions.similarity(np.array(others, np.int64), new).tolist(), strict=True):
            heappush(heap, (-s, other, new))
    return Hierarchy(regions.boxes, np.array(joined, np.int64).reshape(-1, 2))


class _Regions:
    """All regions of a grouping, those to come included, with what their similarity is computed from.

    A join's histograms, size and box follow from its two parts' (equations 3 and 5), so that no pixel is looked at again.
    """

    def __init__(self, segments: Segments, similarity: Similarity) -> None:
        self.measures, self.area = similarity, segments.area
        # The intersection of two histograms side by side is the sum of both intersections.
        parts = [h for h, used in ((segments.color, similarity.color), (segments.texture, similarity.texture)) if used]
        joins = len(segments.sizes) - 1
        self.histograms = np.pad(np.concatenate(parts, 1), ((0, joins), (0, 0))) if parts else None
        self.sizes = np.pad(segments.sizes, (0, joins))
        self.boxes = np.pad(segments.boxes, ((0, joins), (0, 0)))

    def join(self, a: int, b: int, new: int) -> None:
        """Makes region ``new`` of two."""
        size_a, size_b = self.sizes[a], self.sizes[b]
        self.sizes[new] = size_a + size_b
        self.boxes[new, :2] = np.minimum(self.boxes[a, :2], self.boxes[b, :2])
        self.boxes[new, 2:] = np.maximum(self.boxes[a, 2:], self.boxes[b, 2:])
        if self.histograms is not None:
            share = size_a / (size_a + size_b)
            self.histograms[new] = share * self.histograms[a] + (1 - share) * self.histograms[b]

    def similarity(self, a: Numbers, b: Numbers | int) -> NDArray[np.float64]:
        """Of each region of ``a`` (K,) with that of ``b`` (K,), or with the one region ``b``."""
        total = np.zeros(len(a))
        if self.histograms is not None:
            total += np.minimum(self.histograms[a], self.histograms[b]).sum(1)
        sizes = self.sizes[a] + self.sizes[b]
        if self.measures.size:
            total += 1 - sizes / self.area
        if self.measures.fill:
            low = np.minimum(self.boxes[a, :2], self.boxes[b, :2])
            high = np.maximum(self.boxes[a, 2:], self.boxes[b, 2:])
            total += 1 - ((high - low).prod(-1) - sizes) / self.area
        return total
