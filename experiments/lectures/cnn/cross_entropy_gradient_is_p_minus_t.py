"""With softmax and cross-entropy, the gradient at the output is the probability less the target: p − t.

Deck “CNN, R-CNN”, slides “Training” and “Loss functions”.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check


def of_the_slide(y: Tensor, t: Tensor) -> Tensor:
    """−Σ t log p, p = eʸ / Σ eʸ, one number a sample; ``t`` is 1-of-K."""
    p = torch.exp(y) / torch.exp(y).sum(1, keepdim=True)
    return -(t * torch.log(p)).sum(1)


def checks() -> list[Check]:
    torch.manual_seed(0)
    y = (3 * torch.randn(64, 10, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(10, (64,))
    t = F.one_hot(labels, 10).double()
    loss = F.cross_entropy(y, labels)
    gradient = torch.autograd.grad(loss, y)[0]
    y, loss = y.detach(), loss.detach()
    large = torch.tensor([[1000.0, 0.0]], dtype=torch.float64)
    weights = torch.randn(10, 5, dtype=torch.float64, requires_grad=True)
    decay = 0.01
    regularised = torch.autograd.grad(decay / 2 * weights.square().sum(), weights)[0]
    return [
        Check("probabilities sum to 1: greatest error", float((F.softmax(y, 1).sum(1) - 1).abs().max()), 0.0, 1e-12),
        Check("the slide's loss less torch's", float((of_the_slide(y, t).mean() - loss).abs()), 0.0, 1e-12),
        Check(
            "gradient less (p − t)/N, greatest",
            float((gradient - (F.softmax(y, 1) - t) / 64).abs().max()),
            0.0,
            1e-12,
            beyond=True,
        ),
        Check(
            "the regulariser λ/2 ‖w‖² adds λw, greatest difference",
            float((regularised - decay * weights).detach().abs().max()),
            0.0,
            1e-12,
        ),
        Check(
            "loss of a sure and wrong answer, 1,000 against 0",
            float(F.cross_entropy(large, torch.tensor([1]))),
            1000.0,
            1e-12,
            beyond=True,
        ),
        Check(
            "the same, computed as the slide writes it",
            "finite" if bool(torch.isfinite(of_the_slide(large, torch.tensor([[0.0, 1.0]]))).all()) else "overflows",
            "overflows",
            lecture="the formula, as it stands",
            beyond=True,
        ),
    ]


study = Exact(
    claim="B14",
    says="Softmax (Probability of class k given input): p(c_k = 1 | x) = exp(y_k) / Σ exp(y_j). Cross entropy (most popular "
    "loss "
    "function for classification): l(w, x, t) = −Σ t⁽ᵏ⁾ log p(c_k | x). L(w) = 1/N Σ l(w, x_i, t_i) + R(w)",
    slide="Training; Loss functions",
    paper="No paper.",
    checks=checks,
    amendments=(
        Amendment("2026-11-26", "the gradient p − t and overflow, which the slides do not name, are beyond the lecture"),
    ),
    deviations=("in float64",),
)
