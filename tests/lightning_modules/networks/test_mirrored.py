"""SegNet and DeconvNet: the papers' counts and shapes, positions that are put back, images of any size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lightning_modules.networks import DeconvNet, SegNet

SMALL: list[Callable[[int], nn.Module]] = [
    lambda classes: SegNet(classes, widths=(4, 6), depths=(1, 2)),
    lambda classes: DeconvNet(classes, widths=(4, 6), depths=(1, 2), hidden=8, bottom=2),
]


def weights(network: nn.Module, *, normalization: bool) -> int:
    """Parameters, with or without those of batch normalisation."""
    of_norms = sum(p.numel() for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    return sum(p.numel() for p in network.parameters()) - (0 if normalization else of_norms)


def layer_shapes(network: nn.Module, kind: type[nn.Module], size: tuple[int, int]) -> list[tuple[int, ...]]:
    """(channels, rows, columns) of what each layer of a kind gives, in order, for an image of this size."""
    found: list[tuple[int, ...]] = []
    for module in network.modules():
        if isinstance(module, kind):
            module.register_forward_hook(lambda _, __, output: found.append(tuple(output.shape[1:])))
    network(torch.zeros(1, 3, *size, device="meta"))
    return found


@pytest.fixture
def vgg_sizes() -> list[tuple[int, ...]]:
    with torch.device("meta"):
        return layer_shapes(torchvision.models.vgg16().features, nn.Conv2d, (224, 224))


def test_segnet_is_the_papers(vgg_sizes: list[tuple[int, ...]]) -> None:
    """Section 3: VGG-16's 13 convolutions, and 13 of a decoder in reverse; 29.4 million weights, of 11 classes of CamVid."""
    with torch.device("meta"):
        network = SegNet(11).eval()
        shapes = layer_shapes(network, nn.Conv2d, (224, 224))
    mirrored = [(*shape[1:],) for shape in reversed(vgg_sizes)]
    assert shapes[:13] == vgg_sizes
    assert [shape[1:] for shape in shapes[13:]] == mirrored
    assert [shape[0] for shape in shapes[13:]] == [512, 512, 512, 512, 512, 256, 256, 256, 128, 128, 64, 64, 11]
    assert weights(network, normalization=False) == 29_433_483


def test_deconvnet_is_the_papers(vgg_sizes: list[tuple[int, ...]]) -> None:
    """Table 2, with its 252 million weights, of 21 classes of PASCAL VOC."""
    with torch.device("meta"):
        network = DeconvNet(21).eval()
        convolutions = layer_shapes(network, nn.Conv2d, (224, 224))
        deconvolutions = layer_shapes(DeconvNet(21).eval(), nn.ConvTranspose2d, (224, 224))
    assert convolutions == [*vgg_sizes, (4096, 1, 1), (4096, 1, 1), (21, 224, 224)]
    assert deconvolutions == [
        (512, 7, 7),
        *((512, 14, 14),) * 3,
        *((512, 28, 28),) * 2,
        (256, 28, 28),
        *((256, 56, 56),) * 2,
        (128, 56, 56),
        (128, 112, 112),
        (64, 112, 112),
        *((64, 224, 224),) * 2,
    ]
    assert weights(network, normalization=False) == 251_772_245


@pytest.mark.parametrize("build", SMALL)
@settings(max_examples=10, deadline=None)
@given(height=st.integers(5, 33), width=st.integers(5, 33))
def test_every_pixel_of_images_of_any_size_is_scored(build: Callable[[int], nn.Module], height: int, width: int) -> None:
    assert build(7).eval()(torch.randn(2, 3, height, width)).shape == (2, 7, height, width)


@pytest.mark.parametrize("build", SMALL)
def test_gradients_reach_every_parameter(build: Callable[[int], nn.Module]) -> None:
    network = build(7)
    F.cross_entropy(network(torch.randn(2, 3, 19, 22)), torch.randint(7, (2, 19, 22))).backward()
    untouched = [name for name, p in network.named_parameters() if p.grad is None or not bool((p.grad != 0).any())]
    # Before a normalisation a bias does nothing.
    assert [name for name in untouched if not name.endswith("bias")] == []


def test_segnet_puts_each_maximum_back_where_it_stood() -> None:
    """With a way up that changes nothing, what comes out is the maxima in their places and zeros."""
    network = SegNet(3, widths=(3,), depths=(1,)).eval()
    network.encoder[0] = nn.Identity()
    network.decoder[0] = nn.Identity()
    image = torch.rand(1, 3, 5, 6)
    kept: Tensor = network(image)
    found, places = F.max_pool2d(image, 2, ceil_mode=True, return_indices=True)
    assert torch.equal(kept[kept != 0].sort().values, found.flatten().sort().values)
    assert torch.equal(kept[kept != 0], image[kept != 0])
    assert torch.equal(kept.flatten(2).gather(2, places.flatten(2)), found.flatten(2))


def test_images_too_small_for_deconvnet_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"DeconvNet: images are 4 x 9; at least 5 pixels a side expected"):
        SMALL[1](3).eval()(torch.zeros(1, 3, 4, 9))


@pytest.mark.parametrize("network", [SegNet, DeconvNet])
def test_a_depth_is_needed_for_each_width(network: type[SegNet] | type[DeconvNet]) -> None:
    with pytest.raises(ValueError, match="a depth of 1 or more for each width"):
        network(3, widths=(4, 8), depths=(1,))
