"""Momentum speeds up descent: on an ill-conditioned quadratic a hundredfold, in a trained net by less.

Deck “CNN, R-CNN”, slide “Stochastic Gradient Descent with momentum”; Polyak 1964: of a condition number c it leaves √c. The
quadratic is descended at the best rates there are, the net at rates tuned for each κ.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Needs, Part

from ._descent import LOSS, descent, slowness, steps_to
from ._small_net import CUDA_CONVNET, DEVIATIONS, RECIPE

CONDITION = 10_000
THRESHOLD = 1.0
"""Training loss; a guess among six classes has ln 6 = 1.79."""
BUDGET = 800
"""Steps that a training has at most; it ends when it is at the threshold."""
PLAIN, MOMENTUM = "κ = 0", "κ = 0.9"
QUADRATIC, POLYAK, CONTROLLED = "quadratic, κ = 0", "quadratic, Polyak's κ", "quadratic, κ = 0.9 at the same γ/(1 − κ)"


def descend(start: np.ndarray, curvatures: np.ndarray, lr: float, kappa: float) -> int:
    """Steps of Δ ← κΔ + ∇L, w ← w − γΔ until w is a millionth of what it was, for L = ½ Σ curvatures · w²."""
    w, velocity, steps, goal = start, np.zeros_like(start), 0, 1e-12 * (start @ start)
    while w @ w > goal:
        velocity = kappa * velocity + curvatures * w
        w, steps = w - lr * velocity, steps + 1
        if steps > 100 * CONDITION:
            raise ArithmeticError(f"rate {lr:g} with κ = {kappa:g} does not converge")
    return steps


def order_of_the_slide(start: np.ndarray, curvatures: np.ndarray, lr: float, kappa: float, steps: int) -> dict[str, float]:
    """How far the slide's order, weights first and then the velocity, is from torch.optim.SGD, relative to the start.

    ``later``: the slide's weights one step later, the gradient being that of the new weights. ``stale``: with the gradient
    of the weights before the step.
    """
    weight = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=lr, momentum=kappa)
    theirs = [start]
    for _ in range(steps):
        weight.grad = torch.from_numpy(curvatures) * weight.detach()
        optimizer.step()
        theirs.append(weight.detach().numpy().copy())

    def slide(stale: bool) -> list[np.ndarray]:
        w, velocity, path = start, np.zeros_like(start), []
        for _ in range(steps + 1):
            old = curvatures * w
            w = w - lr * velocity
            velocity = kappa * velocity + (old if stale else curvatures * w)
            path.append(w)
        return path

    size = float(np.abs(start).max())
    return {
        name: max(float(np.abs(a - b).max()) for a, b in zip(slide(name == "stale"), theirs, strict=True)) / size
        for name in ("later", "stale")
    }


def quadratic(*, seed: int, folder: Path, condition: int, kappa: str) -> Measured:
    """Steps on a quadratic of 20 dimensions from a random start: without momentum, with Polyak's, or with κ = 0.9 and a rate
    that makes up for it; and how far the slide's order of updates is from torch's."""
    curvatures = np.logspace(0, np.log10(condition), 20)
    start = np.random.default_rng(seed).normal(size=20)
    low, high, root = 1.0, float(condition), condition**0.5
    plain = 2 / (low + high)
    best = 4 / (high**0.5 + low**0.5) ** 2
    lr, size = {"0": (plain, 0.0), "Polyak": (best, ((root - 1) / (root + 1)) ** 2), "0.9": (0.1 * plain, 0.9)}[kappa]
    apart = order_of_the_slide(start, curvatures, 0.1 * plain, 0.9, 50)
    return Measured({"steps": descend(start, curvatures, lr, size)} | apart)


def quadratics(name: str) -> Variant:
    kappa = {QUADRATIC: "0", POLYAK: "Polyak", CONTROLLED: "0.9"}[name]
    return Variant({"condition": CONDITION, "kappa": kappa}, work=Measurement(quadratic))


SAYS = "We can use momentum: w ← w − γΔ, Δ ← κΔ + ∇L"
SEEDS = 10


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: on the quadratic descent without momentum takes ten times the steps or more, each at the best rates there
    are, and the slide's order of updates is torch's, one step later. Direction only: it takes more.
    b. Reproduced: the net takes 1.2 times the steps or more without momentum, each at its best rate. Direction only: it takes
    more; not reproduced: it takes no more, or within 1.2 times of as many."""
    polyak = runs.ratio("steps on the quadratic, κ = 0 / Polyak's κ", QUADRATIC, POLYAK, "steps", needs=Needs(low=10))
    controlled = runs.ratio("κ = 0 / κ = 0.9 at the same γ/(1 − κ)", QUADRATIC, CONTROLLED, "steps")
    reached = steps_to(THRESHOLD)
    net = runs.ratio(
        "steps of the net, κ = 0 / κ = 0.9", PLAIN, MOMENTUM, reached, budget=BUDGET, needs=Needs(low=1.2, margin=0.2)
    )
    checks = []
    for run in runs.of(QUADRATIC):
        what = "the slide's order, one step later, less torch.optim.SGD, relative"
        lecture = "the weights are moved before the velocity"
        checks.append(Check(f"{what}, seed {run.seed}", run.value("later"), 0.0, 1e-10, lecture=lecture))
        what = "it is the same where the gradient is taken before the weights move"
        checks.append(Check.yes_or_no(f"{what}, seed {run.seed}", run.value("stale") < 1e-3, "no"))
    return {
        "a": Part(
            says=SAYS,
            effects=(polyak,),
            checks=tuple(checks),
            shown=(controlled,),
            because=f"At the best rates momentum descends the quadratic {polyak.estimate:.0f} times faster. With γ/(1 − κ) "
            f"held it "
            f"is {controlled.estimate:.2f} times: what a larger rate does is not momentum's.",
        ),
        "b": Part(
            says="We can use momentum: a net",
            effects=(net,),
            validity_checks=(runs.tuned(PLAIN, MOMENTUM),),
            shared_lr=runs.shared_lr_ratio(net.name, PLAIN, MOMENTUM, reached),
            because=f"At its own best rate the net takes {net.estimate:.2f} times the steps without momentum.",
        ),
    }


