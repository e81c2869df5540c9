"""What selective search begins with: an image in several colour spaces, its segments, and what describes each of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from types import ModuleType
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.filters import gaussian
from skimage.segmentation import felzenszwalb
from skimage.util import img_as_float64

from .compiled import compiling, numba_is_there

ImageArray = NDArray[np.uint8]
"""(H, W, C), every channel from 0 to 255."""

_Floats = NDArray[np.float32]

SIGMA = 0.8
"""Of the Gaussian that smooths an image before it is segmented (Felzenszwalb and Huttenlocher 2004, section 5)."""

COLOR_BINS, ORIENTATIONS, TEXTURE_BINS = 25, 8, 10


def hsv(rgb: ImageArray) -> ImageArray:
    """Hue, saturation, value."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL), np.uint8)


def lab(rgb: ImageArray) -> ImageArray:
    """CIE L*a*b*."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)


def rgi(rgb: ImageArray) -> ImageArray:
    """The shares of red and of green, and the intensity: the first two know no shading."""
    total = rgb.sum(-1, dtype=np.float32, keepdims=True)
    shares = rgb[..., :2] * (255 / np.maximum(total, 1))
    return np.concatenate([shares, total / 3], -1).astype(np.uint8)


def hue(rgb: ImageArray) -> ImageArray:
    """The hue alone, one channel."""
    return hsv(rgb)[..., :1]


def intensity(rgb: ImageArray) -> ImageArray:
    """The brightness alone, one channel."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)[..., None]


ColorSpace = Callable[[ImageArray], ImageArray]


class Segments(NamedTuple):
    """N segments of an image of one colour space, numbered from 0."""

    sizes: NDArray[np.int64]
    """(N,), in pixels."""
    boxes: NDArray[np.int64]
    """(N, 4), xyxy."""
    color: _Floats
    """(N, 25 C), a histogram of each channel, together of sum 1."""
    texture: _Floats
    """(N, 80 C), a histogram of each channel's derivative in each of eight directions, together of sum 1."""
    neighbours: NDArray[np.int64]
    """(E, 2), pairs of segments that share an edge of a pixel, each pair once and its lower number first."""
    area: int
    """Of the image, in pixels."""


def segment(image: ImageArray, scale: float, min_size: int) -> NDArray[np.int64]:
    """The segment of each pixel (H, W), from 0, by the graph-based method of Felzenszwalb and Huttenlocher (2004).

    Args:
        image: in the colour space in which pixels are compared.
        scale: their k: the larger, the larger the segments.
        min_size: smaller segments are joined to a neighbour.
    """
    return np.asarray(felzenszwalb(image, scale=scale, sigma=SIGMA, min_size=min_size, channel_axis=-1), np.int64)


@cache
def search_loops() -> ModuleType | None:
    """The compiled loops, where numba is there."""
    if not numba_is_there():
        return None
    with compiling("selective search"):
        import datamodules.search_loops as loops  # `from .` would ask the package for all its data modules
    return loops


class _Edges(NamedTuple):
    """The pairs of neighbouring pixels of an image, by rising distance in colour."""

    costs: NDArray[np.float64]
    """(E,), of colours from 0 to 1."""
    first: NDArray[np.int32]
    """(E,), a pixel's number in its image."""
    second: NDArray[np.int32]


