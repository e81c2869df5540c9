"""ImageNet's winners and LeNet-5's output: the papers' counts, torchvision's where it has the same net, plain references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from lightning_modules.networks import (
    VGG,
    AlexNet,
    ConvReLU,
    GoogLeNet,
    Inception,
    InceptionNet,
    LeNet5RBF,
    RBFOutput,
    ScaledInception,
)
from lightning_modules.networks.auxiliary import WithAuxiliary
from lightning_modules.networks.rbf import DIGITS, digit_codes


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def built(build: Callable[..., nn.Module], side: int = 224, **arguments: Any) -> nn.Module:
    """The network with a thousand classes, its lazy layers sized, without a weight being allocated."""
    with torch.device("meta"):
        network = build(1000, **arguments).eval()
        network(torch.empty(1, 3, side, side))
    return network


def grids(layers: nn.Sequential, side: int, *kinds: type[nn.Module]) -> list[int]:
    """The side of the map behind each layer of these kinds."""
    found = []
    with torch.device("meta"):
        x = torch.empty(1, 3, side, side)
        for layer in layers.to("meta"):
            x = layer(x)
            if isinstance(layer, kinds):
                found.append(x.shape[-1])
    return found


# AlexNet


def test_alexnet_has_the_papers_parameters_in_two_towers_and_in_one() -> None:
    assert parameters(built(AlexNet)) == 60_965_224
    assert parameters(built(AlexNet, groups=1)) == 62_378_344


def test_alexnet_has_the_grids_of_figure_2() -> None:
    assert grids(AlexNet(10, hidden=[1])[0], 224, nn.Conv2d, nn.MaxPool2d) == [55, 27, 27, 13, 13, 13, 13, 6]


def test_alexnet_is_torchvisions_at_its_widths() -> None:
    """torchvision's is that of Krizhevsky 2014: narrower, in one tower, without normalisation."""
    ours = built(AlexNet, groups=1, widths=(64, 192, 384, 256, 256), local_response=False)
    with torch.device("meta"):
        theirs = torchvision.models.alexnet()
    assert sorted(p.shape for p in ours.parameters()) == sorted(p.shape for p in theirs.parameters())


def test_alexnets_normalisation_is_equation_3_3() -> None:
    layer = next(m for m in AlexNet(10, hidden=[1])[0] if isinstance(m, nn.LocalResponseNorm))
    a = torch.rand(1, 7, 1, 1) * 50
    for i in range(7):
        near = a[0, max(0, i - 2) : i + 3, 0, 0]
        expected = a[0, i, 0, 0] / (2 + 1e-4 * near.square().sum()) ** 0.75
        torch.testing.assert_close(layer(a)[0, i, 0, 0], expected)


# VGG


@pytest.mark.parametrize(
    ("name", "depths", "count"),
    [
        ("vgg11", (1, 1, 2, 2, 2), 132_863_336),
        ("vgg13", (2, 2, 2, 2, 2), 133_047_848),
        ("vgg16", (2, 2, 3, 3, 3), 138_357_544),
        ("vgg19", (2, 2, 4, 4, 4), 143_667_240),
    ],
)
def test_vggs_configurations_are_torchvisions(name: str, depths: tuple[int, ...], count: int) -> None:
    ours = built(VGG, depths=depths)
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name)
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    assert parameters(ours) == count
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in ours.modules()) == int(name[3:])


