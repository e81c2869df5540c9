"""The more labelled images there are, the further a ConvNet is ahead of hand-made features with a linear classifier.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “leverage large labeled datasets”.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from experiments.lectures._tried import INSIDE, TUNING, Tried, best_lr, rates_inside
from experiments.measures.hog import LabelledFeatures, hog_features, linear_svm_error
from experiments.measures.small_training import classifier, cross_entropy, error, seeded, train
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measured, Measurement, Study, Variant
from experiments.studies.verdict import Needs, Part

from ._drawn import CHANCE, CLASSES, EASY, digest, drawn

CONVNET, HOG = "ConvNet", "HOG and linear SVM"
STEPS = {100: 200, 300: 300, 1000: 450, 3000: 700, 10_000: 1000}
"""Optimizer steps of 64 by the number of training images: more images take more of them, less than in proportion."""
TEST = 2000


def at(count: int) -> str:
    return f"test error, n = {count:,}"


def first(count: int, split: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    return split["image"][:count], split["label"][:count]


def fitted_error(train_set: tuple[Tensor, Tensor], judged: dict[str, Tensor], lr: float, seed: int) -> float:
    """Of a net trained on this set."""
    images, labels = train_set
    net = seeded(lambda: classifier(images, CLASSES, widths=(16, 32, 64)), seed)
    train(net, images, cross_entropy(labels), steps=STEPS[len(labels)], lr=lr, seed=seed)
    return error(net, judged["image"], judged["label"])


@cache
def rate(count: int) -> Tried:
    """The best rate for so many images, by validation scenes."""

    def score(lr: float, seed: int) -> float:
        return fitted_error(first(count, drawn(EASY, "train", count, seed)), drawn(EASY, "val", 1000, seed), lr, seed)

    return best_lr(score, start=0.1, seeds=TUNING[:1])


def convnet(*, seed: int, folder: Path) -> Measured:
    """Test errors of nets on the first 100 to 10,000 scenes of a seed, each at its own rate."""
    data, test = drawn(EASY, "train", max(STEPS), seed), drawn(EASY, "test", TEST, seed)
    curve = [(float(n), fitted_error(first(n, data), test, rate(n).lr, seed)) for n in STEPS]
    inside = min(rate(n).inside for n in STEPS)
    return _measured(curve, test, {INSIDE: inside} | {f"lr, n = {n:,}": rate(n).lr for n in STEPS})


def hand_made(*, seed: int, folder: Path) -> Measured:
    """The same of a linear SVM on histograms of oriented gradients, its C chosen on validation scenes."""
    data, held, test = (drawn(EASY, *s, seed) for s in (("train", max(STEPS)), ("val", 1000), ("test", TEST)))
    known, validation, judged = (
        LabelledFeatures(hog_features(split["image"]), split["label"].numpy()) for split in (data, held, test)
    )
    curve = []
    for n in STEPS:
        part = LabelledFeatures(known.features[:n], known.labels[:n])
        curve.append((float(n), linear_svm_error(part, validation, judged) / 100))
    return _measured(curve, test, {})


def _measured(curve: list[tuple[float, float]], test: dict[str, Tensor], more: Mapping[str, float]) -> Measured:
    errors = {at(int(n)): wrong for n, wrong in curve}
    exponent = np.polyfit(*np.log(np.maximum(curve, 1e-4)).T, 1)[0]
    return Measured(errors | {"exponent": float(exponent), **more}, {"test error": curve}, data=digest(test["image"]))


def slope_of_the_gap(runs: Mapping[str, Run]) -> float:
    """By how many points the ConvNet gets further ahead with ten times the images: least squares over log10 n."""
    gaps = [100 * (runs[HOG].value(at(n)) - runs[CONVNET].value(at(n))) for n in STEPS]
    return float(np.polyfit(np.log10(list(STEPS)), gaps, 1)[0])


SAYS = "ConvNets are the most successful example. Leverage large labeled datasets."


def parts(runs: Runs) -> Part:
    """Reproduced: from 100 to 10,000 images the gap between the test errors of HOG with a linear SVM and of the ConvNet grows
    with the logarithm of their number, and at 10,000 the ConvNet has the lower error."""
    slope = runs.combined("gap, for ten times the images", slope_of_the_gap, unit="points", needs=Needs(low=0))
    most, least = max(STEPS), min(STEPS)
    gaps = {
        n: runs.difference(f"test error, {HOG} − {CONVNET}, n = {n:,}", HOG, CONVNET, at(n), needs=Needs(low=0, margin=1))
        for n in STEPS
    }
    exponents = tuple(runs.quantity(f"exponent of the error in n, {v}", v, "exponent") for v in (CONVNET, HOG))
    ends = {v: [runs.quantity(f"{at(n)}, {v}", v, at(n), scale=100, unit="%") for n in (least, most)] for v in (CONVNET, HOG)}
    falls = " and ".join(f"{a.estimate:.0f} to {b.estimate:.0f} % ({v})" for v, (a, b) in ends.items())
    return Part(
        says=SAYS,
        effects=(slope, gaps[most]),
        shown=(*(gap for n, gap in gaps.items() if n != most), *ends[CONVNET], *ends[HOG], *exponents),
        validity_checks=(rates_inside(runs, CONVNET), runs.beats(at(most), CHANCE, greater=False, by=0.3, variants=[HOG])),
        because=f"From {least} to {most:,} images the test error falls from {falls}.",
        also=("That errors fall as a power of n says nothing about ConvNets: those on hand-made features do too.",),
    )


study = Study(
    claim="C09",
    says=SAYS,
    slide="Conclusions - CNNs",
    work=Measurement(convnet),
    variants={CONVNET: {}, HOG: Variant(work=Measurement(hand_made))},
    controlled="scenes, those of a smaller number being among those of a larger; rate and C by validation scenes at "
    "each number",
    deviations=(
        f"drawn scenes of {EASY.image_size[0]} × {EASY.image_size[1]} pixels, one object each, 100 to 10,000",
        f"{min(STEPS.values())} to {max(STEPS.values()):,} steps of 64 images",
    ),
    parts=parts,
    figure="test error",
    figure_axes="log-log",
    figure_x="training images",
)
