"""Test errors by the number of training images: of a ConvNet, and of HOG with a linear SVM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from experiments.lectures._tried import INSIDE, TUNING, Tried, best_lr
from experiments.measures.hog import LabelledFeatures, hog_features, linear_svm_error
from experiments.measures.small_training import classifier, cross_entropy, error, seeded, train
from experiments.studies.study import Measured

from ._drawn import CLASSES, EASY, digest, drawn

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
    counts, wrongs = np.log(np.maximum(curve, 1e-4)).T
    exponent = np.polyfit(counts, wrongs, 1)[0]
    return Measured(errors | {"exponent": float(exponent), **more}, {"test error": curve}, data=digest(test["image"]))
