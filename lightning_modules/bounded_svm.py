"""A linear SVM whose weights may have lower bounds: squared hinge loss by L-BFGS-B."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Examples = NDArray[np.float32]


class Fit(NamedTuple):
    """The SVM, and what it has minimised."""

    weights: FloatArray
    objective: float


def fit_svm(
    positives: Examples, negatives: Examples, start: FloatArray, *, c: float, least: FloatArray, bias: int, iterations: int = 60
) -> Fit:
    """Minimises ``½ |w|² + c Σ max(0, 1 - y w·x)²``, in which the bias does not count as a weight.

    liblinear takes no bounds, which the costs of moving a part need (Felzenszwalb et al. 2010, section 3.2: convex
    deformations); L-BFGS-B (Byrd et al. 1995, SciPy's) does, and the squared hinge is smooth enough for it.

    Args:
        positives: float32 (N, D), y = 1.
        negatives: float32 (M, D), y = -1.
        start: float64 (D,), where the search begins; inside the bounds after clipping.
        c: the weight of a squared violation.
        least: float64 (D,), lower bounds, minus infinity where there is none.
        bias: the place of the bias' feature, which is 1 in every example.
        iterations: at most so many.
    """
    from scipy.optimize import minimize  # costs time that no other command need pay

    examples = np.concatenate([positives, negatives])
    signs = np.repeat(np.array([1, -1], np.float32), [len(positives), len(negatives)])

    def objective(weights: FloatArray) -> tuple[float, FloatArray]:
        gap = 1 - signs * (examples @ weights.astype(np.float32))
        violation = np.maximum(gap, 0)
        counted = weights.copy()
        counted[bias] = 0
        slope = counted - 2 * c * (examples.T @ (signs * violation)).astype(np.float64)
        return float(0.5 * counted @ counted + c * np.square(violation, dtype=np.float64).sum()), slope

    bounds = [(None if low == -np.inf else float(low), None) for low in least]
    begun = np.maximum(start, least)
    found = minimize(objective, begun, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations})
    return Fit(np.asarray(found.x, np.float64), float(found.fun))


def margins(examples: Examples, weights: FloatArray) -> NDArray[np.float32]:
    """float32 (N,), of examples (N, D) and weights (D,)."""
    values: NDArray[np.float32] = examples @ weights.astype(np.float32)
    return values
