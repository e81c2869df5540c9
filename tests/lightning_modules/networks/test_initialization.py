"""Weights are drawn as their papers say, and by the seed alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.networks.cifar import SmallConvNet
from lightning_modules.networks.initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from lightning_modules.networks.lenet import SparseConvolution
from lightning_modules.networks.linear import MultilayerPerceptron


@pytest.mark.parametrize(
    ("initialization", "std", "bound"),
    [
        (Normal(0.05), 0.05, None),
        (Kaiming(), (2 / 400) ** 0.5, None),
        (Kaiming(slope=1.0), (1 / 400) ** 0.5, None),
        (Xavier(), (2 / 1000) ** 0.5, (6 / 1000) ** 0.5),
        (Xavier(gain=4), 4 * (2 / 1000) ** 0.5, 4 * (6 / 1000) ** 0.5),
        (LeCun(), 400**-0.5, (3 / 400) ** 0.5),
    ],
)
def test_weights_are_drawn_as_their_papers_say(initialization: Initialization, std: float, bound: float | None) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(400, 600)
    initialization(layer)
    weight = layer.weight.detach()
    assert not layer.bias.any()
    assert weight.mean().abs() < 0.01 * std
    assert weight.std().item() == pytest.approx(std, rel=0.01)
    if bound is not None:
        assert 0.99 * bound < weight.abs().max() <= bound * (1 + 1e-6)


def test_fan_in_of_a_convolution_is_what_one_output_sees() -> None:
    torch.manual_seed(0)
    layers = SparseConvolution()
    LeCun()(layers)
    for layer, inputs in zip(layers.convolutions, (3, 4, 6), strict=True):
        assert 0.9 < layer.weight.abs().max() / (3 / (25 * inputs)) ** 0.5 <= 1 + 1e-6


def test_the_same_seed_draws_the_same_weights_and_default_leaves_them() -> None:
    def drawn(initialization: Initialization, seed: int) -> Tensor:
        torch.manual_seed(seed)
        network = SmallConvNet(10, hidden=[8], initialization=initialization)
        network(torch.zeros(1, 3, 16, 16))
        return nn.utils.parameters_to_vector(network.parameters())

    assert torch.equal(drawn(Kaiming(), 1), drawn(Kaiming(), 1))
    assert not torch.equal(drawn(Kaiming(), 1), drawn(Kaiming(), 2))
    layer = nn.Linear(3, 2)
    before = layer.weight.clone(), layer.bias.clone()
    Default()(layer)
    assert torch.equal(layer.weight, before[0]) and torch.equal(layer.bias, before[1])


def test_a_lazy_layer_is_initialised_with_its_first_batch_and_not_after_a_checkpoint() -> None:
    images = torch.randn(2, 3, 14, 14)
    network = MultilayerPerceptron(10, hidden=[500], initialization=Normal(0.5))
    network(images)
    first = network[1]
    assert type(first) is nn.Linear and not first.bias.any()
    assert first.weight.std().item() == pytest.approx(0.5, rel=0.02)
    before = first.weight.clone()
    network(images)
    assert torch.equal(first.weight, before)

    loaded = MultilayerPerceptron(10, hidden=[500], initialization=Normal(0.5))
    loaded.load_state_dict(network.state_dict())
    assert torch.equal(loaded(images), network(images))
