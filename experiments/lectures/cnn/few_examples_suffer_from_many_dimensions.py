"""With few examples every further dimension that tells nothing costs accuracy; with more of them it needs more examples.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “generalization on small datasets (curse of dimensionality)”.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from scipy import stats

from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Needs, Part

from ._dimensions import FEW, KNN, MANY, MLP, NUISANCES, SIGNALS, SIZES, measure, variant


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
    controlled="the two dimensions that tell the classes apart, the noise of every dimension, 5,000 test examples; neighbours, "
    "weight decay and rate by five-fold cross-validation",
    deviations=("drawn points in place of images",),
    parts=parts,
    figure="accuracy",
    figure_axes="log-x",
    figure_x="training examples",
)
