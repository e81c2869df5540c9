"""Classification networks: their papers' counts, their parts against plain references, construction from YAML."""

from __future__ import annotations

import os
from argparse import ArgumentError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonargparse import ArgumentParser
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models._api import WeightsEnum

from lightning_modules.networks.activations import ScaledTanh
from lightning_modules.networks.cifar import Block, CifarNet, Shortcut, SmallConvNet
from lightning_modules.networks.initialization import Default, Initialization, Kaiming, LeCun, Normal, Xavier
from lightning_modules.networks.lenet import CONNECTIONS, LeNet5, SparseConvolution, Subsampling
from lightning_modules.networks.linear import LinearClassifier, MultilayerPerceptron
from lightning_modules.networks.pooling import MinPool2d
from lightning_modules.networks.torchvision_nets import TorchvisionNet
from lightning_modules.networks.zfnet import ZFNet


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def parameters_at(build: Callable[[], nn.Module], *size: int) -> int:
    """The count once the lazy layers know the image size, without allocating a weight."""
    with torch.device("meta"):
        network = build().eval()
        network(torch.empty(1, 3, *size))
    return parameters(network)


NETWORKS = {
    "linear": (lambda: LinearClassifier(7), 14),
    "mlp": (lambda: MultilayerPerceptron(7, hidden=[32, 16], dropout=0.2), 14),
    "lenet": (lambda: LeNet5(7), 28),
    "lenet-32": (lambda: LeNet5(7), 32),
    "lenet-modern": (lambda: LeNet5(7, activation=nn.ReLU, pooling=nn.MaxPool2d, initialization=Kaiming()), 28),
    "zfnet": (lambda: ZFNet(7, widths=(16, 24, 24, 24, 16), hidden=[32, 32], initialization=Kaiming()), 224),
    "zfnet-96": (lambda: ZFNet(7, widths=(16, 24, 24, 24, 16), hidden=[32, 32], initialization=Kaiming()), 96),
    "plain": (lambda: CifarNet(7, residual=False), 32),
    "residual": (lambda: CifarNet(7), 32),
    "residual-leaky": (lambda: CifarNet(7, depth=8, activation=nn.LeakyReLU, normalization=nn.Identity), 16),
    "small": (lambda: SmallConvNet(7), 32),
    "small-regularised": (
        lambda: SmallConvNet(7, hidden=[32], normalization=nn.BatchNorm2d, conv_dropout=0.2, fc_dropout=0.5),
        24,
    ),
    "torchvision": (lambda: TorchvisionNet(7), 64),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_goes_through_and_every_parameter_learns_from_it(name: str) -> None:
    torch.manual_seed(0)
    build, size = NETWORKS[name]
    network = build()
    logits = network(torch.randn(4, 3, size, size))
    assert logits.shape == (4, 7)
    F.cross_entropy(logits, torch.arange(4)).backward()
    for key, parameter in network.named_parameters():
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


# Initialization


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


# Construction from YAML


class Problem:
    """A task as the command line sees one."""

    def __init__(self, network: Callable[[int], nn.Module]) -> None:
        self.network = network(10)


def from_yaml(text: str) -> nn.Module:
    """The network of a configuration; the configuration must survive being written out and read again."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Problem, "model")
    config = parser.parse_string(f"model: {{class_path: Problem, init_args: {{network: {text}}}}}")
    dumped = parser.dump(config, skip_unset=False)
    assert parser.dump(parser.parse_string(dumped), skip_unset=False) == dumped
    task = parser.instantiate(config).model
    assert repr(parser.instantiate(parser.parse_string(dumped)).model.network) == repr(task.network)
    return task.network


@pytest.mark.parametrize(
    "network",
    [LinearClassifier, MultilayerPerceptron, LeNet5, ZFNet, CifarNet, SmallConvNet, TorchvisionNet],
    ids=lambda n: n.__name__,
)
def test_every_network_is_built_from_its_name_alone(network: type[nn.Module]) -> None:
    arguments = "{widths: [2, 2, 2, 2, 2], hidden: [2]}" if network is ZFNet else "{}"
    assert type(from_yaml(f"{{class_path: {network.__name__}, init_args: {arguments}}}")) is network


def test_activation_by_name_or_with_arguments() -> None:
    tanh = from_yaml("{class_path: LeNet5, init_args: {activation: torch.nn.Tanh}}")
    assert sum(isinstance(m, nn.Tanh) for m in tanh.modules()) == 6
    leaky = from_yaml(
        "{class_path: CifarNet, init_args: {depth: 8, residual: false, width: 4, "
        "activation: {class_path: torch.nn.LeakyReLU, init_args: {negative_slope: 0.1}}}}"
    )
    assert {m.negative_slope for m in leaky.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}
    scaled = from_yaml(
        "{class_path: MultilayerPerceptron, init_args: {activation: {class_path: ScaledTanh, init_args: {slope: 0.5}}}}"
    )
    assert {m.slope for m in scaled.modules() if isinstance(m, ScaledTanh)} == {0.5}


def test_pooling_normalization_and_initialization_by_name_or_with_arguments() -> None:
    network = from_yaml(
        "{class_path: SmallConvNet, init_args: {widths: [4, 4], hidden: [6], pooling: MinPool2d, fc_dropout: 0.5, "
        "global_pooling: {class_path: torch.nn.AdaptiveAvgPool2d, init_args: {output_size: 1}}, "
        "normalization: torch.nn.BatchNorm2d, initialization: {class_path: Normal, init_args: {std: 0.25}}}}"
    )
    pools = [m for m in network.modules() if isinstance(m, nn.MaxPool2d)]
    assert [(type(m), m.kernel_size, m.stride) for m in pools] == [(MinPool2d, 3, 2)] * 2
    assert [m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d)] == [4, 4]
    network(torch.zeros(1, 3, 16, 16))
    weights = [m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert torch.cat(weights).std().item() == pytest.approx(0.25, rel=0.15)
    modern = "{class_path: LeNet5, init_args: {pooling: torch.nn.AvgPool2d, initialization: Kaiming}}"
    assert sum(isinstance(m, nn.AvgPool2d) for m in from_yaml(modern).modules()) == 2
    assert from_yaml(
        "{class_path: MultilayerPerceptron, init_args: {initialization: {class_path: Xavier, init_args: {gain: 4}}}}"
    )


@pytest.mark.filterwarnings("ignore")  # jsonargparse also warns of os.system
@pytest.mark.parametrize(
    "arguments", ["activation: os.system", "pooling: torch.relu", "initialization: torch.nn.ReLU", "dept: 20"]
)
def test_what_is_no_network_part_is_refused(arguments: str) -> None:
    with pytest.raises(ArgumentError):
        from_yaml(f"{{class_path: SmallConvNet, init_args: {{{arguments}}}}}")


def test_alexnets_stem_from_yaml() -> None:
    network = from_yaml(
        "{class_path: ZFNet, init_args: {conv1: [11, 4, 2], conv2: [5, 1, 2], widths: [2, 2, 2, 2, 2], hidden: [2]}}"
    )
    assert network[0][0].kernel_size == (11, 11) and network[0][0].stride == (4, 4)


# Stored weights


@pytest.fixture
def tiny() -> str:
    return "squeezenet1_1"


def save(network: nn.Module, path: Path, drop: str = "-", **changes: Tensor) -> str:
    state = {key: value for key, value in network.state_dict().items() if not key.startswith(drop)}
    torch.save(state | changes, path)
    return str(path)


def equal_parts(a: nn.Module, b: nn.Module) -> set[str]:
    """The keys whose tensors are the same in both."""
    mine, theirs = a.state_dict(), b.state_dict()
    return {key for key in mine.keys() & theirs.keys() if torch.equal(mine[key], theirs[key])}


@pytest.mark.parametrize("drop", ["-", "fc."], ids=["other-head", "no-head"])
def test_all_but_the_head_comes_from_the_file(tmp_path: Path, drop: str) -> None:
    stored = get_model("resnet18", num_classes=9)
    network = TorchvisionNet(4, name="resnet18", weights=save(stored, tmp_path / "w.pth", drop)).network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"fc.weight", "fc.bias"}
    assert network.fc.out_features == 4


def test_a_head_for_as_many_classes_comes_from_the_file(tmp_path: Path, tiny: str) -> None:
    stored = get_model(tiny, num_classes=4)
    network = TorchvisionNet(4, name=tiny, weights=save(stored, tmp_path / "w.pth")).network
    assert equal_parts(network, stored) == set(stored.state_dict())


def test_auxiliary_classifiers_of_a_file_are_left_out_with_what_they_imply(tmp_path: Path) -> None:
    stored = get_model("googlenet", num_classes=9, aux_logits=True, init_weights=False)
    network = TorchvisionNet(4, name="googlenet", weights=save(stored, tmp_path / "w.pth"))
    assert network.network.transform_input
    assert network.network.state_dict().keys() - equal_parts(network.network, stored) == {"fc.weight", "fc.bias"}
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 4)
    assert not TorchvisionNet(4, name="googlenet").network.transform_input


def test_keys_of_torchvisions_old_densenet_files_are_understood(tmp_path: Path) -> None:
    stored = get_model("densenet121", num_classes=9)
    old = {key.replace("norm1", "norm.1").replace("conv2", "conv.2"): v for key, v in stored.state_dict().items()}
    torch.save(old, tmp_path / "w.pth")
    network = TorchvisionNet(4, name="densenet121", weights=str(tmp_path / "w.pth")).network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"classifier.weight", "classifier.bias"}


def test_a_named_weight_is_fetched_and_its_head_replaced(monkeypatch: pytest.MonkeyPatch, tiny: str) -> None:
    stored = get_model(tiny, num_classes=1000)
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda self, *_, **__: stored.state_dict())
    network = TorchvisionNet(4, name=tiny, weights="IMAGENET1K_V1").network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"classifier.1.weight", "classifier.1.bias"}
    assert equal_parts(TorchvisionNet(1000, name=tiny, weights="DEFAULT").network, stored) == set(stored.state_dict())


def test_wrong_files_and_names_are_one_line_errors(tmp_path: Path, tiny: str) -> None:
    def error(**arguments: Any) -> str:
        with pytest.raises(ValueError) as caught:
            TorchvisionNet(4, **arguments)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    stored, path = get_model(tiny, num_classes=4), tmp_path / "w.pth"
    assert "features.0.weight is missing" in error(name=tiny, weights=save(stored, path, drop="features.0.weight"))
    assert "extra is unknown" in error(name=tiny, weights=save(stored, path, extra=torch.zeros(1)))
    bent = {"features.0.bias": torch.zeros(3)}
    assert "features.0.bias is (3,), expected (64,)" in error(name=tiny, weights=save(stored, path, **bent))
    assert f"{path} does not hold the weights of alexnet" in error(name="alexnet", weights=save(stored, path))
    torch.save({"state_dict": {}}, path)
    assert "is no state dict" in error(name=tiny, weights=str(path))
    path.write_text("not a checkpoint")
    assert "is no state dict" in error(name=tiny, weights=str(path))
    assert "neither a .pth file nor one of IMAGENET1K_V1" in error(name=tiny, weights="IMAGENET")
    assert "resnet18" in error(name="resnet19")
    with pytest.raises(FileNotFoundError):
        TorchvisionNet(4, name=tiny, weights=str(tmp_path / "none.pth"))


@pytest.mark.skipif("LECTERN_DATA" not in os.environ, reason="LECTERN_DATA names no data folder")
def test_real_imagenet_features_load(tiny: str) -> None:
    path = Path(os.environ["LECTERN_DATA"], "weights", "squeezenet1_1_features_imagenet.pth")
    network = TorchvisionNet(3, name=tiny, weights=str(path))
    stored = torch.load(path, weights_only=True)
    assert all(torch.equal(network.network.state_dict()[key], value) for key, value in stored.items())
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 3)
