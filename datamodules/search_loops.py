"""The compiled loops of selective search. Each gives, bit for bit, what the NumPy beside its caller gives.

Imported only where numba is there. Sums are taken in NumPy's order, and in its precision.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

_Ints = NDArray[np.int32]


@compiled("f8[::1](f8[:, :, ::1])")
def edge_costs(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """(E,): the distance in colour of all pairs of neighbouring pixels of an image (H, W, C).

    First those beside each other, then those above each other, on a falling and on a rising diagonal, each in the order of
    pixels: scikit-image's order, by which equal costs are sorted.
    """
    height, width, channels = image.shape
    costs = np.empty(height * (width - 1) + (height - 1) * width + 2 * (height - 1) * (width - 1), np.float64)
    at = 0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for y in range(height - down):
            for x in range(max(0, -right), width - max(0, right)):
                total = 0.0
                for c in range(channels):
                    difference = image[y + down, x + right, c] - image[y, x, c]
                    total += difference * difference
                costs[at] = np.sqrt(total)
                at += 1
    return costs


@compiled("UniTuple(i4[::1], 2)(i8[::1], i8, i8)")
def edge_ends(order: NDArray[np.int64], height: int, width: int) -> tuple[_Ints, _Ints]:
    """The two pixels of each edge, by its number in :func:`edge_costs`."""
    first, second = np.empty(len(order), np.int32), np.empty(len(order), np.int32)
    beside, above, diagonal = height * (width - 1), (height - 1) * width, (height - 1) * (width - 1)
    for i in range(len(order)):
        e = order[i]
        if e < beside:
            pixel = e + e // (width - 1)
            first[i], second[i] = pixel + 1, pixel
            continue
        e -= beside
        if e < above:
            first[i], second[i] = e + width, e
            continue
        e -= above
        if e < diagonal:
            pixel = e + e // (width - 1)
            first[i], second[i] = pixel + width + 1, pixel
            continue
        e -= diagonal
        pixel = e + e // (width - 1)
        first[i], second[i] = pixel + width, pixel + 1
    return first, second


@compiled("i8(i4[::1], i8)", "i8(i8[::1], i8)")
def root(parents: NDArray[np.integer[Any]], pixel: int) -> int:
    """The pixel that stands for a pixel's segment, or the region that a region is part of by now."""
    while parents[pixel] != pixel:
        parents[pixel] = parents[parents[pixel]]
        pixel = parents[pixel]
    return pixel


@compiled("i8[::1](f8[::1], i4[::1], i4[::1], i8, f8, f8)")
def joined_pixels(
    costs: NDArray[np.float64], first: _Ints, second: _Ints, pixels: int, scale: float, min_size: float
) -> NDArray[np.int64]:
    """(pixels,): the segment of each pixel, from edges by rising cost; segments count from 0 by their first pixels."""
    parents = np.arange(pixels).astype(np.int32)
    sizes, inner = np.ones(pixels, np.int32), np.zeros(pixels)
    apart, left = np.empty(len(costs), np.int32), 0
    for e in range(len(costs)):
        a, b = root(parents, first[e]), root(parents, second[e])
        if a == b:
            continue
        # scikit-image rounds these two to float32
        if costs[e] < min(np.float32(inner[a] + scale / sizes[a]), np.float32(inner[b] + scale / sizes[b])):
            low = min(a, b)
            parents[max(a, b)] = low
            sizes[low] = sizes[a] + sizes[b]
            inner[low] = costs[e]
        else:
            apart[left] = e
            left += 1
    for i in range(left):
        a, b = root(parents, first[apart[i]]), root(parents, second[apart[i]])
        if a != b and (sizes[a] < min_size or sizes[b] < min_size):
            low = min(a, b)
            parents[max(a, b)] = low
            sizes[low] = sizes[a] + sizes[b]
    labels, count = np.empty(pixels, np.int64), 0
    for pixel in range(pixels):
        stands = root(parents, pixel)
        if stands == pixel:
            labels[pixel] = count
            count += 1
        else:
            labels[pixel] = labels[stands]
    return labels