study = Study(
    claim="B16",
    says=SAYS,
    slide="Stochastic Gradient Descent with momentum",
    paper="Polyak 1964: on a quadratic of condition c the rate goes from (c − 1)/(c + 1) to (√c − 1)/(√c + 1).",
    work=Training(RECIPE),
    variants={
        **{name: quadratics(name) for name in (QUADRATIC, POLYAK, CONTROLLED)},
        PLAIN: {"model.optimizer.momentum": 0.0},
        MOMENTUM: {"model.optimizer.momentum": 0.9},
    },
    controlled="net, data, order, initialization",
    tune=Tune(start=0.0316, by=slowness(THRESHOLD, BUDGET), own_start={PLAIN: 0.1}),
    scales={
        "cpu": Scale(
            descent(BUDGET, samples=500, every=1, until={"loss": THRESHOLD}),
            deviations=(*DEVIATIONS, f"at most {BUDGET} steps of 64 images", "loss measured on 500 training images"),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, **descent(BUDGET, samples=5000, every=1, until={"loss": THRESHOLD})},
            deviations=("loss measured on 5,000 training images",),
        ),
    },
    seeds=SEEDS,
    erratum="The slide moves the weights before it renews the velocity: each step is torch's step before.",
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "two parts, the quadratic and the net, and the net's can be refuted; its steps are counted one by one and not "
            "in tens, "
            "in ten seeds; the quadratic's descents are variants of their own, so that they can be exchanged",
        ),
    ),
    figure=LOSS,
)
