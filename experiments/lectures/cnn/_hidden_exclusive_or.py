"""The exclusive or of two inputs among 64, and what can learn it: a net, a kernel machine, and what lies between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from torch import Tensor, nn

from experiments.measures.small_training import minimise

INPUTS, HIDDEN, FOLDS = 64, 64, 3
CHANCE = 0.5
COUNTS = (125, 250, 500, 1000, 2000)
STEPS, BATCH = 600, 64
LRS, DECAYS = (3e-3, 1e-2), (0.01, 0.1, 1.0)
GRID = {"C": [1, 10, 100], "gamma": [0.003, 0.01, 0.03, 0.1]}
ROUNDS = 60
"""Of gradient descent on the widths of a kernel."""

LabelledPoints = tuple[np.ndarray, np.ndarray]
"""Inputs float64 (N, 64) in ±1, and classes ±1 (N,)."""


def draw(seed: int, count: int) -> LabelledPoints:
    """Uniform points and the sign of the product of their first two inputs, neither of which is nearer to 0 than 0.05."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (count, INPUTS))
    points[:, :2] = rng.uniform(0.05, 1, (count, 2)) * rng.choice([-1, 1], (count, 2))
    return points, np.sign(points[:, 0] * points[:, 1])


def examples_to(accuracy: float, curve: Sequence[tuple[float, float]]) -> float:
    """Where a curve of (examples, accuracy) first has it, between two counts by the logarithm; infinite where it never does."""
    before = curve[0]
    for point in curve:
        if point[1] >= accuracy:
            if point is curve[0]:
                return point[0]
            share = (accuracy - before[1]) / (point[1] - before[1])
            return math.exp(math.log(before[0]) + share * math.log(point[0] / before[0]))
        before = point
    return math.inf


def kernel_machine(train: LabelledPoints, test: LabelledPoints, seed: int) -> float:
    """Test accuracy of a support vector machine with a radial kernel."""
    search = GridSearchCV(SVC(kernel="rbf"), GRID, cv=FOLDS)
    return float(search.fit(*train).score(*test))


class Perceptron(NamedTuple):
    """Weights of nets of one hidden layer, of several at once: their first side counts the training sets."""

    hidden: Tensor
    """float32 (F, 64, 64)."""
    bias: Tensor
    """float32 (F, 1, 64)."""
    output: Tensor
    """float32 (F, 64, 1)."""
    threshold: Tensor
    """float32 (F, 1, 1)."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Scores (..., F, B) of inputs (F, B, 64)."""
        return (torch.relu(inputs @ self.hidden + self.bias) @ self.output + self.threshold)[..., 0]


def trained(sets: list[LabelledPoints], settings: Sequence[tuple[float, float]], seed: int, learned: bool) -> list[Perceptron]:
    """For each learning rate and weight decay a net for each training set, all drawn alike, and all trained side by side.

    Without ``learned`` the hidden units stay as they were drawn.
    """
    torch.manual_seed(seed)
    layers = nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, 1)
    drawn = [value.detach() for layer in layers for value in (layer.weight.T, layer.bias[None])]
    nets = [Perceptron(*(value.repeat(len(sets), 1, 1) for value in drawn)) for _ in settings]
    groups = []
    for net, (lr, decay) in zip(nets, settings, strict=True):
        weights = list(net) if learned else [net.output, net.threshold]
        groups.append({"params": [value.requires_grad_() for value in weights], "lr": lr, "weight_decay": decay})
    optimizer = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    tensors, rng = [_tensors(points) for points in sets], torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        rows = [torch.randint(len(x), (BATCH,), generator=rng) for x, _ in tensors]
        inputs, classes = (torch.stack([pair[i][r] for pair, r in zip(tensors, rows, strict=True)]) for i in (0, 1))
        scores = Perceptron(*map(torch.stack, zip(*nets, strict=True)))(inputs)
        return F.softplus(-classes * scores).mean(-1).sum()  # a sum: no net's gradient depends on another's

    minimise(loss, optimizer, schedule, STEPS)
    return nets


def perceptron(train: LabelledPoints, test: LabelledPoints, seed: int, learned: bool) -> float:
    """Test accuracy of the net with the learning rate and the weight decay of the best mean accuracy over the folds."""
    fold = np.arange(len(train[0])) % FOLDS
    kept = [(train[0][fold != k], train[1][fold != k]) for k in range(FOLDS)]
    held = [(train[0][fold == k], train[1][fold == k]) for k in range(FOLDS)]
    settings = list(product(LRS, DECAYS))

    def score(net: Perceptron) -> float:
        return float(np.mean([accuracy(net, points, k) for k, points in enumerate(held)]))

    scores = [score(net) for net in trained(kept, settings, seed, learned)]
    (net,) = trained([train], [settings[int(np.argmax(scores))]], seed, learned)
    return accuracy(net, test, 0)


@torch.no_grad()
def accuracy(net: Perceptron, points: LabelledPoints, which: int) -> float:
    """Of the net of one of the training sets."""
    x, y = _tensors(points)
    own = Perceptron(*(value[which : which + 1] for value in net))
    return float((own(x[None])[0].sign() == y).float().mean())


def relevance_kernel(train: LabelledPoints, test: LabelledPoints, seed: int) -> float:
    """Test accuracy of regularised least squares with a radial kernel that has a width for each input.

    Widths and the regulariser go down the gradient of the squared error on each training point when it is left out, which has
    a closed form (Rasmussen & Williams 2006, section 5.4.2): automatic relevance determination.
    """
    x, y = _tensors(train)
    logs = torch.full((INPUTS,), 0.5 * math.log(0.02), requires_grad=True)
    ridge = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([logs, ridge], lr=0.1)

    def gram(a: Tensor, b: Tensor) -> Tensor:
        scale = logs.exp()
        return torch.exp(-_squared_distances(a * scale, b * scale))

    for _ in range(ROUNDS):
        optimizer.zero_grad()
        inverse = torch.linalg.inv(gram(x, x) + ridge.exp() * torch.eye(len(x)))
        ((inverse @ y) / inverse.diagonal()).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        alpha = torch.linalg.solve(gram(x, x) + ridge.exp() * torch.eye(len(x)), y)
        points, classes = _tensors(test)
        return float(((gram(points, x) @ alpha).sign() == classes).float().mean())


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    # Not cdist, whose gradient is NaN where two points are one.
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)


def _tensors(points: LabelledPoints) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(part).float() for part in points)
    return x, y


Learner = Callable[[LabelledPoints, LabelledPoints, int], float]
LEARNERS: dict[str, tuple[Learner, tuple[int, ...]]] = {
    "learned functions": (partial(perceptron, learned=True), COUNTS),
    "fixed random functions": (partial(perceptron, learned=False), COUNTS),
    "kernel": (kernel_machine, COUNTS),
    "kernel with learned relevance": (relevance_kernel, COUNTS[:-1]),  # inverses of 2,000 points would take a minute
}
"""By name: test accuracy from training and test points and a seed, and the numbers of examples that it is tried with."""
