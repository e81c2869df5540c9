"""Layers are found, channels are excited most by the images that say so, and ascent climbs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from datamodules.scene import InputError
from lightning_modules.explanations.channels import first_layer_filters, maximised, mean_activation, most_exciting, sheet
from lightning_modules.explanations.layers import explainable, feature_maps, last_convolution, layer_named
from lightning_modules.explanations.scores import BestBoxes, RegionLogits
from lightning_modules.networks import FCN, SSD, YOLO, CifarNet, FasterRCNN, LinearClassifier, SmallConvNet

IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: SmallConvNet(4, widths=[4, 4]), "0.5"),  # the last before the linear layer
        (lambda: CifarNet(4, depth=8), "5.body.3"),
        (lambda: RegionLogits(FCN(4)), "network.ups.1"),  # ups.0 puts out the scores themselves
        (lambda: BestBoxes(YOLO(4)), "network.head.layers.1.0"),  # a 1 x 1 convolution says the boxes
    ],
    ids=["classifier", "residual", "segmentation", "detector"],
)
def test_the_last_convolution_is_the_last_that_another_layer_takes_in(build: Callable[[], nn.Module], expected: str) -> None:
    torch.manual_seed(0)  # a detector whose weights find nothing has no scores
    scores = build()
    with torch.no_grad():
        scores.eval()(IMAGES, *getattr(scores, "given", lambda images: ())(IMAGES))  # lazy layers have their sizes
    given = getattr(scores, "given", lambda images: ())(IMAGES)
    assert last_convolution(explainable(scores), IMAGES, given).startswith(expected)


@pytest.mark.parametrize("network", [SSD(4), FasterRCNN(4)], ids=lambda network: type(network).__name__)
def test_of_a_detector_it_lies_on_the_way_to_the_score(network: nn.Module) -> None:
    scores = explainable(BestBoxes(network))  # type: ignore[arg-type]
    name = last_convolution(scores, IMAGES)
    assert "rpn" not in name and layer_named(scores, name).weight.ndim == 4


def test_a_convolution_alone_is_the_last_one() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert last_convolution(net, IMAGES) == "0"


def test_a_network_without_convolutions_is_refused() -> None:
    net = LinearClassifier(4)
    net(IMAGES)
    with pytest.raises(InputError, match="no convolution"):
        last_convolution(net, IMAGES)


def test_a_layer_that_is_not_there_is_answered_with_those_that_are() -> None:
    net = SmallConvNet(4, widths=[4, 4])
    with pytest.raises(InputError, match=r"no layer 'conv9'; the convolutions are 0\.0, 0\.5"):
        layer_named(net, "conv9")
    with pytest.raises(InputError, match="no layer ''"):
        layer_named(net, "")


def test_feature_maps_are_what_the_convolutions_put_out() -> None:
    net = SmallConvNet(4, widths=[4, 5]).eval()
    net(IMAGES)
    found = feature_maps(net, IMAGES)
    assert {name: tuple(value.shape) for name, value in found.items()} == {"0.0": (2, 4, 64, 64), "0.5": (2, 5, 31, 31)}
    torch.testing.assert_close(found["0.0"], net[0][0](IMAGES))


def test_the_most_exciting_images_are_those_of_the_greatest_activations() -> None:
    net = nn.Conv2d(3, 2, 3)
    batches = torch.randn(4, 5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    found = most_exciting(net, net, batches, most=3)
    for channel in range(2):
        peaks = [net(image[None])[0, channel].max().item() for batch in batches for image in batch]
        expected = sorted(range(20), key=lambda i: -peaks[i])[:3]
        assert found.places[channel].tolist() == expected
        assert found.values[channel].tolist() == pytest.approx([peaks[i] for i in expected])
    assert most_exciting(net, net, batches[:1], most=9).places.shape == (2, 5)
    with pytest.raises(ValueError, match="no images"):
        most_exciting(net, net, [])


def test_ascent_finds_the_pattern_that_a_filter_answers_to() -> None:
    net = nn.Conv2d(3, 2, 5, bias=False)
    with torch.no_grad():
        net.weight.zero_()
        net.weight[0, 0], net.weight[1, 2] = 1.0, 1.0  # red, and blue
    objective = mean_activation(net, net, torch.tensor([0, 1]))
    found = maximised(objective, (2, 3, 12, 12), torch.Generator().manual_seed(0), steps=40)
    assert found.abs().max() <= 2
    means = found.mean((2, 3))
    assert means[0].argmax() == 0 and means[1].argmax() == 2 and bool(means.amax(1).min() > 0.5)
    assert bool((objective(found) > objective(torch.zeros(2, 3, 12, 12)) + 10).all())


def test_filters_are_scaled_one_by_one_around_grey() -> None:
    net = SmallConvNet(4, widths=[4, 4])
    found = first_layer_filters(net)
    assert found is not None and found.shape == (4, 3, 5, 5)
    assert torch.allclose((found - 0.5).abs().amax((1, 2, 3)), torch.full((4,), 0.5))
    assert torch.equal(found > 0.5, net[0][0].weight.detach() > 0)
    assert first_layer_filters(nn.Linear(2, 2)) is None
    grey = first_layer_filters(nn.Conv2d(1, 2, 3))
    assert grey is not None and torch.equal(grey[:, 0], grey[:, 2])


def test_a_sheet_has_each_picture_in_its_place() -> None:
    tiles = torch.rand(5, 3, 4, 6)
    found = sheet(tiles, columns=3, side=12, gap=1)
    assert found.shape == (3, 1 + 2 * 9, 1 + 3 * 13) and found.dtype == torch.uint8
    last = found[:, 1 + 9 : 1 + 9 + 8 : 2, 1 + 13 : 1 + 13 + 12 : 2]
    assert torch.equal(last, (tiles[4] * 255).round().to(torch.uint8))
    assert bool((found[:, 10:, 27:] == 255).all())  # nothing stands where there is no picture
