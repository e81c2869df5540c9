"""The sliding window: both plans of execution give the same logits, and one of them costs far less."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lightning_modules.networks.sliding_window import DenseSlidingWindow, PatchClassifier, SlidingWindow, slide

SMALL = partial(PatchClassifier, patch_size=14, widths=(4, 5), hidden=6)


@settings(max_examples=20, deadline=None)
@given(patch_size=st.integers(10, 17), height=st.integers(1, 12), width=st.integers(1, 12))
def test_patches_and_the_whole_image_give_the_same_logits(patch_size: int, height: int, width: int) -> None:
    net = SlidingWindow(3, partial(SMALL, patch_size=patch_size), chunk=50)
    image = torch.randn(2, 3, height, width)
    logits = net(image)
    assert logits.shape == (2, 3, height, width)
    torch.testing.assert_close(net.dense()(image), logits, rtol=0, atol=1e-5)


def test_patches_and_the_whole_image_give_the_same_gradients() -> None:
    net = SlidingWindow(3, SMALL)
    image, mask = torch.randn(2, 3, 9, 8), torch.randint(3, (2, 9, 8))
    by_plan = [
        torch.autograd.grad(F.cross_entropy(plan(image), mask), list(net.classifier.parameters()))
        for plan in (net, net.dense())
    ]
    torch.testing.assert_close(*by_plan)


@pytest.mark.parametrize(("patch_size", "y", "x"), [(13, 2, 3), (14, 1, 2)])
def test_a_pixel_is_scored_by_the_patch_around_it(patch_size: int, y: int, x: int) -> None:
    net = SlidingWindow(3, partial(SMALL, patch_size=patch_size))
    image = torch.randn(1, 3, 20, 20)
    patch = image[:, :, y : y + patch_size, x : x + patch_size]
    torch.testing.assert_close(net(image)[:, :, 8, 9], net.classifier(patch))


def test_dense_shares_the_weights_and_a_checkpoint_of_one_plan_fits_the_other() -> None:
    net = SlidingWindow(3, SMALL)
    assert net.dense().classifier is net.classifier
    other = DenseSlidingWindow(3, SMALL)
    other.load_state_dict(net.state_dict())
    image = torch.randn(1, 3, 7, 7)
    torch.testing.assert_close(other(image), net(image))


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(2, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4, 3)],
        [nn.MaxPool2d(3, stride=2), nn.Conv2d(2, 4, 2, dilation=2), nn.Flatten(), nn.Linear(4, 3)],
        [nn.Conv2d(2, 2, 2, groups=2), nn.MaxPool2d(2, stride=3, dilation=2), nn.Flatten(), nn.Linear(2 * 4, 3)],
        [nn.Flatten(), nn.Linear(2 * 49, 5), nn.Tanh(), nn.Linear(5, 3)],
    ],
)
def test_slide_is_the_classifier_at_every_window(layers: list[nn.Module]) -> None:
    classifier, image = nn.Sequential(*layers), torch.randn(2, 2, 12, 11)
    expected = torch.stack(
        [classifier(w) for w in image.unfold(2, 7, 1).unfold(3, 7, 1).permute(2, 3, 0, 1, 4, 5).flatten(0, 1)]
    )
    torch.testing.assert_close(slide(classifier, image)[..., :6, :5].permute(2, 3, 0, 1).flatten(0, 1), expected)


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2, padding=1), nn.MaxPool2d(2, ceil_mode=True), nn.AvgPool2d(2)],
)
def test_a_layer_that_treats_a_patch_unlike_the_image_is_refused(layer: nn.Module) -> None:
    with pytest.raises(ValueError, match="slide: no layer does to an image"):
        slide(nn.Sequential(layer), torch.zeros(1, 1, 8, 8))


def test_a_layer_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValueError, match="differs in height and width"):
        slide(nn.Sequential(nn.Conv2d(1, 1, 3, stride=(1, 2))), torch.zeros(1, 1, 8, 8))


def test_a_patch_too_small_for_its_poolings_is_refused() -> None:
    with pytest.raises(ValueError, match="patch_size 9 leaves nothing after 3 poolings"):
        PatchClassifier(3, patch_size=9)


def test_sharing_features_saves_most_of_the_arithmetic() -> None:
    net = SlidingWindow(3, chunk=256)
    flops = []
    for plan in (net, net.dense()):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            plan(torch.zeros(1, 3, 24, 24))
        flops.append(counter.get_total_flops())
    assert flops[0] > 10 * flops[1]
