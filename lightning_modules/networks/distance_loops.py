"""The loop of the generalised distance transform: as it is written, and compiled by numba.

Felzenszwalb and Huttenlocher 2012, "Distance Transforms of Sampled Functions", section 2 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.compiled import compiled, compiling

_Rows = NDArray[np.float64]


def row_transforms(scores: _Rows, linear: float, quadratic: float, values: _Rows, places: NDArray[np.int64]) -> None:
    """For each row (N, n) and each q the greatest ``scores[p] - linear * (p - q) - quadratic * (p - q)²``, and its p.

    The parabolas that are on top somewhere are kept in order, each with where it begins to be: every one enters and leaves that
    list at most once, so a row takes time linear in its length. Of equal ones the first stays.
    """
    length = scores.shape[1]
    top = np.empty(length, np.int64)
    begins = np.empty(length + 1)
    for row in range(scores.shape[0]):
        last = 0
        top[0] = 0
        begins[0] = -np.inf
        begins[1] = np.inf
        for p in range(1, length):
            while True:
                other = top[last]
                # Where the parabola of p overtakes that of other < p; both have the same curvature, so it happens once.
                meet = (scores[row, other] - scores[row, p] + linear * (p - other) + quadratic * (p * p - other * other)) / (
                    2.0 * quadratic * (p - other)
                )
                if meet > begins[last]:  # so it is at the first at the latest, which begins at minus infinity
                    break
                last -= 1
            last += 1
            top[last] = p
            begins[last] = meet
            begins[last + 1] = np.inf
        at = 0
        for q in range(length):
            while begins[at + 1] < q:
                at += 1
            p = top[at]
            move = p - q
            values[row, q] = scores[row, p] - linear * move - quadratic * move * move
            places[row, q] = p


@cache
def compiled_transforms() -> Callable[..., Any]:
    """:func:`row_transforms`, compiled by numba, which has to be there."""
    with compiling("the distance transform"):
        return compiled("void(f8[:, ::1], f8, f8, f8[:, ::1], i8[:, ::1])")(row_transforms)
