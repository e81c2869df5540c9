"""The generalised distance transform: the best place of a part near each place, in time linear in the number of places.

Felzenszwalb and Huttenlocher 2012, "Distance Transforms of Sampled Functions"; Felzenszwalb et al. 2010, section 3.2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datamodules.compiled import numba_is_there

from .distance_loops import compiled_transforms

DoubleArray = NDArray[np.float64]


class Transformed(NamedTuple):
    """Of each place of a map the best place nearby, and what it is worth there."""

    values: DoubleArray
    """float64 (h, w): the score less the cost of having moved."""
    rows: NDArray[np.int64]
    """int64 (h, w): the row of the best place."""
    columns: NDArray[np.int64]
    """int64 (h, w): its column."""


def distance_transform(scores: DoubleArray, costs: DoubleArray) -> Transformed:
    """max over (dx, dy) of ``scores[y + dy, x + dx] - costs · (dx, dx², dy, dy²)``, at each (y, x): equation 9.

    Both directions after one another, since the cost is a sum of both.

    Args:
        scores: float64 (h, w), finite.
        costs: float64 (4,), of dx, dx², dy and dy²; those of the squares above 0.
    """
    costs = np.asarray(costs, np.float64)
    if not (costs[1] > 0 and costs[3] > 0):
        raise ValueError(f"costs {costs.tolist()}: those of dx² and dy² must be above 0")
    across, columns = _along_rows(np.ascontiguousarray(scores, np.float64), costs[0], costs[1])
    down, rows = _along_rows(np.ascontiguousarray(across.T), costs[2], costs[3])
    rows = np.ascontiguousarray(rows.T)
    return Transformed(np.ascontiguousarray(down.T), rows, np.take_along_axis(columns, rows, 0))


def _along_rows(scores: DoubleArray, linear: float, quadratic: float) -> tuple[DoubleArray, NDArray[np.int64]]:
    """The transform of each row by itself, and where its maxima lie; compiled where numba is there."""
    if not numba_is_there():
        return _tabulated(scores, linear, quadratic)
    values, places = np.empty_like(scores), np.empty(scores.shape, np.int64)
    compiled_transforms()(scores, float(linear), float(quadratic), values, places)
    return values, places


def _tabulated(scores: DoubleArray, linear: float, quadratic: float) -> tuple[DoubleArray, NDArray[np.int64]]:
    """The same from a table of all moves: without numba it is faster than loops, though quadratic in a row's length."""
    places = np.arange(scores.shape[1])
    move = (places[None] - places[:, None]).astype(np.float64)  # from q (rows) to p (columns)
    table = scores[:, None] - (linear * move + quadratic * move * move)
    best = table.argmax(2)
    return np.take_along_axis(table, best[..., None], 2)[..., 0], best