@pytest.mark.parametrize("arguments", [{"depths": [1, 1]}, {"kernel": 4}])
def test_vgg_refuses_stages_that_do_not_fit_and_even_kernels(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one depth and one width a stage, and an odd kernel expected"):
        VGG(10, **arguments)


# GoogLeNet


def test_googlenet_has_table_1s_maps_and_grids() -> None:
    with torch.device("meta"):
        network, x = GoogLeNet(1000).eval(), torch.empty(1, 3, 224, 224)
        x = network.stem(x)
        assert x.shape[1:] == (192, 28, 28)
        shapes = {}
        for name, module in network.inception.items():
            x = module(x)
            shapes[name] = tuple(x.shape[1:3])
    assert shapes == {
        "3a": (256, 28),
        "3b": (480, 14),
        "4a": (512, 14),
        "4b": (512, 14),
        "4c": (512, 14),
        "4d": (528, 14),
        "4e": (832, 7),
        "5a": (832, 7),
        "5b": (1024, 7),
    }
    assert parameters(network) == 6_998_552


def test_googlenet_is_torchvisions_but_for_the_5_x_5_convolutions() -> None:
    """torchvision's has 3 x 3 kernels in their place, and batch normalisation where ours has biases."""
    with torch.device("meta"):
        ours, theirs = GoogLeNet(1000), torchvision.models.googlenet(aux_logits=False, init_weights=False)
    shapes = [
        sorted(
            (m.out_channels, m.in_channels, 3 if m.kernel_size[0] == 5 else m.kernel_size[0])
            for m in net.modules()
            if isinstance(m, nn.Conv2d)
        )
        for net in (ours, theirs)
    ]
    assert shapes[0] == shapes[1]
    assert sum(m.kernel_size == (5, 5) for m in ours.modules() if isinstance(m, nn.Conv2d)) == 9


def test_googlenets_auxiliary_classifiers_have_the_papers_sizes_and_speak_in_training_alone() -> None:
    with torch.device("meta"):
        network = GoogLeNet(1000, auxiliary=True)
        found = network(torch.empty(2, 3, 224, 224))
        assert isinstance(found, WithAuxiliary) and [a.shape for a in found.auxiliary] == [(2, 1000)] * 2
        assert isinstance(network.eval()(torch.empty(2, 3, 224, 224)), Tensor)
    sizes = [(m.in_features, m.out_features) for m in network.heads.modules() if isinstance(m, nn.Linear)]
    assert sizes == [(2048, 1024), (1024, 1000)] * 2
    assert [m.in_channels for m in network.heads.modules() if isinstance(m, nn.Conv2d)] == [512, 528]


def test_an_inception_module_is_its_four_branches_side_by_side() -> None:
    torch.manual_seed(0)
    module, x = Inception(6, 3, (2, 4), (2, 5), 1).double(), torch.randn(2, 6, 7, 8, dtype=torch.float64)
    weights = list(module.parameters())

    def conv(x: Tensor, i: int) -> Tensor:
        kernel = weights[2 * i]
        return F.relu(F.conv2d(x, kernel, weights[2 * i + 1], padding=kernel.shape[-1] // 2))

    pooled = F.pad(x, (1, 1, 1, 1), value=float("-inf")).unfold(2, 3, 1).unfold(3, 3, 1).amax((-2, -1))
    expected = torch.cat([conv(x, 0), conv(conv(x, 1), 2), conv(conv(x, 3), 4), conv(pooled, 5)], 1)
    torch.testing.assert_close(module(x), expected)


def test_a_scaled_module_of_256_maps_is_googlenets_first() -> None:
    assert [p.shape for p in ScaledInception(192, 256).parameters()] == [
        p.shape for p in Inception(192, 64, (96, 128), (16, 32), 32).parameters()
    ]
    with pytest.raises(ValueError, match="40 outputs; a multiple of 16"):
        ScaledInception(16, 40)


def test_an_inception_nets_auxiliary_head_sits_behind_its_middle_block() -> None:
    torch.manual_seed(0)
    network = InceptionNet(5, widths=[16, 32, 48], auxiliary=True)
    images = torch.randn(2, 3, 16, 16)
    found = network(images)
    assert isinstance(found, WithAuxiliary) and found.auxiliary[0].shape == (2, 5)
    touched = torch.autograd.grad(found.auxiliary[0].sum(), list(network.blocks.parameters()), allow_unused=True)
    reached = [gradient is not None for gradient in touched]
    assert reached == [True] * 24 + [False] * 12, "12 tensors a module: the third one is behind the head"
    plain = InceptionNet(5, widths=[16, 32, 48], block=ConvReLU, auxiliary=True).eval()
    assert plain(images).shape == (2, 5)


# LeNet-5's output


def test_an_rbf_is_minus_the_squared_distance_to_the_class_code() -> None:
    layer, x = RBFOutput(84, 10).double(), torch.randn(3, 84, dtype=torch.float64)
    expected = [[-sum((x[b, j] - layer.codes[c, j]) ** 2 for j in range(84)) for c in range(10)] for b in range(3)]
    torch.testing.assert_close(layer(x), torch.tensor(expected, dtype=torch.float64))
    assert layer(layer.codes.double()).argmax(1).tolist() == list(range(10))


def test_the_codes_are_the_digits_and_for_other_classes_random_and_always_the_same() -> None:
    assert all(len(drawn.split()) == 12 and {len(row) for row in drawn.split()} == {7} for drawn in DIGITS)
    assert torch.equal(RBFOutput(84, 10).codes, digit_codes())
    assert len({tuple(code.tolist()) for code in digit_codes()}) == 10
    other = RBFOutput(84, 12).codes
    assert other.shape == (12, 84) and torch.equal(other, RBFOutput(84, 12).codes) and set(other.unique().tolist()) == {-1, 1}


def test_lenet_with_its_own_output_has_exactly_60000_trainable_parameters() -> None:
    network = LeNet5RBF(10)
    assert parameters(network) == 60_000
    assert network.layers.output.codes.numel() == 84 * 10
