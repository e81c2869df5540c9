"""Operations of an activation function: what is counted computes the function, and the count is that of the formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.measures.float_operations import (
    HALF_STEP,
    LN2_HIGH,
    LN2_LOW,
    Activation,
    Counted,
    exponential,
    exponential_polynomial,
    leaky_relu,
    operations,
    relu,
    sigmoid,
    tanh,
)


@pytest.mark.parametrize(
    ("counted", "reference"),
    [(relu, torch.relu), (leaky_relu, F.leaky_relu), (tanh, torch.tanh), (sigmoid, torch.sigmoid)],
)
def test_what_is_counted_is_the_function_and_its_gradient(counted: Activation, reference: Callable[[Tensor], Tensor]) -> None:
    x, g = np.random.default_rng(0).normal(scale=4, size=(2, 5000))
    y, d = counted(Counted(x), g)
    own = torch.tensor(x, requires_grad=True)
    expected = reference(own)
    expected.backward(torch.tensor(g))
    assert own.grad is not None
    np.testing.assert_allclose(y.value, expected.detach().numpy(), atol=4 * HALF_STEP)
    np.testing.assert_allclose(d.value, own.grad.numpy(), atol=4 * HALF_STEP * np.abs(g).max())


def test_the_polynomial_is_exact_to_float32_and_one_of_a_lower_degree_is_not() -> None:
    """Of a lower degree the best of all errs by (ln 2 / 2)ⁿ⁺¹ / (2ⁿ (n + 1)!), nearly."""
    degree = len(exponential_polynomial()) - 1
    half = math.log(2) / 2
    assert half**degree / (2 ** (degree - 1) * math.factorial(degree)) > HALF_STEP
    x = np.linspace(-20, 20, 4001)
    np.testing.assert_allclose(exponential(Counted(x)).value, np.exp(x), rtol=2 * HALF_STEP)
    assert pytest.approx(math.log(2), abs=1e-15) == LN2_HIGH + LN2_LOW


def test_the_counts_are_those_of_the_formulas() -> None:
    """Of the exponential: 2 for k, 4 for r, 2 a degree, 1 for the factor."""
    power = 7 + 2 * (len(exponential_polynomial()) - 1)
    assert exponential(Counted(np.ones(3))).operations == power
    assert operations(relu) == 1 + 2
    assert operations(leaky_relu) == 2 + 3
    assert operations(tanh) == (1 + power + 3) + 3
    assert operations(sigmoid) == (1 + power + 2) + 3
