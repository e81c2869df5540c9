"""Two classes in two dimensions, among more and more that tell nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.studies.study import Measured

_Points = NDArray[np.float64]
NUISANCES = (2, 8, 32, 128, 512)
SIGNALS, FEW, MANY, TEST, DRAWS = 2, 100, 3200, 5000, 5
SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800)
"""Of the training sets among which the first that suffices is looked for."""
GOAL = 0.9
KNN, MLP = "nearest neighbours", "perceptron"


def variant(nuisances: int) -> str:
    return f"{SIGNALS} + {nuisances} dimensions"


def examples(rng: np.random.Generator, count: int, nuisances: int) -> tuple[_Points, NDArray[np.int64]]:
    """Two classes, ±2 on a diagonal of two dimensions with noise of variance 1; all other dimensions are such noise alone.

    All dimensions have equal noise, so that none of them outweighs the signal by its unit. The best rule has 99.8 % right.
    """
    labels = rng.integers(0, 2, count)
    points = rng.normal(size=(count, SIGNALS + nuisances))
    points[:, :SIGNALS] += 2 * (2 * labels[:, None] - 1)
    return points, labels


def neighbours(few: int) -> ClassifierMixin:
    """Their number by five-fold cross-validation of the training examples."""
    return GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [k for k in (1, 3, 5, 9, 15) if k <= few // 2]}, cv=5)


def perceptron(seed: int) -> ClassifierMixin:
    """32 hidden units; its weight decay and its rate by five-fold cross-validation as well."""
    net = MLPClassifier((32,), max_iter=200, random_state=seed)
    grid = {"mlpclassifier__alpha": [1e-4, 1e-1, 10], "mlpclassifier__learning_rate_init": [1e-3, 1e-2]}
    return GridSearchCV(make_pipeline(StandardScaler(), net), grid, cv=5)


def measure(*, seed: int, folder: Path, nuisances: int) -> Measured:
    """Accuracies with 100 examples, the mean of five such sets, and with 3,200; and how many give nearest neighbours 90 %."""
    rng = np.random.default_rng(seed)
    points, labels = examples(rng, SIZES[-1], nuisances)
    test = examples(rng, TEST, nuisances)

    def accuracy(model: ClassifierMixin, first: int, count: int) -> float:
        part = slice(first, first + count)
        return float(model.fit(points[part], labels[part]).score(*test))

    curve: list[tuple[float, float]] = []
    for count in SIZES:
        curve.append((float(count), accuracy(neighbours(count), 0, count)))
        if curve[-1][1] >= GOAL:
            break
    reached = curve[-1][1] >= GOAL
    firsts = range(0, DRAWS * FEW, FEW)
    values = {
        KNN: float(np.mean([accuracy(neighbours(FEW), first, FEW) for first in firsts])),
        MLP: float(np.mean([accuracy(perceptron(seed), first, FEW) for first in firsts])),
        f"{KNN}, many": accuracy(neighbours(MANY), 0, MANY),
        "enough": curve[-1][0] if reached else np.inf,
    }
    return Measured(values, {"accuracy": curve})
