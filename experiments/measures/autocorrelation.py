"""How alike two pixels of an image are, by the distance between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GreyImages = NDArray[np.float64]
"""(N, H, W), of grey values."""


def autocorrelation(images: GreyImages, distances: Sequence[int]) -> list[float]:
    """Pearson's correlation of two pixels at a distance, along rows and columns, over all places and images.

    The mean that is taken off is that of all images together: two pixels of a bright image are alike, however far apart.
    Less each image's own mean, ``images - images.mean((1, 2), keepdims=True)``, it says how alike they are within one.

    Args:
        images: (N, H, W).
        distances: in pixels, each less than both sides.

    Returns:
        One number for each distance; 1 at 0.
    """
    found = []
    for d in distances:
        height, width = images.shape[1:]
        pairs = ((images[:, : height - d], images[:, d:]), (images[:, :, : width - d], images[:, :, d:]))
        first, second = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
        found.append(float(np.corrcoef(first, second)[0, 1]))
    return found


def spectral_exponent(images: GreyImages) -> float:
    """The exponent α of a power spectrum that goes as frequency^α, by least squares of logarithms (Ruderman 1994: −1.81).

    Over square windows of the shorter side, tapered (Hann) and without their mean, averaged over images and directions, from 2
    cycles a window to half of the highest frequency.
    """
    side = min(images.shape[1:])
    taper = np.outer(np.hanning(side), np.hanning(side))
    windows = images[:, :side, :side] - images[:, :side, :side].mean((1, 2), keepdims=True)
    power = (abs(np.fft.fft2(windows * taper)) ** 2).mean(0)
    cycles = np.fft.fftfreq(side) * side
    radius = np.rint(np.hypot(*np.meshgrid(cycles, cycles))).astype(int)
    mean = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    frequencies = np.arange(2, side // 4 + 1)
    return float(np.polyfit(np.log(frequencies), np.log(mean[frequencies]), 1)[0])
