"""Connections: local ones with tied weights are a convolution, and a permutation of pixels hides nothing from a full one."""

from __future__ import annotations

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import nn

from lightning_modules.networks.local import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection


@pytest.mark.parametrize("size", [(16, 16), (9, 12)])
def test_a_locally_connected_layer_with_tied_weights_is_a_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    shared, local = SharedConnection(3, 4, size), LocalConnection(3, 4, size)
    with torch.no_grad():
        local.weight.copy_(shared.weight.flatten(1))
        local.bias.copy_(shared.bias)
    images = torch.randn(2, 3, *size)
    torch.testing.assert_close(local(images), shared(images))


def test_every_position_has_weights_of_its_own() -> None:
    local = LocalConnection(1, 2, (8, 8))
    local(torch.randn(3, 1, 8, 8))[:, :, 1, 2].sum().backward()
    assert local.weight.grad is not None
    changed = local.weight.grad.flatten(1).any(1)
    assert changed.nonzero().flatten().tolist() == [1 * 4 + 2]


def test_the_hidden_units_are_as_many_however_they_are_connected() -> None:
    images = torch.randn(2, 3, 16, 12)
    shapes, counts = set(), []
    for connection in (SharedConnection, LocalConnection, FullConnection):
        torch.manual_seed(0)
        net = MapsNet(6, image_size=(16, 12), connection=connection, widths=(8, 16))
        first = net[0](images)
        shapes.add((tuple(first.shape), tuple(net[2](first).shape), tuple(net(images).shape)))
        counts.append(sum(p.numel() for p in net.parameters()))
    assert shapes == {((2, 8, 8, 6), (2, 16, 4, 3), (2, 6))}
    assert counts == sorted(counts)


def test_pixels_move_together_with_their_channels_and_always_alike() -> None:
    class Bare(nn.Identity):
        def __init__(self, num_classes: int) -> None:
            super().__init__()

    first, again = (PermutedPixels(6, network=Bare, image_size=(4, 5)) for _ in range(2))
    other = PermutedPixels(6, network=Bare, image_size=(4, 5), seed=1)
    image = torch.arange(20.0).view(1, 1, 4, 5).repeat(1, 3, 1, 1)
    moved = first(image)
    assert torch.equal(moved, again(image)) and not torch.equal(moved, other(image)) and not torch.equal(moved, image)
    assert torch.equal(moved[0, 0], moved[0, 2]) and moved[0, 0].flatten().sort().values.tolist() == list(range(20))
    assert "order" in first.state_dict()


def test_a_permuted_net_is_written_in_yaml() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(PermutedPixels, "net")
    inner = "{class_path: lightning_modules.networks.MapsNet, init_args: {image_size: [16, 16], connection: %s}}"
    for connection in ("SharedConnection", "LocalConnection", "FullConnection"):
        network = inner % f"lightning_modules.networks.{connection}"
        text = f"net: {{class_path: PermutedPixels, init_args: {{num_classes: 6, image_size: [16, 16], network: {network}}}}}"
        net = parser.instantiate(parser.parse_string(text)).net
        assert net(torch.randn(2, 3, 16, 16)).shape == (2, 6) and type(net.network[0]).__name__ == connection
