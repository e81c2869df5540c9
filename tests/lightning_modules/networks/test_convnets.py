"""Classification networks: their papers' counts, and their parts against plain references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lightning_modules.networks.activations import ScaledTanh
from lightning_modules.networks.cifar import Block, CifarNet, Shortcut, SmallConvNet
from lightning_modules.networks.lenet import CONNECTIONS, LeNet5, SparseConvolution, Subsampling
from lightning_modules.networks.linear import LinearClassifier, MultilayerPerceptron
from lightning_modules.networks.pooling import MinPool2d
from lightning_modules.networks.torchvision_nets import TorchvisionNet
from lightning_modules.networks.zfnet import ZFNet
from tests.support.registry import CLASSIFIERS as NETWORKS


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def parameters_at(build: Callable[[], nn.Module], *size: int) -> int:
    """The count once the lazy layers know the image size, without allocating a weight."""
    with torch.device("meta"):
        network = build().eval()
        network(torch.empty(1, 3, *size))
    return parameters(network)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_goes_through_and_every_parameter_learns_from_it(name: str) -> None:
    torch.manual_seed(0)
    build, size = NETWORKS[name]
    network = build(7)
    logits = network(torch.randn(4, 3, size, size))
    assert logits.shape == (4, 7)
    F.cross_entropy(logits, torch.arange(4)).backward()
    fixed = {key for key, parameter in network.named_parameters() if not parameter.requires_grad}
    assert all(name == "resnet9" and key.endswith(".weight") for key in fixed), "Page's batch norm weighs nothing"
    for key, parameter in network.named_parameters():
        if key in fixed:
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.grad.any(), f"no gradient reaches {key}"


@settings(max_examples=15, deadline=None)
@given(st.integers(16, 50), st.integers(16, 50))
def test_nets_for_small_images_take_any_size_from_16(height: int, width: int) -> None:
    images = torch.randn(2, 3, height, width)
    for network in (CifarNet(5, depth=8, width=4), CifarNet(5, depth=8, width=4, residual=False), SmallConvNet(5)):
        assert network(images).shape == (2, 5)


# Parts


def test_scaled_tanh_is_lecuns_and_the_centred_sigmoid() -> None:
    x = torch.linspace(-4, 4, 33, dtype=torch.float64)
    torch.testing.assert_close(ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0.0, 1.0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(ScaledTanh(0.5, 0.5)(x), torch.sigmoid(x) - 0.5)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(4, 9), st.integers(4, 9))
def test_min_pooling_is_the_least_of_each_window(kernel: int, stride: int, height: int, width: int) -> None:
    x = torch.randn(2, 3, height, width)
    expected = x.unfold(2, kernel, stride).unfold(3, kernel, stride).amin((-2, -1))
    pooled = MinPool2d(kernel, stride)(x)
    assert torch.equal(pooled, expected)
    assert torch.equal(pooled, -nn.MaxPool2d(kernel, stride)(-x))


def test_shortcut_is_the_identity_and_otherwise_takes_every_second_pixel_and_adds_zeros() -> None:
    x = torch.randn(2, 4, 7, 8)
    assert torch.equal(Shortcut(4, 1)(x), x)
    y = Shortcut(8, 2)(x)
    assert y.shape == (2, 8, 4, 4)
    assert torch.equal(y[:, :4], x[:, :, ::2, ::2])
    assert not y[:, 4:].any()
    assert parameters(Shortcut(8, 2)) == 0


def test_residual_block_adds_its_input_to_the_plain_block() -> None:
    torch.manual_seed(0)
    plain = Block(4, 4, 1, None, nn.Identity, nn.BatchNorm2d)
    residual = Block(4, 4, 1, Shortcut(4, 1), nn.Identity, nn.BatchNorm2d)
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(residual(x), plain(x) + x)


def test_c3_is_a_convolution_over_the_maps_of_table_1() -> None:
    layer = SparseConvolution().double()
    dense = torch.zeros(16, 6, 5, 5, dtype=torch.float64)
    weights = [kernel for convolution in layer.convolutions for kernel in convolution.weight]
    for row, inputs, kernel in zip(range(16), CONNECTIONS, weights, strict=True):
        dense[row, list(inputs)] = kernel
    bias = torch.cat([convolution.bias for convolution in layer.convolutions])
    x = torch.randn(2, 6, 14, 14, dtype=torch.float64)
    torch.testing.assert_close(layer(x), F.conv2d(x, dense, bias))


def test_table_1_breaks_the_symmetry_and_is_fair_to_every_map() -> None:
    assert len(set(CONNECTIONS)) == 16 and sum(map(len, CONNECTIONS)) == 60
    assert [sum(i in inputs for inputs in CONNECTIONS) for i in range(6)] == [10] * 6


def test_subsampling_is_a_trained_multiple_of_the_sum_plus_a_bias() -> None:
    layer, x = Subsampling(3), torch.randn(2, 3, 6, 8)
    nn.init.normal_(layer.bias)
    window = x[1, 2, 2:4, 6:8].sum()
    torch.testing.assert_close(layer(x)[1, 2, 1, 3], layer.coefficient[2, 0, 0] * window + layer.bias[2, 0, 0])


# Counts


def test_lenet_has_60000_parameters_below_its_output() -> None:
    network = LeNet5(10)
    counts = {name: parameters(layer) for name, layer in network.layers.named_children()}
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 850}
    assert parameters(network) - counts["output"] == 60_000


def test_lenet_pads_small_images_with_their_border_and_refuses_large_ones() -> None:
    network, digits = LeNet5(10), torch.full((2, 3, 28, 28), -0.4)
    digits[:, :, 4:24, 4:24] = torch.randn(2, 3, 20, 20)
    padded = torch.full((2, 3, 32, 32), -0.4)
    padded[:, :, 2:30, 2:30] = digits
    torch.testing.assert_close(network(digits), network(padded))
    assert network(torch.randn(1, 3, 25, 31)).shape == (1, 10)
    with pytest.raises(ValueError, match="at most 32 x 32 pixels, got images of 33 x 30"):
        network(torch.zeros(1, 3, 33, 30))


def test_lenet_sees_the_mean_of_the_channels() -> None:
    network, images = LeNet5(10), torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(network(images), network(images.mean(1, keepdim=True).expand(-1, 3, -1, -1)))


def test_mlp_counts_hidden_layers_only() -> None:
    network = MultilayerPerceptron(10, hidden=[64, 32])
    network(torch.zeros(1, 3, 8, 8))
    layers = [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]
    assert layers == [(192, 64), (64, 32), (32, 10)]
    assert parameters_at(lambda: LinearClassifier(10), 28, 28) == 3 * 28 * 28 * 10 + 10


def test_dropout_without_a_hidden_unit_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"dropout 0\.5 drops hidden units"):
        MultilayerPerceptron(10, hidden=[], dropout=0.5)


def test_dropout_stands_where_it_is_asked_for() -> None:
    def rates(**arguments: Any) -> list[float]:
        return [m.p for m in SmallConvNet(10, hidden=[8, 8], **arguments).modules() if isinstance(m, nn.Dropout)]

    assert rates(conv_dropout=0.1) == [0.1, 0.1, 0.1, 0, 0]
    assert rates(fc_dropout=0.5) == [0, 0, 0, 0.5, 0.5]


def test_zfnet_has_the_parameters_of_figure_3() -> None:
    hand = 7 * 7 * 3 * 96 + 96
    hand += 5 * 5 * 96 * 256 + 256
    hand += 3 * 3 * 256 * 384 + 384
    hand += 3 * 3 * 384 * 384 + 384
    hand += 3 * 3 * 384 * 256 + 256
    hand += 6 * 6 * 256 * 4096 + 4096
    hand += 4096 * 4096 + 4096
    hand += 4096 * 1000 + 1000
    assert hand == 62_357_608
    assert parameters_at(lambda: ZFNet(1000), 224, 224) == hand


@pytest.mark.parametrize("stem", [{}, {"conv1": (11, 4, 2), "conv2": (5, 1, 2)}], ids=["zfnet", "alexnet"])
def test_both_stems_come_to_the_same_grids(stem: dict[str, Any]) -> None:
    with torch.device("meta"):
        network, x = ZFNet(10, **stem), torch.empty(1, 3, 224, 224)
        grids = [x.shape[-1]]
        for layer in network[0]:
            x = layer(x)
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
                grids.append(x.shape[-1])
    zfnet, alexnet = [224, 110, 55, 26, 13, 13, 13, 13, 6], [224, 55, 27, 27, 13, 13, 13, 13, 6]
    assert grids == (alexnet if stem else zfnet)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_cifar_nets_have_the_parameters_of_table_6_with_and_without_shortcuts(depth: int, millions: float) -> None:
    with torch.device("meta"):
        residual, plain = CifarNet(10, depth=depth), CifarNet(10, depth=depth, residual=False)
    assert parameters(residual) == parameters(plain)
    assert parameters(residual) / 1e6 == pytest.approx(millions, abs=0.03 if depth == 110 else 0.005)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in residual.modules()) == depth


@pytest.mark.parametrize("depth", [2, 18, 21])
def test_a_depth_that_is_not_6n_plus_2_is_an_error(depth: int) -> None:
    with pytest.raises(ValueError, match=rf"6n \+ 2 .* got {depth}"):
        CifarNet(10, depth=depth)


def test_small_conv_net_has_four_layers_and_any_stage_can_be_taken_away() -> None:
    convolutions = (75 * 32 + 32) + (25 * 32 * 32 + 32) + (25 * 32 * 64 + 64)
    assert parameters_at(lambda: SmallConvNet(10), 32, 32) == convolutions + 3 * 3 * 64 * 10 + 10
    average = lambda: nn.AdaptiveAvgPool2d(1)  # noqa: E731
    assert parameters_at(lambda: SmallConvNet(10, global_pooling=average), 32, 32) == convolutions + 64 * 10 + 10
    bare = SmallConvNet(10, activation=nn.Identity, pooling=nn.Identity, global_pooling=average).double().eval()
    x, y = torch.randn(2, 1, 3, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(bare(x + y) - bare(x), bare(y) - bare(torch.zeros_like(y)))  # affine


def test_strides_do_the_pooling_of_a_small_conv_net_with_the_same_weights() -> None:
    strided = SmallConvNet(10, stride=2, pooling=nn.Identity).eval()
    with torch.no_grad():
        strided(torch.zeros(1, 3, 16, 16))
        pooled = SmallConvNet(10, pooling=lambda kernel, stride: nn.MaxPool2d(1, stride)).eval()  # takes every second place
        pooled(torch.zeros(1, 3, 16, 16))
        pooled.load_state_dict(strided.state_dict())
        images = torch.randn(2, 3, 16, 16)
        torch.testing.assert_close(strided(images), pooled(images))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("alexnet", 61_100_840),
        ("vgg16", 138_357_544),
        ("googlenet", 6_624_904),
        ("resnet18", 11_689_512),
        ("resnet50", 25_557_032),
    ],
)
def test_torchvision_networks_have_their_published_parameters(name: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(TorchvisionNet(1000, name=name)) == count
