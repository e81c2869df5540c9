"""What holds a part to its place: nothing gives, or moving costs the square of the distance."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from .distance_transform import DoubleArray, Transformed, distance_transform


class Spring(ABC):
    """How far a part may be from where its anchor has it, and at which cost."""

    least = 0.005
    """Below it no cost of a squared move may fall, or a part would be anywhere."""
    initial = 0.02
    """Cost of a squared move, before any is learned."""

    @abstractmethod
    def moved(self, scores: DoubleArray, costs: DoubleArray) -> Transformed:
        """Of each place of a part filter's scores (h, w) the best place nearby; ``costs`` (4,) are of dx, dx², dy, dy²."""


class Quadratic(Spring):
    """A part moves where it fits best, at a cost that is quadratic in the move. Felzenszwalb et al. 2010, equations 2 and 9."""

    def moved(self, scores: DoubleArray, costs: DoubleArray) -> Transformed:
        return distance_transform(scores, costs)


class Rigid(Spring):
    """A part stays at its anchor: a finer template in pieces, and no deformable one."""

    def moved(self, scores: DoubleArray, costs: DoubleArray) -> Transformed:
        rows, columns = (np.arange(side) for side in scores.shape)
        return Transformed(scores, np.broadcast_to(rows[:, None], scores.shape), np.broadcast_to(columns, scores.shape))
