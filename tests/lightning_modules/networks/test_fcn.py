"""Fully convolutional networks: sizes, gradients, construction from YAML, and what each promises of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonargparse import ArgumentParser
from torch import nn

from lightning_modules.networks.fcn import (
    FCN,
    VGG16,
    VGGFCN,
    ConvEncoder,
    FullResolutionFCN,
    SegmentationNetwork,
    convolutional,
)
from lightning_modules.networks.upsampling import (
    BedOfNails,
    Bilinear,
    MaxUnpooling,
    NearestNeighbor,
    TransposeConv,
    Upsampling,
)

WAYS: list[Callable[[int, int], Upsampling]] = [
    NearestNeighbor,
    Bilinear,
    BedOfNails,
    MaxUnpooling,
    TransposeConv,
    partial(TransposeConv, kernel_size=3, initialization="random"),
]
SMALL = partial(ConvEncoder, (4, 5, 6))


@pytest.mark.parametrize("skips", [(), (2,), (4, 2)])
@pytest.mark.parametrize("upsampling", WAYS)
@settings(max_examples=10, deadline=None)
@given(height=st.integers(1, 33), width=st.integers(1, 33))
def test_fcn_scores_every_pixel_of_images_of_any_size(
    upsampling: Callable[[int, int], Upsampling], skips: Sequence[int], height: int, width: int
) -> None:
    net = FCN(7, upsampling, skips, SMALL).eval()
    assert net(torch.randn(2, 3, height, width)).shape == (2, 7, height, width)


@pytest.mark.parametrize("upsampling", WAYS)
def test_gradients_reach_every_parameter_of_fcn(upsampling: Callable[[int, int], Upsampling]) -> None:
    net = FCN(7, upsampling, (4, 2), partial(ConvEncoder, (4, 5, 6), depth=2))
    F.cross_entropy(net(torch.randn(2, 3, 19, 22)), torch.randint(7, (2, 19, 22))).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not bool((p.grad != 0).any())] == []


def test_ways_up_of_the_same_kernel_differ_in_nothing_else() -> None:
    """What a comparison of up-samplers varies is the up-sampler: the parameters are as many."""
    ways: list[Callable[[int, int], Upsampling]] = [
        NearestNeighbor,
        Bilinear,
        BedOfNails,
        MaxUnpooling,
        partial(TransposeConv, kernel_size=3),
    ]
    assert len({sum(p.numel() for p in FCN(7, way).parameters()) for way in ways}) == 1


def test_an_encoder_remembers_where_its_maxima_stood() -> None:
    encoder = ConvEncoder((4, 8), depth=2).eval()
    image = torch.randn(2, 3, 11, 14)
    (features, indices), (coarser, _) = encoder(image)
    assert features.shape == indices.shape == (2, 4, 6, 7)
    assert coarser.shape == (2, 8, 3, 4)
    unpooled = encoder.activations[0](encoder.convs[0](image)).flatten(2)
    torch.testing.assert_close(unpooled.gather(2, indices.flatten(2)).view_as(features), features)


@pytest.mark.parametrize(("network", "passed"), [(FCN, r"\[2, 4, 8\]"), (VGGFCN, r"\[2, 4, 8, 16\]")])
def test_a_skip_from_where_the_way_up_does_not_pass_is_refused(network: type[Any], passed: str) -> None:
    with pytest.raises(ValueError, match=rf"{network.__name__}: skips \[32\] .* passes strides {passed}"):
        network(3, skips=(32, 4))


@pytest.mark.parametrize("network", [FCN, partial(FullResolutionFCN, depth=4)])
def test_a_network_fits_what_it_is_shown(network: Callable[[int], SegmentationNetwork]) -> None:
    torch.manual_seed(0)
    mask = torch.randint(3, (4, 3, 3)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    image = F.one_hot(mask).permute(0, 3, 1, 2) + 0.5 * torch.randn(4, 3, 24, 24)
    net = network(3)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(image), mask).backward()
        optimizer.step()
    assert (net(image).argmax(1) == mask).float().mean() > 0.9


@pytest.mark.parametrize("network", [partial(FCN, encoder=VGG16, skips=(16, 8)), partial(VGGFCN, skips=(16, 8)), VGGFCN])
def test_vgg_networks_score_every_pixel(network: Callable[[int], SegmentationNetwork]) -> None:
    with torch.device("meta"):  # shapes without numbers: VGG-16 has 138 million
        assert network(21)(torch.empty(1, 3, 75, 100)).shape == (1, 21, 75, 100)


def test_fcn_32s_has_the_papers_134_million_parameters() -> None:
    with torch.device("meta"):
        net = VGGFCN(21, skips=())
    assert round(sum(p.numel() for p in net.parameters()) / 1e6) == 134


def test_a_linear_layer_made_convolutional_gives_its_outputs_at_every_place() -> None:
    linear = nn.Linear(4 * 3 * 3, 5)
    features = torch.randn(1, 4, 6, 7)
    window = features[:, :, 2:5, 1:4]
    torch.testing.assert_close(convolutional(linear, 3)(features)[:, :, 3, 2], linear(window.flatten(1)))


@pytest.mark.parametrize("dilations", [None, (1, 2, 3)])
def test_a_full_resolution_network_sees_what_its_dilations_add_up_to(dilations: Sequence[int] | None) -> None:
    net = FullResolutionFCN(2, width=4, depth=3, dilations=dilations).eval()
    image = torch.randn(1, 3, 21, 21, requires_grad=True)
    net(image)[0, 0, 10, 10].backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    reach = sum(dilations or (1, 1, 1))
    assert (int(rows.min()), int(rows.max())) == (10 - reach, 10 + reach)


def test_dilations_that_are_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="2 dilations, depth is 9"):
        FullResolutionFCN(2, dilations=(1, 2))


class Segmenter:
    """Stands in for a task: it takes its network as every task does."""

    def __init__(self, network: Callable[[int], SegmentationNetwork]) -> None:
        self.network = network(7)


YAML = """
network:
  class_path: FCN
  init_args:
    upsampling: {class_path: TransposeConv, init_args: {kernel_size: 3, initialization: random}}
    skips: [4]
    encoder: {class_path: ConvEncoder, init_args: {widths: [4, 8, 8], depth: 2}}