@compiled("u1[:, :, ::1](f4[:, :, ::1], f4[:, :, ::1], f4[::1], f4[::1], i8)")
def slope_bins(
    down: NDArray[np.float32], right: NDArray[np.float32], cosines: NDArray[np.float32], sines: NDArray[np.float32], bins: int
) -> NDArray[np.uint8]:
    """(H, W, C * directions): the bin of each slope, from 0 to the image's steepest."""
    height, width, channels = down.shape
    directions = len(cosines)
    steepest = np.float32(0)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                for d in range(directions):
                    steepest = max(steepest, cosines[d] * right[y, x, c] + sines[d] * down[y, x, c])
    share = np.float32(bins / max(float(steepest), 1e-6))
    last = np.float32(bins - 1)
    result = np.empty((height, width, channels * directions), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                for d in range(directions):
                    slope = (cosines[d] * right[y, x, c] + sines[d] * down[y, x, c]) * share
                    result[y, x, c * directions + d] = np.uint8(min(max(slope, np.float32(0)), last))
    return result


@compiled("Tuple((i8[::1], i8[:, ::1], i8[::1]))(i8[:, ::1], i8)")
def extents(labels: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each of ``count`` segments the size (count,) and the box (count, 4); and the pairs that touch.

    A pair is lower * count + higher, and comes as often as it is found.
    """
    height, width = labels.shape
    sizes, boxes = np.zeros(count, np.int64), np.empty((count, 4), np.int64)
    boxes[:, 0], boxes[:, 1], boxes[:, 2:] = width, height, 0
    pairs, found = np.empty(2 * labels.size, np.int64), 0
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            sizes[label] += 1
            boxes[label, 0] = min(boxes[label, 0], x)
            boxes[label, 1] = min(boxes[label, 1], y)
            boxes[label, 2] = max(boxes[label, 2], x + 1)
            boxes[label, 3] = max(boxes[label, 3], y + 1)
            if x + 1 < width and labels[y, x + 1] != label:
                pairs[found] = min(label, labels[y, x + 1]) * count + max(label, labels[y, x + 1])
                found += 1
            if y + 1 < height and labels[y + 1, x] != label:
                pairs[found] = min(label, labels[y + 1, x]) * count + max(label, labels[y + 1, x])
                found += 1
    return sizes, boxes, pairs[:found].copy()


@compiled("i4[:, ::1](i8[:, ::1], u1[:, :, ::1], i8, i8)")
def counted(labels: NDArray[np.int64], bins: NDArray[np.uint8], length: int, count: int) -> _Ints:
    """(count, D * length): how many pixels of each segment fall into each bin of D features (H, W, D)."""
    height, width, features = bins.shape
    counts = np.zeros((count, features * length), np.int32)
    for y in range(height):
        for x in range(width):
            row = counts[labels[y, x]]
            for d in range(features):
                row[d * length + bins[y, x, d]] += 1
    return counts


@compiled("f4(f4[:, ::1], i8, i8, i8, i8)")
def common(histograms: NDArray[np.float32], a: int, b: int, start: int, length: int) -> Any:
    """The intersection of two rows from ``start`` on, added up as ``numpy.sum`` does: by halves, and eight at a time.

    A row has 25 entries at least, and so has each part 8.
    """
    if length > 128:
        half = length // 2
        half -= half % 8
        return common(histograms, a, b, start, half) + common(histograms, a, b, start + half, length - half)
    parts = np.empty(8, np.float32)
    for i in range(8):
        parts[i] = min(histograms[a, start + i], histograms[b, start + i])
    whole = length - length % 8
    for at in range(start + 8, start + whole, 8):
        for i in range(8):
            parts[i] += min(histograms[a, at + i], histograms[b, at + i])
    total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]))
    for i in range(start + whole, start + length):
        total += min(histograms[a, i], histograms[b, i])
    return total


@compiled("f8(f4[:, ::1], i8[::1], i8[:, ::1], i8, b1, b1, i8, i8)")
def similarity(
    histograms: NDArray[np.float32],
    sizes: NDArray[np.int64],
    boxes: NDArray[np.int64],
    area: int,
    size: bool,
    fill: bool,
    a: int,
    b: int,
) -> float:
    """Of two regions."""
    total = 0.0
    if histograms.shape[1]:
        total += common(histograms, a, b, 0, histograms.shape[1])
    both = sizes[a] + sizes[b]
    if size:
        total += 1 - both / area
    if fill:
        width = max(boxes[a, 2], boxes[b, 2]) - min(boxes[a, 0], boxes[b, 0])
        height = max(boxes[a, 3], boxes[b, 3]) - min(boxes[a, 1], boxes[b, 1])
        total += 1 - (width * height - both) / area
    return total


@compiled("void(f4[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8)")
def join_rows(
    histograms: NDArray[np.float32], sizes: NDArray[np.int64], boxes: NDArray[np.int64], a: int, b: int, new: int
) -> None:
    """Fills in the rows of the region that two become."""
    sizes[new] = sizes[a] + sizes[b]
    for i in range(2):
        boxes[new, i] = min(boxes[a, i], boxes[b, i])
        boxes[new, i + 2] = max(boxes[a, i + 2], boxes[b, i + 2])
    share = sizes[a] / sizes[new]
    for i in range(histograms.shape[1]):
        histograms[new, i] = share * histograms[a, i] + (1 - share) * histograms[b, i]


@compiled("i8[:, ::1](f4[:, ::1], i8[::1], i8[:, ::1], i8[:, ::1], i8, b1, b1)")
def joins(
    histograms: NDArray[np.float32],
    sizes: NDArray[np.int64],
    boxes: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    area: int,
    size: bool,
    fill: bool,
) -> NDArray[np.int64]:
    """(N - 1, 2): the pairs that are joined, in turn; fills in the rows of what they become, after the first N.

    A region's neighbours are a chain of links, each of which names a region, or one that is part of it by now.
    """
    regions = len(sizes)
    first, edges = (regions + 1) // 2, len(neighbours)
    became = np.arange(regions)
    seen = np.full(regions, -1)
    heads, tails = np.full(regions, -1), np.full(regions, -1)
    names, links = np.empty(2 * edges, np.int64), np.full(2 * edges, -1)
    for link in range(2 * edges):
        region, names[link] = neighbours[link // 2, link % 2], neighbours[link // 2, 1 - link % 2]
        links[link], heads[region] = heads[region], link
        if tails[region] < 0:
            tails[region] = link
    heap = []
    for e in range(edges):
        a, b = neighbours[e, 0], neighbours[e, 1]
        heap.append((-similarity(histograms, sizes, boxes, area, size, fill, a, b), a, b))
    heapify(heap)  # the least first; a pair stays in it after one of the two was joined, and is then passed over
    joined, new = np.empty((first - 1, 2), np.int64), first
    while heap:
        _, a, b = heappop(heap)
        if became[a] != a or became[b] != b:
            continue
        joined[new - first, 0], joined[new - first, 1] = a, b
        became[a] = became[b] = new
        join_rows(histograms, sizes, boxes, a, b, new)
        # The new region's chain is that of the one, then that of the other, less what is named twice or was joined.
        links[tails[a]] = heads[b]
        heads[new], last, link = -1, -1, heads[a]
        while link >= 0:
            other = root(became, names[link])
            if other != new and seen[other] != new:
                seen[other], names[link] = new, other
                if last < 0:
                    heads[new] = link
                else:
                    links[last] = link
                last = link
                heappush(heap, (-similarity(histograms, sizes, boxes, area, size, fill, other, new), other, new))
            link = links[link]
        if last >= 0:
            links[last] = -1
        tails[new] = last
        new += 1
    return joined
