"""Nets for new classes, from scratch or from a net that has learned others."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path

import torch
from torch import nn

from datamodules.drawing import OUTLINES
from experiments.lectures._tried import INSIDE, TUNING, Tried, best_lr
from experiments.measures.small_training import classifier, cross_entropy, error, seeded, train
from experiments.studies.study import Measured

from ._drawn import EASY, digest, drawn, with_classes

NEW = with_classes(EASY, *(name for name in OUTLINES if name not in EASY.classes))
"""Six classes that are in none of the images of the pre-training."""
CLASSES = len(NEW.classes)
SCRATCH, TUNED, FROZEN, SHUFFLED = "from scratch", "fine-tuned", "frozen", "fine-tuned, pre-trained on shuffled labels"
FEW, MANY = 20, 1000
"""Images a class."""
STEPS = {FEW: 300, MANY: 800}
SOURCE = 6000
"""Scenes of the old classes."""
TEST_ERROR = "test error"


def variant(start: str, images: int) -> str:
    return f"{start}, n = {images:,}"


@cache
def pretrained(seed: int, shuffled: bool) -> nn.Module:
    """A net that has learned the six old classes from their scenes; or, as a control, labels that mean nothing."""
    data = drawn(EASY, "train", SOURCE, seed)
    labels = data["label"]
    if shuffled:
        labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    net = seeded(lambda: classifier(data["image"], len(EASY.classes)), seed)
    train(net, data["image"], cross_entropy(labels), steps=800, lr=0.1, seed=seed)
    return net


def fit(start: str, images: int, lr: float, seed: int) -> nn.Module:
    """A net for the new classes: all of its weights drawn anew, or its features pre-trained."""
    data = drawn(NEW, "train", images * CLASSES, seed)
    net = seeded(lambda: classifier(data["image"], CLASSES), seed)
    if start != SCRATCH:
        features = deepcopy(pretrained(seed, start == SHUFFLED)[:2])  # type: ignore[index]
        net[0], net[1] = features  # type: ignore[index, operator]
    if start == FROZEN:
        net[1].requires_grad_(False)  # type: ignore[index]
    train(net, data["image"], cross_entropy(data["label"]), steps=STEPS[images], lr=lr, seed=seed)
    return net


@cache
def rate(start: str, images: int) -> Tried:
    def score(lr: float, seed: int) -> float:
        held = drawn(NEW, "val", 1000, seed)
        return error(fit(start, images, lr, seed), held["image"], held["label"])

    return best_lr(score, 0.1 if start == SCRATCH else 0.0316, TUNING[:1] if images == MANY else TUNING)


def measure(*, seed: int, folder: Path, start: str, images: int) -> Measured:
    """Test error on 2,000 scenes of the new classes."""
    lr, inside = rate(start, images)
    test = drawn(NEW, "test", 2000, seed)
    wrong = error(fit(start, images, lr, seed), test["image"], test["label"])
    return Measured({TEST_ERROR: wrong, INSIDE: inside, "lr": lr}, data=digest(test["image"]))
