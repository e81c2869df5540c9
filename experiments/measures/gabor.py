"""How much of a filter is a Gabor: a wave under a Gaussian, in one colour.

Gabors are what Olshausen & Field 1996 found by learning from natural images, and what the first layer of Krizhevsky et al. 2012
(figure 3) learned. The fit is scipy's least squares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Values = NDArray[np.float64]

WAVE = 0.3
"""The least product of frequency (cycles a pixel) and width (standard deviation along the wave, pixels): below it there is less
than about a cycle under the Gaussian, and what is fitted is a blob."""
STARTS = 4
"""The best of the grid, from which the fit begins."""


class GaborFit(NamedTuple):
    """The best Gabor of one filter."""

    r2: float
    """The part of the filter's variation, colour by colour around its mean, that the Gabor explains."""
    frequency: float
    """Cycles a pixel."""
    width: float
    """Standard deviation of the Gaussian along the wave, in pixels."""
    angle: float
    """Of the wave, in radians from the x axis, 0 to π."""


def gabor(parameters: Values, side: int) -> Values:
    """The wave at each pixel of a square: float64 (..., side · side) from parameters (..., 7).

    The parameters: centre x, centre y (pixels from the middle), angle, frequency, frequency × width, width across the wave
    (pixels), phase.
    """
    x0, y0, angle, frequency, product, across, phase = np.moveaxis(parameters[..., None], -2, 0)
    place = np.arange(side) - (side - 1) / 2
    y, x = (axis.ravel() for axis in np.meshgrid(place, place, indexing="ij"))
    u = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    v = -(x - x0) * np.sin(angle) + (y - y0) * np.cos(angle)
    envelope = np.exp(-0.5 * ((u * frequency / product) ** 2 + (v / across) ** 2))
    found: Values = envelope * np.cos(2 * np.pi * frequency * u + phase)
    return found


def gabor_fit(weights: NDArray[np.floating]) -> GaborFit:
    """The Gabor that explains most of a filter.

    The colours share one wave: each has an amplitude and a mean of its own, which are linear and solved for exactly.

    Args:
        weights: (C, side, side), of one filter.
    """
    side = weights.shape[-1]
    flat = np.asarray(weights, np.float64).reshape(len(weights), -1)
    flat = flat - flat.mean(1, keepdims=True)
    total = float((flat**2).sum())
    if total == 0:
        return GaborFit(0.0, 0.0, 0.0, 0.0)
    flat = flat / np.sqrt(total)

    def wave(parameters: Values) -> Values:
        found = gabor(parameters, side)
        found = found - found.mean(-1, keepdims=True)
        unit: Values = found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-9)
        return unit

    def rest(parameters: Values) -> Values:
        own = wave(parameters)
        left: Values = (flat - (flat @ own)[:, None] * own).ravel()
        return left

    grid = _grid(side)
    explained = ((wave(grid) @ flat.T) ** 2).sum(1)
    low, high = _bounds(side)
    fits = [
        least_squares(rest, np.clip(grid[i], low + 1e-6, high - 1e-6), bounds=(low, high), max_nfev=60)
        for i in np.argsort(-explained)[:STARTS]
    ]
    best = min(fits, key=lambda fit: fit.cost)
    _, _, angle, frequency, product, _, _ = best.x
    return GaborFit(1 - 2 * float(best.cost), float(frequency), float(product / frequency), float(angle % np.pi))


def _bounds(side: int) -> tuple[Values, Values]:
    half = (side - 1) / 2
    low = np.array([-half, -half, -np.pi, 1 / (2 * side), WAVE, 0.5, -2 * np.pi])
    high = np.array([half, half, 2 * np.pi, 0.5, 2.0, float(side), 3 * np.pi])
    return low, high


def _grid(side: int) -> Values:
    """Where fits may begin: (N, 7)."""
    offsets = np.array([-1.0, 0.0, 1.0]) * side / 7
    axes = (
        *(offsets, offsets),
        np.arange(8) * np.pi / 8,
        np.array([0.8, 1.3, 2.0]) / side,
        np.array([0.4, 0.7]),
        np.array([side / 4]),
        np.arange(4) * np.pi / 2,
    )
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 7)