"""


def test_a_network_is_built_from_yaml_and_written_back_as_it_was() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Segmenter, "task")
    config = parser.parse_object({"task": yaml.safe_load(YAML)})
    again = parser.parse_string(parser.dump(config))
    assert again == config
    net = parser.instantiate(again).task.network
    assert isinstance(net, FCN)
    assert (net.encoder.widths, list(net.skips)) == ([4, 8, 8], ["4"])
    assert [up.conv.kernel_size for up in net.ups] == [(3, 3)] * 3
    assert net.ups[0].conv.out_channels == 7


@pytest.mark.parametrize("name", ["NearestNeighbor", "Bilinear", "BedOfNails", "MaxUnpooling", "TransposeConv"])
def test_a_way_up_is_chosen_by_its_name(name: str) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Segmenter, "task")
    config = parser.parse_args(["--task.network=FCN", f"--task.network.upsampling={name}"])
    assert type(parser.instantiate(config).task.network.ups[0]).__name__ == name


def test_a_skip_that_begins_at_zero_changes_nothing_but_itself() -> None:
    image = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    nets = []
    for skips, zero in (((), False), ((4, 2), True), ((4, 2), False)):
        torch.manual_seed(0)
        nets.append(FCN(4, skips=skips, encoder=SMALL, zero_skips=zero).eval())
    without, zeros, random = nets
    assert torch.equal(zeros(image), without(image)) and not torch.equal(random(image), without(image))
    zeros(image).square().sum().backward()
    assert all(conv.weight.grad.abs().sum() > 0 for conv in zeros.skips.values())  # type: ignore[union-attr]
