"""MNIST's digits at 14 × 14 pixels as tensors, and small nets on them, for what is measured without a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from datamodules import MNIST
from experiments.measures.small_training import minimise

CLASSES, SIDE, BATCH = 10, 14, 50
CHANCE = 0.9
"""Error of one guess among ten classes."""
MNIST_AT = {"data/mnist": 'torchvision.datasets.MNIST("data/mnist", download=True) puts it there'}
INVERSE_WEIGHTS = {"logisticregression__C": [0.001, 0.01, 0.1, 1.0]}


class Digits(NamedTuple):
    """Images and their classes."""

    images: Tensor
    """float32 (N, 1, 14, 14), of mean 0 and variance 1 over MNIST."""
    labels: Tensor
    """int64 (N,)."""


@cache
def digits(train: bool, root: str = "data/mnist") -> Digits:
    """The 55,000 training digits, or the 10,000 of the test: means of 2 × 2 pixels."""
    found = MNIST(root).scenes("train" if train else "test")
    images = F.avg_pool2d(found.images[:, :1].float(), 2)
    return Digits((images - 33.3) / 73.0, found.labels)


def taken(everything: Digits, seed: int, *counts: int) -> list[Digits]:
    """Disjoint sets of so many digits each, which ``seed`` decides."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(everything.images)))
    parts = order[: sum(counts)].split(list(counts))
    return [Digits(everything.images[rows], everything.labels[rows]) for rows in parts]


def balanced(everything: Digits, each: int) -> Digits:
    """The first so many of each class."""
    rows = torch.cat([(everything.labels == c).nonzero()[:each, 0] for c in range(CLASSES)])
    return Digits(everything.images[rows], everything.labels[rows])


def seen(*parts: Digits) -> str:
    """A digest of the digits."""
    content = b"".join(part.images.numpy().tobytes() + part.labels.numpy().tobytes() for part in parts)
    return hashlib.sha256(content).hexdigest()[:12]


def descend(
    net: nn.Module, loss: Callable[[Tensor, torch.Generator], Tensor], count: int, steps: int, lr: float, seed: int
) -> None:
    """Trains the net by AdamW, whose rate falls as a cosine, on batches of 50 drawn from ``count`` examples.

    ``loss`` takes their rows and an rng.
    """
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    net.train()
    minimise(lambda: loss(torch.randint(count, (BATCH,), generator=rng), rng), optimizer, schedule, steps)
    net.eval()


@torch.no_grad()
def error(net: nn.Module, judged: Digits) -> float:
    """The share of the digits that a classifier puts wrong."""
    wrong = [net(x).argmax(1) != y for x, y in zip(judged.images.split(2000), judged.labels.split(2000), strict=True)]
    return float(torch.cat(wrong).float().mean())


@torch.no_grad()
def features(net: nn.Module, judged: Digits) -> np.ndarray:
    """float32 (N, D): what a net says of each digit."""
    found: np.ndarray = torch.cat([net(x).flatten(1) for x in judged.images.split(2000)]).numpy()
    return found


def probe_error(net: nn.Module, train: Digits, test: Digits) -> float:
    """Test error of a linear classifier on a net's features, standardised; its C by three-fold cross-validation."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
    search = GridSearchCV(probe, INVERSE_WEIGHTS, cv=3)
    search.fit(features(net, train), train.labels.numpy())
    return 1 - float(search.score(features(net, test), test.labels.numpy()))
