"""Through sigmoids the gradient dies out from layer to layer, through ReLUs it does not; the initialization matters as much.

Deck “CNN, R-CNN”, slide “Sigmoid function”: “saturated neurons kill the gradients”; Glorot & Bengio 2010.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Study
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import Default, Kaiming, MultilayerPerceptron, Xavier

from ._scenes import training_images
from ._small_net import RECIPE

DEPTHS = range(1, 9)
WIDTH, EXAMPLES = 64, 256
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
MATCHED = {"sigmoid": Xavier(4), "tanh": Xavier(), "relu": Kaiming()}
"""Initializations that suit the activation's slope at zero."""


def gradient_ratio(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """‖∇W‖/‖W‖ of the first layer over that of the last."""
    loss = F.cross_entropy(net(images), labels)
    weights = [layer.weight for layer in net.modules() if isinstance(layer, nn.Linear)]
    first, *_, last = torch.autograd.grad(loss, weights)
    ratio = (first.norm() / weights[0].norm()) / (last.norm() / weights[-1].norm())
    return float(ratio.detach())


def gradients(*, seed: int, folder: Path, activation: str, matched: bool) -> Measured:
    """The ratio at the initial weights of nets with 1 to 8 hidden layers, and the slope of its logarithm over their number."""
    images, labels = training_images(RECIPE, EXAMPLES, data_seed=seed)
    points = []
    for depth in DEPTHS:
        torch.manual_seed(seed)
        initialization = MATCHED[activation] if matched else Default()
        net = MultilayerPerceptron(6, hidden=[WIDTH] * depth, activation=ACTIVATIONS[activation], initialization=initialization)
        with torch.no_grad():
            net(images[:1])  # gives the lazy layer its size
        points.append((float(depth), gradient_ratio(net, images, labels)))
    depths, ratios = np.array(points).T
    slope = float(np.polyfit(depths, np.log(ratios), 1)[0])
    return Measured({"slope": slope}, {"gradient of the first layer over that of the last": points})


SAYS = "Saturated neurons kill the gradients (cannot backprop further)"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: with the usual initialization, per hidden layer, the logarithm of the gradient falls more with sigmoid
    than with ReLU, by 1.4 or more with sigmoid, and changes by less than 0.3 with ReLU; direction only: it falls more with
    sigmoid. b, beyond the lecture: drawn to suit the sigmoid's slope, the weights let it fall less."""
    gap = runs.difference("sigmoid − ReLU", "sigmoid", "relu", "slope", scale=1, unit="", needs=Needs(high=0))
    sigmoid = runs.quantity("ln gradient per layer, sigmoid", "sigmoid", "slope", needs=Needs(high=-1.4))
    relu = runs.quantity("ln gradient per layer, ReLU", "relu", "slope", needs=Needs(-0.3, 0.3))
    tanh, matched, relu_matched = (
        runs.quantity(f"ln gradient per layer, {variant}", variant, "slope")
        for variant in ("tanh", "sigmoid, matched", "relu, matched")
    )
    drawn = runs.difference(
        "sigmoid, matched − usual", "sigmoid, matched", "sigmoid", "slope", scale=1, unit="", needs=Needs(low=0)
    )
    return {
        "a": Part(
            says=SAYS,
            effects=(gap,),
            conditions=(sigmoid, relu),
            shown=(tanh,),
            because=f"With each hidden layer more the first layer's gradient shrinks {np.exp(-sigmoid.estimate):.1f} times "
            f"against the last one's with sigmoids, {np.exp(-tanh.estimate):.1f} times with tanh and "
            f"{np.exp(-relu.estimate):.1f} times with ReLU, all drawn in the usual way.",
        ),
        "b": Part(
            says="The initialization matters as much.",
            effects=(drawn,),
            shown=(matched, relu_matched),
            because=f"Initialized to suit the sigmoid's slope it is {np.exp(-matched.estimate):.1f} times, and with ReLU, "
            f"initialized by Kaiming's rule, {np.exp(-relu_matched.estimate):.1f}.",
            beyond=True,
        ),
    }


study = Study(
    claim="A13",
    says=SAYS,
    slide="Nonlinearity – Sigmoid function",
    paper="Glorot & Bengio 2010: no figure of this kind; gradients shrink from the last layer to the first.",
    work=Measurement(gradients),
    variants={
        f"{activation}{', matched' if matched else ''}": {"activation": activation, "matched": matched}
        for matched in (False, True)
        for activation in ACTIVATIONS
    },
    controlled="width 64, images; the usual initialization is uniform in ±1/√fan-in, torch's own",
    deviations=("at the initial weights, before any training", "drawn scenes of 16 × 16 pixels"),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "what the initialization does is a part of its own, beyond the lecture; the limits of −1.4 and ±0.3 stay as "
            "they were, "
            "as conditions of the whole sentence",
        ),
    ),
    figure="gradient of the first layer over that of the last",
)