class DescribedImage:
    """An image of one colour space, of which all is computed once that its segmentations have in common.

    Those are the edges between its pixels, sorted, and the bins of histograms that its pixels fall into.
    """

    def __init__(self, image: ImageArray) -> None:
        self.image = image
        self.color_bins = (image.astype(np.uint16) * COLOR_BINS // 256).astype(np.uint8)
        self.texture_bins = _texture_bins(image)

    @cached_property
    def _edges(self) -> _Edges:
        loops = search_loops()
        assert loops is not None
        smooth = gaussian(img_as_float64(self.image), sigma=SIGMA, mode="reflect", channel_axis=-1)
        costs = loops.edge_costs(np.ascontiguousarray(smooth))
        order = np.argsort(costs)  # not stable, as scikit-image's: equal costs would else come in another order
        return _Edges(costs[order], *loops.edge_ends(order, *self.image.shape[:2]))

    def segment(self, scale: float, min_size: int) -> NDArray[np.int64]:
        """As the function :func:`segment` has it, of which scales share most where loops are compiled."""
        if (loops := search_loops()) is None:
            return segment(self.image, scale, min_size)
        size = self.image.shape[:2]
        return loops.joined_pixels(*self._edges, size[0] * size[1], scale / 255.0, min_size).reshape(size)

    def segments(self, labels: NDArray[np.int64]) -> Segments:
        """The description of the segments that ``labels`` (H, W) numbers from 0."""
        count = int(labels.max()) + 1
        if (loops := search_loops()) is not None:
            sizes, boxes, pairs = loops.extents(labels, count)
            neighbours = _pairs(pairs, count)
        else:
            sizes, boxes, neighbours = np.bincount(labels.ravel(), minlength=count), _boxes(labels), _neighbours(labels)
        color, texture = (
            _histograms(labels, bins, length, count)
            for bins, length in ((self.color_bins, COLOR_BINS), (self.texture_bins, TEXTURE_BINS))
        )
        return Segments(sizes, boxes, color, texture, neighbours, labels.size)


def _texture_bins(image: ImageArray) -> NDArray[np.uint8]:
    """(H, W, 8 C): the bin of the derivative of a Gaussian with σ = 1, in eight directions, of each channel.

    A direction's derivative is positive on one side only; its negative part is the opposite direction's. The paper does
    not say what its ten bins span: here from nothing to the image's steepest slope.
    """
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0).reshape(image.shape)
    down, right = np.gradient(smooth, axis=(0, 1)) if min(image.shape[:2]) > 1 else np.zeros((2, *image.shape), np.float32)
    angles = 2 * np.pi * np.arange(ORIENTATIONS, dtype=np.float32) / ORIENTATIONS
    if (loops := search_loops()) is not None:
        return np.asarray(loops.slope_bins(down, right, np.cos(angles), np.sin(angles), TEXTURE_BINS), np.uint8)
    slopes = np.cos(angles) * right[..., None] + np.sin(angles) * down[..., None]
    steepest = max(float(slopes.max()), 1e-6)
    bins = np.clip(slopes * (TEXTURE_BINS / steepest), 0, TEXTURE_BINS - 1).astype(np.uint8)
    return bins.reshape(*image.shape[:2], -1)


def _histograms(labels: NDArray[np.int64], bins: NDArray[np.uint8], length: int, count: int) -> _Floats:
    """(count, D * length): the histograms of D features (H, W, D) over each segment, together of sum 1."""
    if (loops := search_loops()) is not None:
        histograms = loops.counted(labels, bins, length, count).astype(np.float32)
    else:
        first = labels.ravel() * length
        parts = [
            np.bincount(first + bins[..., d].ravel(), minlength=count * length).reshape(count, length)
            for d in range(bins.shape[-1])
        ]
        histograms = np.concatenate(parts, 1).astype(np.float32)
    return np.asarray(histograms / histograms.sum(1, keepdims=True), np.float32)


def _boxes(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, 4), xyxy: from a segment's first row and column to behind its last ones."""
    found = find_objects(labels + 1)  # 0 is background there
    return np.array([(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in found], np.int64)


def _neighbours(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(E, 2): which segments share an edge of a pixel."""
    sides: list[tuple[Any, Any]] = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])]
    pairs = np.concatenate([np.stack([a[a != b], b[a != b]], 1) for a, b in sides])
    pairs.sort(1)
    count = int(labels.max()) + 1
    return _pairs(pairs[:, 0] * count + pairs[:, 1], count)


def _pairs(codes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(E, 2): the pairs that are written as first * count + second, each once and in order."""
    codes = np.unique(codes)
    return np.stack([codes // count, codes % count], 1)
