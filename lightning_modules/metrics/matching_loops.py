"""The loops of matching detections to objects: as they are written, and compiled by numba where there is much to match.

numba's import takes half a second, which is more than the loops take over a few hundred images; both ways give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datamodules.compiled import compiled, compiling, numba_is_there

_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_Bits = NDArray[np.uint16]

WORTH_COMPILING = 150_000
"""Detections times objects that are matched uncompiled in about the time of numba's import, or less."""


def box_similarity(
    found: NDArray[np.float64], there: NDArray[np.float64], labels: _Ints, classes: _Ints, crowd: _Flags
) -> NDArray[np.float64]:
    """(D, G): IoU of boxes of one class, -1 of others; on a crowd the part of the detection that lies in it.

    In pycocotools' order (``bbIou`` of its ``maskApi.c``), from corner, width and height.
    """
    result = np.full((len(found), len(there)), -1.0)
    for d in range(len(found)):
        for g in range(len(there)):
            if labels[d] != classes[g]:
                continue
            left, top = found[d, 0], found[d, 1]
            width, height = found[d, 2] - left, found[d, 3] - top
            x, y = there[g, 0], there[g, 1]
            w, h = there[g, 2] - x, there[g, 3] - y
            across = min(width + left, w + x) - max(left, x)
            down = min(height + top, h + y) - max(top, y)
            if across <= 0 or down <= 0:
                result[d, g] = 0.0
                continue
            common = across * down
            result[d, g] = common / (width * height if crowd[g] else width * height + w * h - common)
    return result


def coco_outcomes(
    similarity: NDArray[np.float64],
    labels: _Ints,
    areas: NDArray[np.float64],
    there_areas: NDArray[np.float64],
    ignored: _Flags,
    crowd: _Flags,
    thresholds: NDArray[np.float64],
    ranges: NDArray[np.float64],
    most: int,
) -> tuple[NDArray[np.uint8], _Bits, _Bits]:
    """Which detections, by descending score, are right, and which count, as ``COCOeval.evaluateImg`` of pycocotools has it.

    Args:
        similarity: (D, G), below 0 where the classes differ.
        labels: (D,), the classes of the detections.
        areas: (D,).
        there_areas: (G,).
        ignored: (G,), objects that need not be found; ``crowd`` (G,) may be found by many.
        thresholds: (T,), of similarity, rising.
        ranges: (A, 2), least and most area.
        most: detections of a class that count.

    Returns:
        Each detection's rank in its class (D,), 255 from there on; and (D, A) twice: bit t says at threshold t whether it is
        right, and whether it counts.
    """
    found, there = similarity.shape
    every = np.uint16((1 << len(thresholds)) - 1)
    ranks = np.zeros(found, np.uint8)
    right, counts = np.zeros((found, len(ranges)), np.uint16), np.zeros((found, len(ranges)), np.uint16)
    seen = np.zeros(labels.max() + 1 if found else 0, np.int64)
    # The detections that could be matched at the lowest threshold, and of each of them the objects.
    matchable, starts, near, n = np.empty(found, np.int64), np.zeros(found + 1, np.int64), np.empty(found * there, np.int64), 0
    for d in range(found):
        ranks[d] = min(seen[labels[d]], 255)
        seen[labels[d]] += 1
        if ranks[d] >= most:
            continue
        for a in range(len(ranges)):
            if ranges[a, 0] <= areas[d] <= ranges[a, 1]:
                counts[d, a] = every
        end = starts[n]
        for g in range(there):
            if similarity[d, g] >= min(thresholds[0], 1 - 1e-10):
                near[end] = g
                end += 1
        if end > starts[n]:
            matchable[n], starts[n + 1] = d, end
            n += 1
    taken, outside = np.zeros(there, np.bool_), np.zeros(there, np.bool_)
    for a in range(len(ranges)):
        for g in range(there):
            outside[g] = ignored[g] or there_areas[g] < ranges[a, 0] or there_areas[g] > ranges[a, 1]
        for t in range(len(thresholds)):
            bit = np.uint16(1 << t)
            taken[:] = False
            for m in range(n):
                d, best = matchable[m], -1
                # Objects that count come first; those that do not are looked at where none of the others was found.
                for passed_over in (False, True):
                    least = min(thresholds[t], 1 - 1e-10)
                    for i in range(starts[m], starts[m + 1]):
                        g = near[i]
                        if outside[g] == passed_over and similarity[d, g] >= least and (crowd[g] or not taken[g]):
                            least, best = similarity[d, g], g
                    if best >= 0:
                        break
                if best < 0:
                    continue
                taken[best] = True
                if outside[best]:
                    counts[d, a] &= every ^ bit
                else:
                    counts[d, a] |= bit
                    right[d, a] |= bit
    return ranks, right, counts


def voc_outcomes(
    found: NDArray[np.float64],
    there: NDArray[np.float64],
    labels: _Ints,
    classes: _Ints,
    difficult: _Flags,
    threshold: float,
) -> tuple[_Flags, _Flags]:
    """Which detections, by descending score, are right, and which count, as VOC's development kit has it.

    A detection belongs to the object of its class that it overlaps most, the first of equals; boxes are x2 - x1 wide.
    """
    right, counts = np.zeros(len(found), np.bool_), np.ones(len(found), np.bool_)
    taken = np.zeros(len(there), np.bool_)
    for d in range(len(found)):
        best, overlap = -1, 0.0
        for g in range(len(there)):
            if labels[d] != classes[g]:
                continue
            across = min(found[d, 2], there[g, 2]) - max(found[d, 0], there[g, 0])
            down = min(found[d, 3], there[g, 3]) - max(found[d, 1], there[g, 1])
            if across <= 0 or down <= 0:
                continue
            own = (found[d, 2] - found[d, 0]) * (found[d, 3] - found[d, 1])
            other = (there[g, 2] - there[g, 0]) * (there[g, 3] - there[g, 1])
            iou = across * down / (own + other - across * down)
            if iou > overlap:
                best, overlap = g, iou
        if best >= 0 and overlap >= threshold:
            right[d], counts[d] = not taken[best], not difficult[best]
            taken[best] = True
    return right, counts


class Loops(NamedTuple):
    """The three functions above."""

    box_similarity: Callable[..., Any]
    coco_outcomes: Callable[..., Any]
    voc_outcomes: Callable[..., Any]


PLAIN = Loops(box_similarity, coco_outcomes, voc_outcomes)

_SIGNATURES = (
    "f8[:, ::1](f8[:, ::1], f8[:, ::1], i8[::1], i8[::1], b1[::1])",
    "Tuple((u1[::1], u2[:, ::1], u2[:, ::1]))"
    "(f8[:, ::1], i8[::1], f8[::1], f8[::1], b1[::1], b1[::1], f8[::1], f8[:, ::1], i8)",
    "UniTuple(b1[::1], 2)(f8[:, ::1], f8[:, ::1], i8[::1], i8[::1], b1[::1], f8)",
)


@cache
def compiled_loops() -> Loops:
    """The loops compiled, where numba is there."""
    if not numba_is_there():
        return PLAIN
    with compiling("average precision"):
        return Loops(*(compiled(signature)(plain) for signature, plain in zip(_SIGNATURES, PLAIN, strict=True)))


_compared = 0


def loops(detections: int, objects: int) -> Loops:
    """The loops for an image of so many detections and objects: compiled, once enough has been compared that it pays."""
    global _compared
    if _compared < WORTH_COMPILING:
        _compared += detections * (objects + 10)
        return PLAIN
    return compiled_loops()
