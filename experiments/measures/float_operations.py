"""Arithmetic operations that an activation function takes for each float32: each step that computes it says what it takes.

Of division, multiplication, addition, rounding, comparison and choice each counts as one, so the count is the same on every
machine, where CPU time is not. The exponential is as libraries have it: the argument less a multiple k of ln 2, which is in
two parts (Cody & Waite 1980, *Software Manual for the Elementary Functions*, chapter 6), a polynomial of the least degree that
is exact to float32, by Horner's rule, and a factor of 2ᵏ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

HALF_STEP = 2.0**-24
"""The greatest relative error of a number that is rounded to float32."""
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440054690583e-4
"""Cody and Waite's: k · LN2_HIGH is exact in float32 for every k that an argument leads to."""
LEAKY_SLOPE = 0.01


class Counted(NamedTuple):
    """Floats on which arithmetic is done, and how many operations each of them has taken until here."""

    value: NDArray[np.float64]
    operations: int = 0

    def then(self, value: NDArray[np.float64], cost: int = 1) -> Counted:
        """The result of so many operations more."""
        return Counted(value, self.operations + cost)


@cache
def exponential_polynomial() -> tuple[float, ...]:
    """Coefficients, of the constant first, of the polynomial of the least degree that is exp to float32 on |r| ≤ ln 2 / 2."""
    end = math.log(2) / 2
    places = np.linspace(-end, end, 10_001)
    for degree in range(1, 20):
        near = Chebyshev.interpolate(np.exp, degree, domain=[-end, end]).convert(kind=Polynomial)
        if np.abs(near(places) / np.exp(places) - 1).max() < HALF_STEP:
            return tuple(float(c) for c in near.coef)
    raise AssertionError("no polynomial of 19 degrees is exact enough")


def exponential(x: Counted) -> Counted:
    """eˣ, for an ``x`` whose power float64 can hold."""
    k = np.round(x.value * math.log2(math.e))
    r = x.then(x.value - k * LN2_HIGH - k * LN2_LOW, cost=6)  # product, rounding; twice a product and a difference
    highest, *others = reversed(exponential_polynomial())
    power = r.then(np.full_like(r.value, highest), cost=0)
    for c in others:
        power = power.then(power.value * r.value + c, cost=2)
    return power.then(np.ldexp(power.value, k.astype(int)))


def relu(x: Counted, g: NDArray[np.float64]) -> tuple[Counted, Counted]:
    y = x.then(np.maximum(x.value, 0))
    return y, Counted(np.where(y.value > 0, g, 0), 2)  # comparison, choice


def leaky_relu(x: Counted, g: NDArray[np.float64]) -> tuple[Counted, Counted]:
    y = x.then(np.maximum(x.value, LEAKY_SLOPE * x.value), cost=2)
    return y, Counted(np.where(x.value > 0, g, LEAKY_SLOPE * g), 3)


def tanh(x: Counted, g: NDArray[np.float64]) -> tuple[Counted, Counted]:
    """1 − 2 / (e²ˣ + 1), and (1 − y²) g."""
    power = exponential(x.then(2 * x.value))
    y = power.then(1 - 2 / (power.value + 1), cost=3)
    return y, Counted((1 - y.value * y.value) * g, 3)


def sigmoid(x: Counted, g: NDArray[np.float64]) -> tuple[Counted, Counted]:
    """1 / (1 + e⁻ˣ), and y (1 − y) g."""
    power = exponential(x.then(-x.value))
    y = power.then(1 / (1 + power.value), cost=2)
    return y, Counted(y.value * (1 - y.value) * g, 3)


Activation = Callable[[Counted, NDArray[np.float64]], tuple[Counted, Counted]]
"""Of inputs and the output's gradient: the output and, counted from there on, the input's gradient."""


def operations(activation: Activation) -> int:
    """Of one float, forward and backward."""
    one = np.ones(1)
    y, d = activation(Counted(one), one)
    return y.operations + d.operations
