"""A net with ReLU reaches 25 % training error about six times sooner than the same net with tanh.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLU”: “converges much faster than sigmoid/tanh in practice (e.g. 6x)”; Krizhevsky
et al. 2012, figure 1, on CIFAR-10, with learning rates chosen for each net. Its caption adds that the size of the effect
varies with the architecture.

Limits: rounding alone (another memory format of the same images, the same seeds) moved the steps to 25 % of one net from 280 to
240. They are counted in twenties, and a ratio within some 15 % of a limit of the rule is within that noise.
"""

from __future__ import annotations

import math

from torch import nn

from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Level, Rule, ValidityCheck, Verdict
from lightning_modules.networks import Kaiming, Normal, Xavier

from ._descent import descent
from ._small_net import CUDA_CONVNET, DEVIATIONS, RECIPE, TRAINING_ERROR, units

THRESHOLD = 0.25
BUDGET = 1500
"""Steps that a training has at most; it ends when it is at the threshold."""


def steps(run: Run, threshold: float = THRESHOLD) -> float:
    """Optimizer steps to a training error; infinite where the run never had it."""
    return run.steps_to(TRAINING_ERROR, threshold) + 1  # the first step is number 0


def budget(runs: Runs) -> float:
    """The steps that a run had, which is what one that missed the threshold made."""
    return max([BUDGET, *(x + 1 for run in runs.all for x, _ in run.curves.get(TRAINING_ERROR, ()))])


def slowness(run: Run) -> float:
    """What a variant is tuned by: the steps to the threshold; of runs that missed it, those with the higher error are worse."""
    reached = steps(run)
    return reached if math.isfinite(reached) else BUDGET * (1 + run.value(TRAINING_ERROR))


def verdict(runs: Runs) -> Verdict:
    """Reproduced: tanh takes 3 to 12 times the steps of ReLU under both initializations; direction only: over 1.2 times;
    not reproduced: at most 1.2 times under both. A run that missed the threshold gives a bound."""
    limit = budget(runs)
    matched = runs.ratio(
        "steps to 25 % training error, tanh / ReLU", "tanh", "relu", steps, budget=limit, needs="3 to 12 x", paper=6
    )
    small = runs.ratio(
        "the same from N(0, 0.01²)", "tanh, N(0, 0.01)", "relu, N(0, 0.01)", steps, budget=limit, needs="3 to 12 x", paper=6
    )
    sigmoid = runs.ratio("sigmoid / ReLU", "sigmoid", "relu", steps, budget=limit)
    halfway = max(steps(run, 0.5) for variant in ("relu", "relu, N(0, 0.01)") for run in runs.of(variant))
    validity_checks = (
        runs.tuned(),
        ValidityCheck(
            "ReLU is at 50 % error before a third of the budget", halfway <= limit / 3, f"{halfway:g} of {limit:g} steps"
        ),
    )
    shared_lr = runs.shared_lr_ratio("steps to 25 % training error, tanh / ReLU", "tanh", "relu", steps)
    effects = (matched, small)

    def because(level: Level) -> str:
        text = (
            f"With each net at its own best learning rate, tanh takes {matched.estimate:.2g} times the steps of ReLU to 25 % "
            f"training error, and {small.estimate:.2g} times from small normal weights."
        )
        return text if level is Level.REPRODUCED else f"{text} Krizhevsky's own caption says that the size varies."

    return Rule(effects, validity_checks, shared_lr, also=(f"{sigmoid}: the sigmoid's part of the claim.",)).judge(
        reproduced=all(e.above(3) and e.below(12) for e in effects),
        direction=all(e.above(1.2) for e in effects),
        refuted=all(e.below(1.2) for e in effects),
        because=because,
    )


SMALL = L(Normal)(std=0.01)

study = Study(
    claim="A17",
    says="ReLU: converges much faster than sigmoid/tanh in practice (e.g. 6x).",
    slide="Nonlinearity – ReLU function",
    paper="A four-layer net on CIFAR-10 reaches 25 % training error six times faster with ReLU than with tanh.",
    work=Training(RECIPE),
    variants={
        "sigmoid, N(0, 0.01)": Variant(units(L(nn.Sigmoid)(), SMALL), lr_of="sigmoid"),
        "sigmoid": units(L(nn.Sigmoid)(), L(Xavier)(gain=4.0)),
        "tanh, N(0, 0.01)": units(L(nn.Tanh)(), SMALL),
        "relu, N(0, 0.01)": units(L(nn.ReLU)(), SMALL),
        "tanh": units(L(nn.Tanh)(), L(Xavier)()),
        "relu": units(L(nn.ReLU)(), L(Kaiming)()),
    },
    controlled="layers, data, order, momentum 0.9, no regularisation; each activation has the initialization that suits it, "
    "then all have N(0, 0.01²)",
    tune=Tune(start=0.0316, by=slowness, own_start={"sigmoid": 0.1, "tanh, N(0, 0.01)": 0.1, "relu": 0.01}),
    scales={
        "cpu": Scale(
            descent(BUDGET, samples=500, every=20, until={"error": THRESHOLD}),
            deviations=(*DEVIATIONS, f"at most {BUDGET} steps of 64 images", "error measured on 500 training images"),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, **descent(40_000, samples=5000, every=100, until={"error": THRESHOLD})},
            deviations=("45,000 of the 50,000 training images", "error measured on 5,000 of them"),
        ),
    },
    parts=verdict,
    figure=TRAINING_ERROR,
)
