"""A net with ReLU reaches 25 % training error about six times sooner than the same net with tanh, or with sigmoid.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLU function”: “converges much faster than sigmoid/tanh in practice (e.g. 6x)”;
Krizhevsky et al. 2012, figure 1, on CIFAR-10, with learning rates chosen for each net. Its caption adds that the size of the
effect varies with the architecture.

Limits: rounding alone (another memory format of the same images, the same seeds) moved the steps to 25 % of one net from 280 to
240. They are counted in twenties; the interval over seeds holds that noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment, Scale, Study, Training, Tune
from experiments.studies.verdict import Level, Needs, Part, ValidityCheck
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
    return max([BUDGET, *(run.last_step(TRAINING_ERROR) + 1 for variant in runs.variants for run in runs.of(variant))])


def slowness(run: Run) -> float:
    """What a variant is tuned by: the steps to the threshold; of runs that missed it, those with the higher error are worse."""
    reached = steps(run)
    return reached if math.isfinite(reached) else BUDGET * (1 + run.value(TRAINING_ERROR))


SAYS = "Converges much faster than sigmoid/tanh in practice (e.g. 6x)"
SIX = Needs(3, 12, margin=0.2)
"""Six times, within a factor of two; less than 1.2 times either way counts as none."""


def parts(runs: Runs) -> dict[str, Part]:
    """a, tanh. Reproduced: it takes 3 to 12 times the steps of ReLU, each from weights that suit it, and from N(0, 0.01²) too;
    direction only: more steps, from weights that suit it; not reproduced: no more, or within 1.2 times of as many.
    b, sigmoid. The same of the sigmoid, from weights that suit it. A run that missed the threshold gives a bound."""
    limit = budget(runs)
    tanh = runs.ratio("steps to 25 % training error, tanh / ReLU", "tanh", "relu", steps, budget=limit, needs=SIX, paper=6)
    small = runs.ratio(
        "the same from N(0, 0.01²)", "tanh, N(0, 0.01)", "relu, N(0, 0.01)", steps, budget=limit, needs=SIX, paper=6
    )
    sigmoid = runs.ratio("steps to 25 % training error, sigmoid / ReLU", "sigmoid", "relu", steps, budget=limit, needs=SIX)

    def half(variant: str) -> ValidityCheck:
        latest = max(steps(run, 0.5) for run in runs.of(variant))
        name = f"{variant} is at 50 % error before a third of the budget"
        return ValidityCheck(name, latest <= limit / 3, f"{latest:g} of {limit:g} steps")

    def because(text: str) -> Callable[[Level], str]:
        caveat = " Krizhevsky's own caption says that the size varies."
        return lambda level: text if level is Level.REPRODUCED else text + caveat

    return {
        "a": Part(
            says=f"{SAYS}: tanh",
            effects=(tanh,),
            conditions=(small,),
            validity_checks=(runs.tuned(*(v for v in runs.variants if v != "sigmoid")), half("relu"), half("relu, N(0, 0.01)")),
            shared_lr=runs.shared_lr_ratio(tanh.name, "tanh", "relu", steps),
            because=because(
                f"With each net at its own best learning rate, tanh takes {tanh.estimate:.2g} times the steps of ReLU to 25 % "
                f"training error, and {small.estimate:.2g} times from small normal weights."
            ),
        ),
        "b": Part(
            says=f"{SAYS}: sigmoid",
            effects=(sigmoid,),
            validity_checks=(runs.tuned("sigmoid", "relu"), half("relu")),
            shared_lr=runs.shared_lr_ratio(sigmoid.name, "sigmoid", "relu", steps),
            because=because(
                f"With each net at its own best learning rate, the sigmoid takes {sigmoid.estimate:.2g} times the steps of "
                f"ReLU."
            ),
        ),
    }


SMALL = L(Normal)(std=0.01)

study = Study(
    claim="A17",
    says=SAYS,
    slide="Nonlinearity – ReLU function",
    paper="A four-layer net on CIFAR-10 reaches 25 % training error six times faster with ReLU than with tanh.",
    work=Training(RECIPE),
    variants={
        "sigmoid": units(L(nn.Sigmoid)(), L(Xavier)(gain=4.0)),
        "tanh, N(0, 0.01)": units(L(nn.Tanh)(), SMALL),
        "relu, N(0, 0.01)": units(L(nn.ReLU)(), SMALL),
        "tanh": units(L(nn.Tanh)(), L(Xavier)()),
        "relu": units(L(nn.ReLU)(), L(Kaiming)()),
    },
    controlled="layers, data, order, momentum 0.9, no regularisation; each activation has the initialization that suits it, "
    "then tanh and ReLU have N(0, 0.01²)",
    seeds=6,
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
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "the slide names tanh and sigmoid, so that there are two parts, each with the same need; six seeds, since a run "
            "may miss "
            "the threshold; small normal weights are a condition of the first part; sigmoids from small weights, which no rule "
            "looked at, are not run any more",
        ),
    ),
    figure=TRAINING_ERROR,
)
