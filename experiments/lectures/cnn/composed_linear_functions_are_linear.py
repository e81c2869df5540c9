"""Five linear layers on top of each other are one linear layer, and learn no more than it: not even the exclusive or.

Deck “CNN, R-CNN”, slide “Neural Networks”: “a composite of linear functions is linear!”.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor, nn

from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules.networks import MultilayerPerceptron

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
EXCLUSIVE_OR = np.array([-1, 1, 1, -1])


def one_matrix(layers: list[nn.Linear]) -> tuple[Tensor, Tensor]:
    """The weight (out, in) and bias (out,) of the one layer that does what all of them do in a row."""
    weight, bias = torch.eye(layers[0].in_features), torch.zeros(layers[0].in_features)
    for layer in layers:
        weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
    return weight, bias


def difference(activation: type[nn.Module]) -> float:
    """Greatest difference between five layers and their one matrix, relative to the greatest output."""
    torch.manual_seed(0)
    net = MultilayerPerceptron(10, hidden=(64, 64, 64, 64), activation=activation)
    x = torch.randn(256, 100)
    with torch.no_grad():
        outputs = net(x)
        weight, bias = one_matrix([layer for layer in net if isinstance(layer, nn.Linear)])
        return float((outputs - (x @ weight.T + bias)).abs().max() / outputs.abs().max())


def separable(classes: np.ndarray) -> bool:
    """Whether a line has each of the four points on its class's side: a linear programme, solved exactly."""
    sides = classes[:, None] * np.c_[POINTS, np.ones(4)]
    return bool(linprog(np.zeros(3), A_ub=-sides, b_ub=-np.ones(4), bounds=(None, None)).status == 0)


def best_accuracy() -> float:
    """The most of the four points that any line puts right."""
    codes = [np.array([1 if code >> i & 1 else -1 for i in range(4)]) for code in range(16)]
    return max(float((classes == EXCLUSIVE_OR).mean()) for classes in codes if separable(classes))


def checks() -> list[Check]:
    return [
        Check("five linear layers less their one matrix, relative", difference(nn.Identity), 0.0, 1e-5),
        Check.yes_or_no("with ReLU between them one matrix does as well", difference(nn.ReLU) < 1e-5, "no"),
        Check.yes_or_no("a line separates the exclusive or", separable(EXCLUSIVE_OR), "no"),
        Check.yes_or_no("a line separates the and", separable(np.array([-1, -1, -1, 1])), "yes"),
        Check("the most of the exclusive or's four points that a line puts right", best_accuracy(), 0.75),
    ]


study = Exact(
    claim="A09",
    says="Note: a composite of linear functions is linear!",
    slide="Neural Networks",
    paper="No paper; Minsky & Papert 1969 for the exclusive or.",
    checks=checks,
)
