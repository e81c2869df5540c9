"""Reproducible random numbers: one stream for each (seed, index)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Rng:
    """A stream of uniform numbers that depends on (seed, index) alone.

    Numbers are taken from the generator in blocks, because a call of it costs more than the number. Everything
    else is arithmetic on uniform numbers: NumPy keeps their stream from version to version, and promises it for
    no other distribution.
    """

    def __init__(self, seed: int, index: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index])))
        self._numbers: list[float] = []

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        if not self._numbers:
            self._numbers = self._generator.random(256).tolist()
        return low + (high - low) * self._numbers.pop()

    def table(self, rows: int, columns: int) -> NDArray[np.float64]:
        """Numbers (rows, columns) in [0, 1)."""
        return self._generator.random((rows, columns))

    def spread(self, limit: float) -> float:
        """A number in [-limit, limit)."""
        return self.uniform(-limit, limit)

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, items: Sequence[T]) -> T:
        """One of the items, each as likely as the next."""
        return items[int(self.uniform() * len(items))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in random order."""
        return sorted(items, key=lambda _: self.uniform())
