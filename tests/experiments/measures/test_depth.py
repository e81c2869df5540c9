"""Layers as the papers count them."""

from __future__ import annotations

import pytest
from torch import nn

from experiments.measures.depth import layers
from lightning_modules.networks import VGG, AlexNet, CifarNet, LinearClassifier


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (LinearClassifier(10), 1),
        (AlexNet(10, widths=(4, 4, 4, 4, 4), hidden=[8, 8]), 8),
        (VGG(10, depths=[2, 2, 4, 4, 4], widths=[2, 2, 2, 2, 2], hidden=[4, 4]), 19),
        (CifarNet(10, depth=56, width=2), 56),
    ],
    ids=["linear", "AlexNet", "VGG-19", "ResNet-56"],
)
def test_a_network_has_as_many_layers_as_its_paper_says(network: nn.Module, expected: int) -> None:
    assert layers(network) == expected
