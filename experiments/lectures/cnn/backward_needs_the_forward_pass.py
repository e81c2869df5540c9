"""The backward pass needs what the forward pass computed: by hand it gives the gradients that autograd gives.

Deck “CNN, R-CNN”, slides “Forward Pass: Evaluating the function” and “Learning with Gradient Descent”; Rumelhart et al. 1986.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

_Arrays = dict[str, np.ndarray]


def forward(x: np.ndarray, w: _Arrays) -> _Arrays:
    """x → h¹ → h² → y, each a matrix product and a bias, with a ReLU after the first two."""
    h1 = np.maximum(x @ w["w1"] + w["b1"], 0)
    h2 = np.maximum(h1 @ w["w2"] + w["b2"], 0)
    return {"h1": h1, "h2": h2, "y": h2 @ w["w3"] + w["b3"]}


def backward(x: np.ndarray, t: np.ndarray, w: _Arrays, kept: _Arrays) -> _Arrays:
    """Gradients of the mean cross-entropy, from what the forward pass kept."""
    p = np.exp(kept["y"] - kept["y"].max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    d3 = (p - np.eye(p.shape[1])[t]) / len(t)
    d2 = (d3 @ w["w3"].T) * (kept["h2"] > 0)
    d1 = (d2 @ w["w2"].T) * (kept["h1"] > 0)
    weights = {"w1": x.T @ d1, "w2": kept["h1"].T @ d2, "w3": kept["h2"].T @ d3}
    return weights | {"b1": d1.sum(0), "b2": d2.sum(0), "b3": d3.sum(0)}


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    shapes = {"w1": (12, 16), "b1": (16,), "w2": (16, 16), "b2": (16,), "w3": (16, 5), "b3": (5,)}
    w = {name: rng.normal(0, 0.4, shape) for name, shape in shapes.items()}
    x, t = rng.normal(size=(32, 12)), rng.integers(0, 5, 32)
    kept = forward(x, w)
    by_hand = backward(x, t, w, kept)

    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in w.items()}

    def loss(*values: torch.Tensor) -> torch.Tensor:
        v = dict(zip(shapes, values, strict=True))
        h1 = F.relu(torch.from_numpy(x) @ v["w1"] + v["b1"])
        h2 = F.relu(h1 @ v["w2"] + v["b2"])
        return F.cross_entropy(h2 @ v["w3"] + v["b3"], torch.from_numpy(t))

    gradients = torch.autograd.grad(loss(*leaves.values()), list(leaves.values()))
    error = {
        name: float(np.abs(by_hand[name] - g.numpy()).max() / np.abs(g.numpy()).max())
        for name, g in zip(shapes, gradients, strict=True)
    }
    numeric = torch.autograd.gradcheck(loss, tuple(leaves.values()), eps=1e-6, atol=1e-6, raise_exception=False)
    # Without the forward pass of this input the same rules give another gradient.
    stale = backward(x, t, w, forward(rng.normal(size=x.shape), w))
    return [
        *(Check(f"{name}: gradient by hand against autograd, relative", e, 0.0, 1e-6) for name, e in error.items()),
        Check.yes_or_no("finite differences in float64 agree", numeric, "yes"),
        Check.yes_or_no(
            "with another input's forward pass the gradient is the same", np.allclose(stale["w1"], by_hand["w1"]), "no"
        ),
    ]


study = Exact(
    claim="A19",
    says="Forward propagation: compute the output y given the input x: x ⇒ h¹ ⇒ h² ⇒ y. Recall that the backward pass requires "
    "the forward pass first",
    slide="Forward Pass: Evaluating the function; Learning with Gradient Descent",
    paper="Rumelhart, Hinton & Williams 1986.",
    checks=checks,
)
