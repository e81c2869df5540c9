"""Through sigmoids the gradient dies out from layer to layer, through ReLUs it does not; the initialization matters as much.

Deck “CNN, R-CNN”, slide “Sigmoid function”: “saturated neurons kill the gradients”; Glorot & Bengio 2010.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Rule, Verdict
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
    images, labels = training_images(RECIPE, EXAMPLES)
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


def verdict(runs: Runs) -> Verdict:
    """Reproduced: with the usual initialization, per hidden layer, the logarithm falls by 1.4 or more with sigmoid, and changes
    by less than 0.3 with ReLU; direction only: it falls more with sigmoid."""
    sigmoid, relu, tanh, matched, relu_matched = (
        runs.quantity(f"ln gradient per layer, {variant}", variant, "slope")
        for variant in ("sigmoid", "relu", "tanh", "sigmoid, matched", "relu, matched")
    )
    sigmoid, relu = replace(sigmoid, needs="≤ −1.4"), replace(relu, needs="within ±0.3")
    gap = runs.difference("sigmoid − ReLU", "sigmoid", "relu", "slope", scale=1, unit="", needs="< 0")
    return Rule((sigmoid, relu, matched, gap), also=(str(tanh), str(relu_matched))).judge(
        reproduced=sigmoid.below(-1.4) and relu.above(-0.3) and relu.below(0.3),
        direction=gap.below(0),
        refuted=gap.excludes_below(0),
        because=f"With each hidden layer more the first layer's gradient shrinks {np.exp(-sigmoid.estimate):.1f} times against "
        f"the last one's with sigmoids, {np.exp(-tanh.estimate):.1f} times with tanh and {np.exp(-relu.estimate):.1f} times "
        f"with ReLU. Initialized to suit the sigmoid's slope it is {np.exp(-matched.estimate):.1f} times, "
        f"and with ReLU, initialized by Kaiming's rule, {np.exp(-relu_matched.estimate):.1f}.",
    )


study = Study(
    claim="A13",
    says="Saturated neurons kill the gradients (cannot backprop further).",
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
    parts=verdict,
    figure="gradient of the first layer over that of the last",
)
