"""The exclusive or of two inputs among 64, and what can learn it: a net, a kernel machine, and what lies between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from torch import Tensor, nn

INPUTS, HIDDEN, FOLDS = 64, 64, 3
CHANCE = 0.5
COUNTS = (125, 250, 500, 1000, 2000)
STEPS, BATCH = 600, 64
LRS, DECAYS = (3e-3, 1e-2), (0.01, 0.1, 1.0)
GRID = {"C": [1, 10, 100], "gamma": [0.003, 0.01, 0.03, 0.1]}
ROUNDS = 60
"""Of gradient descent on the widths of a kernel."""

Points = tuple[np.ndarray, np.ndarray]
"""Inputs float64 (N, 64) in ±1, and classes ±1 (N,)."""


def draw(seed: int, count: int) -> Points:
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


def kernel_machine(train: Points, test: Points, seed: int) -> float:
    """Test accuracy of a support vector machine with a radial kernel."""
    search = GridSearchCV(SVC(kernel="rbf"), GRID, cv=FOLDS)
    return float(search.fit(*train).score(*test))


def trained(train: Points, lr: float, decay: float, seed: int, learned: bool) -> nn.Module:
    """A perceptron of one hidden layer; without ``learned`` its hidden units stay as they were drawn."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    net[0].requires_grad_(learned)
    weights = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=lr, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    x, y = _tensors(train)
    rng = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,), generator=rng)
        optimizer.zero_grad()
        F.softplus(-y[rows] * net(x[rows])[:, 0]).mean().backward()
        optimizer.step()
        schedule.step()
    return net


def perceptron(train: Points, test: Points, seed: int, learned: bool) -> float:
    """Test accuracy of the net with the learning rate and the weight decay of the best mean accuracy over the folds."""
    fold = np.arange(len(train[0])) % FOLDS

    def score(lr: float, decay: float) -> float:
        held = [fold == k for k in range(FOLDS)]
        nets = [trained((train[0][~out], train[1][~out]), lr, decay, seed, learned) for out in held]
        return float(np.mean([_accuracy(net, (train[0][out], train[1][out])) for net, out in zip(nets, held, strict=True)]))

    best = max(product(LRS, DECAYS), key=lambda pair: score(*pair))
    return _accuracy(trained(train, *best, seed, learned), test)


def relevance_kernel(train: Points, test: Points, seed: int) -> float:
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


def _tensors(points: Points) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(part).float() for part in points)
    return x, y


@torch.no_grad()
def _accuracy(net: nn.Module, points: Points) -> float:
    x, y = _tensors(points)
    return float((net(x)[:, 0].sign() == y).float().mean())


Learner = Callable[[Points, Points, int], float]
LEARNERS: dict[str, tuple[Learner, tuple[int, ...]]] = {
    "learned functions": (partial(perceptron, learned=True), COUNTS),
    "fixed random functions": (partial(perceptron, learned=False), COUNTS),
    "kernel": (kernel_machine, COUNTS),
    "kernel with learned relevance": (relevance_kernel, COUNTS[:-1]),  # inverses of 2,000 points would take a minute
}
"""By name: test accuracy from training and test points and a seed, and the numbers of examples that it is tried with."""
