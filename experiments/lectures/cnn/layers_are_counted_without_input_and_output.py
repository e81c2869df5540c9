"""A “2-layer net” has two hidden layers and three matrices: the deck counts neither the input nor the output.

Deck “CNN, R-CNN”, slide “Neural Networks”. VGG and ResNet count otherwise: every layer with weights, the output included.
"""

from __future__ import annotations

import torch
from torch import nn

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check
from lightning_modules.networks import CifarNet, MultilayerPerceptron


def with_weights(net: nn.Module) -> int:
    return sum(isinstance(layer, nn.Linear | nn.Conv2d) for layer in net.modules())


def checks() -> list[Check]:
    net = MultilayerPerceptron(10, hidden=(64, 64))
    net(torch.zeros(1, 5))
    return [
        Check("hidden layers of a 2-layer net", sum(isinstance(layer, nn.ReLU) for layer in net), 2),
        Check("its layers with weights", with_weights(net), 3),
        Check(
            "layers with weights of the “20-layer” plain net of He et al.",
            with_weights(CifarNet(10, depth=20)),
            20,
            beyond=True,
        ),
    ]


study = Exact(
    claim="A10",
    says="Example: 2 layer NNet (Convention: input and output layers are not taken as a layer)",
    slide="Neural Networks",
    paper="He et al. 2016 and Simonyan & Zisserman 2015 count all layers with weights.",
    checks=checks,
    erratum="The deck's own “VGG, 19 layers” and “ResNet, 152 layers” (slide image, from the paper) count the other way: with "
    "the output layer.",
    amendments=(Amendment("2026-11-26", "how He et al. count is beyond the sentence"),),
)
