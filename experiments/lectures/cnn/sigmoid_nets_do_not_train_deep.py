"""A net of sigmoids cannot be trained with more than two or three hidden layers.

Deck “CNN, R-CNN”, slide “Nonlinearity – Sigmoid function”: “saturated neurons kill the gradients … not able to train more
than 2 or 3 layers”. The weights are drawn as they were then, with variance 1 / (3 · fan-in) (Glorot & Bengio 2010, equation
1); two more sets of variants ask whether the wall is one of depth alone: weights that suit the sigmoid, and ten times the
steps.
"""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from datamodules import MNIST
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Rule, ValidityCheck, Verdict
from lightning_modules.networks import Kaiming, Xavier

from ._descent import descent
from ._small_net import TRAINING_ERROR, units

STEPS = 600
CHANCE = 0.9
"""Error of one guess among ten classes."""
TRAINED, STUCK = 0.3, 0.8
"""Training errors below and above which a net counts as trained, and as not."""
SIGMOID = {depth: f"sigmoid, {depth}" for depth in (1, 2, 3, 4, 6)}
MATCHED, RELU = "sigmoid, 6, matched", "relu, 6"
LONGER = {depth: f"sigmoid, {depth}, 10×" for depth in (4, 6)}
START = 0.316
OWN_START = {SIGMOID[1]: 0.1, MATCHED: 0.1, RELU: 0.0316}


def score(run: Run) -> float:
    """What a variant is tuned by: the training error. Of rates at which nothing is learned the middle one counts as best, as
    there is nothing to choose between them."""
    error = run.value(TRAINING_ERROR)
    if error < STUCK or run.lr is None:
        return error
    return 1 + abs(math.log10(run.lr / OWN_START.get(run.variant, START)))


def verdict(runs: Runs) -> Verdict:
    """Reproduced: up to three layers train (error < 0.3), four and six do not (≥ 0.8) although ReLU does, and four do not
    even in ten times the steps. Direction only: six do not, but four begin to, or do with more steps."""
    errors = {variant: runs.quantity(f"training error, {variant}", variant, TRAINING_ERROR) for variant in runs.variants}
    gap = runs.difference(
        "training error of sigmoids, 4 − 3 layers", SIGMOID[4], SIGMOID[3], TRAINING_ERROR, needs="from < 0.3 to ≥ 0.8"
    )
    shared_lr = runs.shared_lr("training error of sigmoids, 4 − 3 layers", SIGMOID[4], SIGMOID[3], TRAINING_ERROR)

    def stuck(variant: str) -> bool:
        return errors[variant].is_finite and min(errors[variant].by_seed) >= STUCK

    shallow = all(errors[SIGMOID[d]].below(TRAINED) for d in (1, 2, 3))
    relu = errors[RELU]
    validity_checks = (
        runs.tuned(),
        ValidityCheck("ReLU trains with six layers", relu.below(TRAINED), f"error {relu.estimate:.2f}"),
        ValidityCheck(
            "sigmoids train with one layer", errors[SIGMOID[1]].below(TRAINED), f"error {errors[SIGMOID[1]].estimate:.2f}"
        ),
    )
    effects = (gap, *(errors[variant] for variant in (*SIGMOID.values(), MATCHED, *LONGER.values(), RELU)))
    by_depth = ", ".join(f"{depth}: {errors[variant].estimate:.2f}" for depth, variant in SIGMOID.items())
    return Rule(effects, validity_checks, shared_lr).judge(
        reproduced=shallow and stuck(SIGMOID[4]) and stuck(SIGMOID[6]) and stuck(LONGER[4]),
        direction=shallow and stuck(SIGMOID[6]),
        refuted=errors[SIGMOID[6]].below(TRAINED),
        because=f"Training error of sigmoids by hidden layers: {by_depth}; ReLU has {relu.estimate:.2f} with six. In ten times "
        f"the steps four layers come to {errors[LONGER[4]].estimate:.2f} and six to {errors[LONGER[6]].estimate:.2f}; with "
        f"weights drawn to suit the sigmoid six come to {errors[MATCHED].estimate:.2f} in the same steps.",
    )


def layers(count: int) -> dict[str, Any]:
    return {"model.network.hidden": [64] * count}


def sigmoids(depth: int) -> dict[str, Any]:
    return {**layers(depth), "model.network.activation": L(nn.Sigmoid)()}


def longer(depth: int) -> Variant:
    ten_times = descent(10 * STEPS, samples=1000, every=200, until={"error": 0.9 * TRAINED})
    return Variant({**sigmoids(depth), **ten_times}, lr_of=SIGMOID[depth])


study = Study(
    claim="A14",
    says="Saturated neurons kill the gradients: major bottleneck for the conventional NNs, not able to train more than 2 or 3 "
    "layers.",
    slide="Nonlinearity – Sigmoid function",
    work=Training("classification/perceptron_shapes"),
    variants={
        **{LONGER[depth]: longer(depth) for depth in LONGER},
        RELU: {**layers(6), **units(L(nn.ReLU)(), L(Kaiming)())},
        MATCHED: {**layers(6), **units(L(nn.Sigmoid)(), L(Xavier)(gain=4.0))},
        **{SIGMOID[depth]: sigmoids(depth) for depth in (6, 4, 2, 1, 3)},
    },
    controlled="64 units a layer, data, order, momentum 0.9, steps",
    tune=Tune(start=START, by=score, own_start=OWN_START),
    scales={
        "cpu": Scale(
            descent(STEPS, samples=1000, every=100),
            deviations=(
                "drawn scenes of 16 × 16 pixels, ten classes",
                f"{STEPS} steps of 64 images",
                "a net that learns at no rate of its grid is judged at the middle one",
                "with ten times the steps a net keeps its rate, and stops once it counts as trained",
            ),
        ),
        "gpu": Scale(
            {
                "data": L(MNIST)(root="data", batch_size=64, workers=8),
                **descent(STEPS, samples=5000, every=100),
            },
            deviations=("perceptrons on MNIST in place of convolutional nets on CIFAR-10", f"{STEPS} steps of 64 images"),
        ),
    },
    deviations=("hidden layers are counted, not the output layer, as the deck counts",),
    erratum="How deep a net of sigmoids can be trained depends on how its weights are drawn and on the steps it is given.",
    parts=verdict,
    figure=TRAINING_ERROR,
)
