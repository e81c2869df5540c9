"""Curves as numbers: thinned, smoothed, and the band of several seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from experiments.runs.files import Column

Series = tuple[Column, Column]
"""x and y of a curve, as long as each other."""

POINTS = 200
"""A curve is thinned to about as many: more are not seen, and make a page slow."""


def thin(series: Series, points: int = POINTS) -> Series:
    """The least and the greatest value of each stretch of a long curve, so that no spike is lost."""
    x, y = series
    if len(x) <= points:
        return x, y
    kept = {0, len(x) - 1}
    for stretch in np.array_split(np.arange(len(x)), points // 2):
        values = np.where(np.isfinite(y[stretch]), y[stretch], 0.0)
        kept |= {int(stretch[values.argmin()]), int(stretch[values.argmax()])}
    places = np.array(sorted(kept))
    return x[places], y[places]


def finite(series: Series) -> Series:
    """The points that are numbers."""
    x, y = np.asarray(series[0], float), np.asarray(series[1], float)
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def smooth(series: Series, amount: float) -> Series:
    """An exponential moving average with ``amount`` (0 to 1) of the past, its start corrected as in Adam."""
    x, y = finite(series)
    if amount <= 0 or not len(y):
        return x, y
    out, average, weight = np.empty_like(y), 0.0, 0.0
    for i, value in enumerate(y):
        average = amount * average + (1 - amount) * value
        weight = amount * weight + (1 - amount)
        out[i] = average / weight
    return x, out


def band(seeds: Sequence[Series]) -> tuple[Column, Column, Column, Column]:
    """x, and mean, least and greatest over the seeds that have a value there (between points a line)."""
    curves = [curve for curve in map(finite, seeds) if len(curve[0])]
    if not curves:
        return (np.array([]),) * 4
    x = np.unique(np.concatenate([curve[0] for curve in curves]))
    if len(x) > POINTS:
        x = np.linspace(x[0], x[-1], POINTS)
    table = np.array([np.interp(x, *curve, left=math.nan, right=math.nan) for curve in curves])
    counted = np.isfinite(table).any(axis=0)  # where no seed has a value there is no band
    x, table = x[counted], table[:, counted]
    return x, np.nanmean(table, axis=0), np.nanmin(table, axis=0), np.nanmax(table, axis=0)
