"""Many small nets trained at once on the 8 × 8 digits that come with scikit-learn, for what is a matter of many nets.

A net has one hidden layer, as those of Choromanska et al. 2015, section 5 (digits of 10 × 10 pixels). Nets that are trained at
once are independent: each has its own weights and its own order of the images, and a step is one matrix product for all.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CLASSES, TRAIN, BATCH = 10, 1000, 50
CHANCE_LOSS, CHANCE_ERROR = math.log(CLASSES), 1 - 1 / CLASSES
LRS = tuple(float(f"{10 ** (place / 2):.3g}") for place in range(-5, 2))
"""Learning rates that are tried, from 0.00316 to 3.16."""

NetWeights = list[Tensor]
"""Of N nets: float32 (N, 64, W), (N, 1, W), (N, W, 10) and (N, 1, 10)."""


class EightByEight(NamedTuple):
    """Handwritten digits: float32 pixels (images, 64), of mean 0 and variance 1 over all, and int64 classes (images,)."""

    images: Tensor
    labels: Tensor


def digits(seed: int) -> tuple[EightByEight, EightByEight]:
    """1,000 digits for training and 797 for the test: which ones, the seed decides."""
    from sklearn.datasets import load_digits  # takes a second

    pixels, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(seed))
    images = torch.from_numpy(pixels).float()
    images, labels = (images - images.mean()) / images.std(), torch.from_numpy(classes).long()
    return EightByEight(images[order[:TRAIN]], labels[order[:TRAIN]]), EightByEight(
        images[order[TRAIN:]], labels[order[TRAIN:]]
    )


def initial(seeds: Sequence[int], width: int) -> NetWeights:
    """Weights from N(0, 2/inputs), biases 0; a net's are a matter of its own seed."""
    rngs = [torch.Generator().manual_seed(seed) for seed in seeds]

    def layer(inputs: int, outputs: int) -> Tensor:
        return torch.stack([torch.randn(inputs, outputs, generator=rng) * (2 / inputs) ** 0.5 for rng in rngs])

    biases = [torch.zeros(len(seeds), 1, outputs) for outputs in (width, CLASSES)]
    return [layer(64, width), biases[0], layer(width, CLASSES), biases[1]]


def logits(weights: NetWeights, images: Tensor) -> Tensor:
    """(images, 64), or (N, images, 64) of its own for each net, to float32 (N, images, 10)."""
    w1, b1, w2, b2 = weights
    return F.relu(images @ w1 + b1) @ w2 + b2


def losses(weights: NetWeights, images: Tensor, labels: Tensor) -> Tensor:
    """Each net's mean cross-entropy, in nats: (N,)."""
    found = logits(weights, images)
    own = labels.expand(found.shape[:2])
    return F.cross_entropy(found.flatten(0, 1), own.flatten(), reduction="none").view(found.shape[:2]).mean(1)


def predictions(weights: NetWeights, images: Tensor) -> Tensor:
    """Each net's classes: int64 (N, images)."""
    return logits(weights, images).argmax(-1)


def errors(weights: NetWeights, digits: EightByEight) -> Tensor:
    """Each net's share of wrong images: (N,)."""
    return (predictions(weights, digits.images) != digits.labels).float().mean(1)


def trained(
    train: EightByEight, seeds: Sequence[int], width: int, lr: float, steps: int, delay: int = 0, decays: bool = True
) -> NetWeights:
    """Nets after ``steps`` of plain SGD on 50 images each, the rate falling to 0 in a line where it ``decays``.

    Args:
        train: what they are trained on.
        seeds: of their weights and of their orders of images, one a net.
        width: of the hidden layer.
        lr: the first rate.
        steps: gradients that are applied.
        delay: applied gradients since the weights that a gradient was taken at: of N workers in turn it is N − 1.
        decays: whether the rate falls.
    """
    weights = initial(seeds, width)
    rngs = [torch.Generator().manual_seed(1_000_003 * (seed + 1)) for seed in seeds]
    seen: deque[NetWeights] = deque([weights], maxlen=delay + 1)
    for step in range(steps):
        chosen = torch.stack([torch.randint(TRAIN, (BATCH,), generator=rng) for rng in rngs])
        old = [w.requires_grad_() for w in seen[0]]
        gradients = torch.autograd.grad(losses(old, train.images[chosen], train.labels[chosen]).sum(), old)
        rate = lr * (1 - step / steps) if decays else lr
        weights = [w.detach() - rate * gradient for w, gradient in zip(weights, gradients, strict=True)]
        seen.append(weights)
    return weights


def best_lr(score: Callable[[float], float]) -> tuple[float, bool]:
    """The rate of the least score, one that is no number being the worst, and whether it lies inside those tried."""
    scores = {lr: value if math.isfinite(value := score(lr)) else math.inf for lr in LRS}
    best = min(scores, key=lambda lr: scores[lr])
    return best, LRS[0] < best < LRS[-1]
