"""A single neuron is a binary linear classifier, and the perceptron finds a separating line after a bounded number of mistakes.

Deck “CNN, R-CNN”, slides “Classification Problems” and “Nonlinearity – Activation function”; Novikoff 1962: at most (R/γ)²
mistakes on points within radius R that a line through the origin separates with margin γ.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check

MARGINS = (0.05, 0.1, 0.2, 0.4)
SEEDS = 5
POINTS = 200


def blobs(seed: int, margin: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Points of the unit disc in two classes, none nearer than ``margin`` to the line between them.

    Returns:
        Points (N, 3), a 1 appended to each for the bias; classes ±1 (N,); and Novikoff's bound on the mistakes, (R/γ)² with the
        bias among the coordinates of points and line.
    """
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi)
    line = np.array([np.cos(angle), np.sin(angle), rng.uniform(-0.2, 0.2)])
    square = rng.uniform(-1, 1, (40 * POINTS, 2))
    disc = square[np.linalg.norm(square, axis=1) <= 1]
    points = np.c_[disc, np.ones(len(disc))]
    points = points[np.abs(points @ line) >= margin][:POINTS]
    side = points @ line
    radius, gap = np.linalg.norm(points, axis=1).max(), np.abs(side).min() / np.linalg.norm(line)
    return points, np.sign(side), float((radius / gap) ** 2)


def perceptron(points: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, int]:
    """Rosenblatt's rule from zero until no point is wrong: the weights, the bias last, and the mistakes made on the way."""
    weights, mistakes = np.zeros(points.shape[1]), 0
    while True:
        before = mistakes
        for point, side in zip(points, classes, strict=True):
            if side * (weights @ point) <= 0:
                weights, mistakes = weights + side * point, mistakes + 1
        if mistakes == before:
            return weights, mistakes


def checks() -> list[Check]:
    separated = within = same = 0
    runs = [(seed, margin) for margin in MARGINS for seed in range(SEEDS)]
    for seed, margin in runs:
        points, classes, bound = blobs(seed, margin)
        weights, mistakes = perceptron(points, classes)
        separated += bool((np.sign(points @ weights) == classes).all())
        within += mistakes <= bound
        neuron = nn.Linear(2, 1, dtype=torch.float64)
        with torch.no_grad():
            neuron.weight.copy_(torch.from_numpy(weights[None, :2]))
            neuron.bias.copy_(torch.from_numpy(weights[2:]))
            fires = torch.sigmoid(neuron(torch.from_numpy(points[:, :2])))[:, 0] > 0.5
        same += bool((np.where(fires.numpy(), 1, -1) == classes).all())
    count = len(runs)
    return [
        Check(f"data sets of {count} that the perceptron separates", separated, count, beyond=True),
        Check(f"of {count} with at most (R/γ)² mistakes", within, count, beyond=True),
        Check(f"data sets of {count} in which a sigmoid neuron above ½ says what sign(wᵀx + b) says", same, count),
    ]


study = Exact(
    claim="A05",
    says="Find a hyperplane that divides the space into half (binary classification): y = sign(wᵀx + b). A single neuron can "
    "be used as a binary linear classifier",
    slide="Classification Problems; Nonlinearity – Activation function",
    paper="Novikoff 1962: a perceptron makes at most (R/γ)² mistakes.",
    checks=checks,
    amendments=(Amendment("2026-11-26", "the perceptron and its bound, which the slides do not name, are beyond the lecture"),),
)
