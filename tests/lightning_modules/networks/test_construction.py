"""Networks as a recipe writes them: by their names, with their parts as arguments."""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Callable

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import nn

from lightning_modules.networks.activations import ScaledTanh
from lightning_modules.networks.cifar import CifarNet, SmallConvNet
from lightning_modules.networks.lenet import LeNet5
from lightning_modules.networks.linear import LinearClassifier, MultilayerPerceptron
from lightning_modules.networks.pooling import MinPool2d
from lightning_modules.networks.torchvision_nets import TorchvisionNet
from lightning_modules.networks.zfnet import ZFNet


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
