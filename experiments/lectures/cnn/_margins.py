"""Lines between two classes of points, found in four ways, and their margins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.studies.study import Measured

_Array = np.ndarray[Any, np.dtype[np.float64]]

COUNT, GAP = 200, 0.1
"""Points of the square ±1, and how far the nearest of them lie from the line between the classes."""
L2 = 2 * GAP**2 / COUNT
"""λ: the soft margin's solution is then the hard margin's. Its multipliers are at most half of ‖w‖² ≤ 1 / GAP², which is the C
of this λ, 1 / (λ n)."""
STEPS, BATCH = 100_000, 20
SVM, LOGISTIC, PERCEPTRON, EXACT = "hinge + L2", "logistic + L2", "perceptron", "quadratic program"
MARGIN, SLSQP = "margin", "margin by SLSQP"


def separable(seed: int) -> tuple[_Array, _Array]:
    """float64 (200, 2) points on both sides of a random line through the middle, and their classes ±1."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi)
    points = rng.uniform(-1, 1, (20 * COUNT, 2))
    distance = points @ [np.cos(angle), np.sin(angle)] + rng.uniform(-0.2, 0.2)
    kept = np.flatnonzero(np.abs(distance) >= GAP)[:COUNT]
    return points[kept], np.sign(distance[kept])


def margin(line: _Array, points: _Array, classes: _Array) -> float:
    """Of (w₁, w₂, b): the least signed distance of a point from the line, negative where one lies on the wrong side."""
    return float((classes * (points @ line[:2] + line[2])).min() / np.linalg.norm(line[:2]))


def hinge(score: _Array) -> _Array:
    """Minus the slope of max(0, 1 − score)."""
    return (score < 1).astype(float)


def logistic(score: _Array) -> _Array:
    """Minus the slope of ln(1 + e^−score)."""
    return 1 / (1 + np.exp(np.minimum(score, 500)))


def by_gradients(push: Callable[[_Array], _Array], points: _Array, classes: _Array, seed: int) -> _Array:
    """Pegasos: steps of 1 / (1 + λ t) on random batches, b not regularised; the mean of the lines of the second half.

    The step begins with 1, where Pegasos's own, 1 / (λ t), would throw b far off.
    """
    rng = np.random.default_rng(seed)
    inputs = np.c_[points, np.ones(len(points))] * classes[:, None]
    line, total = np.zeros(3), np.zeros(3)
    decay = np.array([L2, L2, 0])
    for step, rows in enumerate(rng.integers(0, len(points), (STEPS, BATCH))):
        batch = inputs[rows]
        line = line + (push(batch @ line) @ batch / BATCH - decay * line) / (L2 * step + 1)
        if step >= STEPS // 2:
            total += line
    return total / (STEPS - STEPS // 2)


def perceptron(points: _Array, classes: _Array, seed: int) -> _Array:
    """Rosenblatt's: adds each point that is wrong, until none is."""
    rng = np.random.default_rng(seed)
    inputs = np.c_[points, np.ones(len(points))] * classes[:, None]
    line, wrong = np.zeros(3), True
    while wrong:
        wrong = False
        for row in inputs[rng.permutation(len(inputs))]:
            if row @ line <= 0:
                line, wrong = line + row, True
    return line


def quadratic_program(points: _Array, classes: _Array) -> tuple[_Array, _Array]:
    """The line of the least ‖w‖ with all scores at least 1: by LIBSVM, and by SLSQP."""
    from scipy.optimize import minimize
    from sklearn.svm import SVC

    svm = SVC(kernel="linear", C=1e8, tol=1e-6).fit(points, classes)
    inputs = np.c_[points, np.ones(len(points))] * classes[:, None]
    found = minimize(
        lambda line: 0.5 * line[:2] @ line[:2],
        np.append(svm.coef_[0], svm.intercept_) * 2,
        jac=lambda line: np.append(line[:2], 0),
        constraints={"type": "ineq", "fun": lambda line: inputs @ line - 1, "jac": lambda line: inputs},
        method="SLSQP",
    )
    return np.append(svm.coef_[0], svm.intercept_), np.asarray(found.x)


def find_a_line(*, seed: int, folder: Path, method: str) -> Measured:
    """The margin of the line that this method finds for 200 separable points."""
    points, classes = separable(seed)
    lines: Mapping[str, Callable[[], tuple[_Array, ...]]] = {
        SVM: lambda: (by_gradients(hinge, points, classes, seed),),
        LOGISTIC: lambda: (by_gradients(logistic, points, classes, seed),),
        PERCEPTRON: lambda: (perceptron(points, classes, seed),),
        EXACT: lambda: quadratic_program(points, classes),
    }
    names = (MARGIN, SLSQP)
    return Measured({name: margin(line, points, classes) for name, line in zip(names, lines[method](), strict=False)})
