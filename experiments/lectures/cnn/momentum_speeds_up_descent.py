"""Momentum speeds up descent: on an ill-conditioned quadratic a hundredfold, in a trained net by less.

Deck “CNN, R-CNN”, slide “Stochastic Gradient Descent with momentum”; Polyak 1964: of a condition number c it leaves √c. The
quadratic is descended at the best rates there are, the net at rates tuned for each κ.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Level, Rule, Verdict

from ._descent import LOSS, descent, slowness, steps_to
from ._small_net import CUDA_CONVNET, DEVIATIONS, RECIPE

CONDITION = 10_000
THRESHOLD = 1.0
"""Training loss; a guess among six classes has ln 6 = 1.79."""
BUDGET = 800
"""Steps that a training has at most; it ends when it is at the threshold."""
QUADRATIC, PLAIN, MOMENTUM = "quadratic", "κ = 0", "κ = 0.9"


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


def quadratic(*, seed: int, folder: Path, condition: int) -> Measured:
    """Steps on a quadratic of 20 dimensions from a random start: without momentum, with Polyak's, and with κ = 0.9 and a rate
    that makes up for it."""
    curvatures = np.logspace(0, np.log10(condition), 20)
    start = np.random.default_rng(seed).normal(size=20)
    low, high, root = 1.0, float(condition), condition**0.5
    plain = 2 / (low + high)
    best = 4 / (high**0.5 + low**0.5) ** 2
    counts = {
        "plain": descend(start, curvatures, plain, 0.0),
        "momentum": descend(start, curvatures, best, ((root - 1) / (root + 1)) ** 2),
        "controlled": descend(start, curvatures, 0.1 * plain, 0.9),
    }
    return Measured(counts | order_of_the_slide(start, curvatures, 0.1 * plain, 0.9, 50))


def verdict(runs: Runs) -> Verdict:
    """Reproduced: momentum takes a tenth of the steps or less on the quadratic, and the net without it 1.2 times the steps or
    more, each at its best rate. Direction only: the quadratic alone."""

    def gain(key: str) -> tuple[float, ...]:
        return tuple(run.values["plain"] / run.values[key] for run in runs.of(QUADRATIC))

    whole = runs.quantity("", QUADRATIC, "plain")
    polyak = replace(
        whole, name="steps on the quadratic, κ = 0 / Polyak's κ", by_seed=gain("momentum"), unit="x", needs="≥ 10 x"
    )
    held = replace(whole, name="κ = 0 / κ = 0.9 at the same γ/(1 − κ)", by_seed=gain("controlled"), unit="x")
    net = runs.ratio("steps of the net, κ = 0 / κ = 0.9", PLAIN, MOMENTUM, steps_to(THRESHOLD), budget=BUDGET, needs="≥ 1.2 x")
    shared_lr = runs.shared_lr_ratio("steps of the net, κ = 0 / κ = 0.9", PLAIN, MOMENTUM, steps_to(THRESHOLD))
    later = Check(
        "the slide's order, one step later, less torch.optim.SGD, relative",
        max(runs.values(QUADRATIC, "later")),
        0.0,
        1e-10,
        lecture="the weights are moved before the velocity",
    )
    stale = Check.yes_or_no(
        "it is the same where the gradient is taken before the weights move", max(runs.values(QUADRATIC, "stale")) < 1e-3, "no"
    )

    def because(level: Level) -> str:
        text = f"At the best rates momentum descends the quadratic {polyak.estimate:.0f} times faster; the net {net} times."
        caveat = (
            f" With γ/(1 − κ) held it is {held.estimate:.2f} times on the quadratic: what a larger rate does is not momentum's."
        )
        return text.replace(f"{net}", f"{net.estimate:.2g}") + caveat

    return Rule((net, polyak), (runs.tuned(),), shared_lr, also=(str(held),), checks=(later, stale)).judge(
        reproduced=later.holds and polyak.above(10) and net.above(1.2),
        direction=later.holds and polyak.above(10),
        refuted=not later.holds or polyak.below(10),
        because=because,
    )


study = Study(
    claim="B16",
    says="We can use momentum: w ← w − γΔ, Δ ← κΔ + ∇L.",
    slide="Stochastic Gradient Descent with momentum",
    paper="Polyak 1964: on a quadratic of condition c the rate goes from (c − 1)/(c + 1) to (√c − 1)/(√c + 1).",
    work=Training(RECIPE),
    variants={
        QUADRATIC: Variant({"condition": CONDITION}, work=Measurement(quadratic)),
        PLAIN: {"model.optimizer.momentum": 0.0},
        MOMENTUM: {"model.optimizer.momentum": 0.9},
    },
    controlled="net, data, order, initialization",
    tune=Tune(start=0.0316, by=slowness(THRESHOLD, BUDGET), own_start={PLAIN: 0.1}),
    scales={
        "cpu": Scale(
            descent(BUDGET, samples=500, every=10, until={"loss": THRESHOLD}),
            deviations=(*DEVIATIONS, f"at most {BUDGET} steps of 64 images", "loss measured on 500 training images"),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, **descent(BUDGET, samples=5000, every=10, until={"loss": THRESHOLD})},
            deviations=("loss measured on 5,000 training images",),
        ),
    },
    erratum="The slide moves the weights before it renews the velocity: each step is torch's step before.",
    parts=verdict,
    figure=LOSS,
)
