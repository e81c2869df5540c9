"""Classification and regression differ in whether the output is categorical or continuous: what each kind of loss can know.

CS231n 2017, lecture 11, “Human Pose Estimation”, question “what are regression losses?”. A definition: nothing is trained, and
what makes the difference is computed.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

BINS = 10


def best_constant(values: Tensor, power: int) -> float:
    """Of the numbers from 0 to 9, in steps of 0.01, the one whose mean error to a power is least."""
    candidates = torch.arange(0, 9.005, 0.01, dtype=torch.float64)
    errors = (candidates[:, None] - values).abs().pow(power).mean(1)
    return round(float(candidates[errors.argmin()]), 2)


def checks() -> list[Check]:
    rng = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(50, BINS, generator=rng, dtype=torch.float64), torch.randint(BINS, (50,), generator=rng)
    renamed = torch.randperm(BINS, generator=rng)
    numbers = logits[:, 0] + 4
    plain, exchanged = F.cross_entropy(logits, labels), F.cross_entropy(logits[:, renamed.argsort()], renamed[labels])
    as_numbers, renumbered = (F.mse_loss(numbers, target.double()) for target in (labels, renamed[labels]))
    sure = torch.full((BINS,), -20.0, dtype=torch.float64)
    near, far = (F.cross_entropy(sure.scatter(0, torch.tensor(place), 20.0), torch.tensor(0)) for place in (1, 9))
    outlier = torch.tensor([1.0, 2.0, 2.0, 3.0, 9.0], dtype=torch.float64)
    free = torch.zeros(BINS, dtype=torch.float64, requires_grad=True)
    target = torch.bincount(labels, minlength=BINS).double() / len(labels)
    (gradient,) = torch.autograd.grad(F.cross_entropy(free.expand(50, -1), labels), free)
    return [
        Check("cross-entropy with the classes under other numbers ÷ before", float(exchanged / plain), 1.0, 1e-12),
        Check.yes_or_no("L2 between the classes' numbers changes with the numbering", bool(renumbered != as_numbers), "yes"),
        Check("cross-entropy of a coordinate in bins: 9 bins off ÷ 1 bin off", float(far / near), 1.0, 1e-12),
        Check("L2 of the coordinate itself: 9 bins off ÷ 1 bin off", float((torch.tensor(9.0) ** 2) / 1), 81.0),
        Check("greatest gap of cross-entropy's gradient to p − t", float((gradient - (0.1 - target)).abs().max()), 0.0, 1e-12),
        Check("the one answer of least L2 to 1, 2, 2, 3, 9 is their mean", best_constant(outlier, 2), 3.4, 1e-9),
        Check("the one answer of least L1 to 1, 2, 2, 3, 9 is their median", best_constant(outlier, 1), 2.0, 1e-9),
    ]


study = Exact(
    claim="E10",
    says="Classification과 Regression의 차이는 결과가 Categorical인지 Cintinuous인지이다.",
    translation="The difference between classification and regression is whether the result is categorical or continuous.",
    slide="Classification + Localization, …pdf-0052, question “Regression Losses가 무엇인지?”",
    paper="A definition, not a claim.",
    checks=checks,
)
