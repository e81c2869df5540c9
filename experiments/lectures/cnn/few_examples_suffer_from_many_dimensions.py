"""With few examples every further dimension that tells nothing costs accuracy; with more of them it needs more examples.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “generalization on small datasets (curse of dimensionality)”.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.studies.results import Run, Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Needs, Part

Floats = NDArray[np.float64]
NUISANCES = (0, 2, 8, 32, 128, 512)
SIGNALS, FEW, MANY, TEST = 2, 100, 3200, 2000
SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800)
"""Of the training sets among which the first that suffices is looked for."""
GOAL = 0.9
KNN, MLP = "nearest neighbours", "perceptron"


def variant(nuisances: int) -> str:
    return f"{SIGNALS} + {nuisances} dimensions"


def examples(rng: np.random.Generator, count: int, nuisances: int) -> tuple[Floats, NDArray[np.int64]]:
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
    """Accuracies with 100 examples and with 3,200, and the least number of them that gives nearest neighbours 90 %."""
    rng = np.random.default_rng(seed)
    points, labels = examples(rng, SIZES[-1], nuisances)
    test = examples(rng, TEST, nuisances)

    def accuracy(model: ClassifierMixin, count: int) -> float:
        return float(model.fit(points[:count], labels[:count]).score(*test))

    curve = []
    for count in SIZES:
        curve.append((float(count), accuracy(neighbours(count), count)))
        if count >= FEW and curve[-1][1] >= GOAL:
            break
    found = dict(curve)
    enough = next((count for count, share in curve if share >= GOAL), np.inf)
    values = {KNN: found[FEW], MLP: accuracy(perceptron(seed), FEW), "enough": enough}
    return Measured(values | {f"{KNN}, many": found.get(MANY) or accuracy(neighbours(MANY), MANY)}, {"accuracy": curve})


def order(runs: Mapping[str, Run], name: str) -> float:
    """Spearman's rank correlation of the accuracy with the number of dimensions."""
    return float(stats.spearmanr(NUISANCES, [runs[variant(d)].value(name) for d in NUISANCES]).statistic)


def spared(runs: Mapping[str, Run]) -> float:
    """How much less many examples lose from the least to the greatest number of dimensions than few do."""
    least, most = (runs[variant(d)] for d in (NUISANCES[0], NUISANCES[-1]))
    few, many = (least.value(name) - most.value(name) for name in (KNN, f"{KNN}, many"))
    return few - many


SAYS = "Generalization on small datasets (curse of dimensionality)"


def parts(runs: Runs) -> Part:
    """Reproduced: with 100 examples the accuracy of nearest neighbours and of a perceptron falls in step with the number of
    dimensions that tell nothing, rank correlations of −0.9 or less; with 3,200 examples it falls by less. Direction only: the
    correlations are below 0."""
    orders = tuple(
        runs.combined(f"rank correlation, {name}", partial(order, name=name), needs=Needs(high=-0.9)) for name in (KNN, MLP)
    )
    less = runs.combined(
        f"fall with {FEW} examples − with {MANY:,}",
        lambda by: 100 * spared(by),
        unit="points",
        needs=Needs(low=0),
    )
    least, most = variant(NUISANCES[0]), variant(NUISANCES[-1])
    own = {
        (name, v): runs.quantity(f"accuracy, {name}, {v}", v, name, scale=100, unit="%")
        for name in (KNN, MLP)
        for v in (least, most)
    }
    enough = [runs.quantity(f"examples that give 90 %, {variant(d)}", variant(d), "enough") for d in NUISANCES]
    counts = ", ".join(f"{e.estimate:,.0f} for {SIGNALS + d}" for e, d in zip(enough, NUISANCES, strict=True))
    falls = " and ".join(f"{own[n, least].estimate:.0f} to {own[n, most].estimate:.0f} % ({n})" for n in (KNN, MLP))
    return Part(
        says=SAYS,
        effects=(*orders, less),
        shown=(*own.values(), *enough),
        validity_checks=(runs.beats(KNN, 0.5, by=0.3, variants=[least]),),
        because=f"From {SIGNALS} to {SIGNALS + NUISANCES[-1]} dimensions the accuracy with {FEW} examples falls from {falls}. "
        f"For 90 % nearest neighbours need, by dimensions, {counts} examples (not a number: more than {SIZES[-1]:,}).",
    )


study = Study(
    claim="C08",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="No figure in the lecture; Bellman 1961 gave it its name.",
    work=Measurement(measure),
    variants={variant(d): {"nuisances": d} for d in NUISANCES},
    controlled="the two dimensions that tell the classes apart, the noise of every dimension, 2,000 test examples; neighbours, "
    "weight decay and rate by five-fold cross-validation",
    deviations=("drawn points in place of images",),
    parts=parts,
    figure="accuracy",
    figure_axes="log-x",
    figure_x="training examples",
)
