"""Each map is what a plain loop, or the paper's own equation, makes of the network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_modules.explanations import maps
from lightning_modules.explanations.deconvnet import deconvnet, reconstruction
from lightning_modules.explanations.layers import explainable
from lightning_modules.explanations.randomized import randomized

CLASSES = 3


class Functional(nn.Module):
    """A ReLU as a function, one in place, and one module that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.relu(self.first(x)), 3, 2)
        return self.head(F.relu(self.second(x), inplace=True).mean((2, 3)))  # type: ignore[no-any-return]


def small(inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, CLASSES),
    )


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 9, 12, generator=torch.Generator().manual_seed(1))  # not square


TARGET = torch.tensor([2, 0])


def backwards(net: nn.Sequential, image: Tensor, label: int, rule: str) -> Tensor:
    """One image (3, H, W) through ``small`` and back by hand, with a loop over the pooling's windows."""
    conv, _, _, second, _, _, _, head = net
    a = conv(image[None])
    b = F.relu(a)
    windows = {}
    height, width = (b.shape[2] - 3) // 2 + 1, (b.shape[3] - 3) // 2 + 1
    pooled = torch.zeros(1, 4, height, width)
    for k in range(4):
        for y in range(height):
            for x in range(width):
                patch = b[0, k, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
                best = int(patch.argmax())
                pooled[0, k, y, x] = patch.flatten()[best]
                windows[k, y, x] = (2 * y + best // 3, 2 * x + best % 3)  # the switch
    c = second(pooled)

    def through_relu(signal: Tensor, before: Tensor) -> Tensor:
        if rule != "deconvnet":
            signal = signal * (before > 0)
        return signal if rule == "gradient" else signal.clamp(min=0)

    signal = (head.weight[label] / c[0, 0].numel())[None, :, None, None].expand_as(c)
    signal = F.conv_transpose2d(through_relu(signal, c), second.weight, padding=1)  # type: ignore[arg-type]
    unpooled = torch.zeros_like(b)
    for (k, y, x), (row, column) in windows.items():
        unpooled[0, k, row, column] += signal[0, k, y, x]
    return F.conv_transpose2d(through_relu(unpooled, a), conv.weight, padding=1)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(
    ("rule", "function"),
    [("gradient", maps.gradients), ("guided", maps.guided_backpropagation), ("deconvnet", deconvnet)],
)
def test_what_comes_back_to_the_pixels_is_the_plain_loops(rule: str, function: object, inplace: bool, images: Tensor) -> None:
    net = explainable(small(inplace))
    assert callable(function)
    found = function(net, images, TARGET)
    with torch.no_grad():
        expected = torch.stack(
            [backwards(small(), image, int(label), rule) for image, label in zip(images, TARGET, strict=True)]
        )
    assert found.shape == images.shape
    torch.testing.assert_close(found, expected)
    assert bool(expected.abs().sum() > 0)


def test_the_three_rules_are_three(images: Tensor) -> None:
    net = explainable(small())
    a, b, c = (f(net, images, TARGET) for f in (maps.gradients, maps.guided_backpropagation, deconvnet))
    assert not torch.allclose(a, b) and not torch.allclose(b, c) and not torch.allclose(a, c)


def test_the_deconvnet_knows_relus_that_are_functions(images: Tensor) -> None:
    torch.manual_seed(0)
    net = Functional()
    plain = small()
    plain[0].load_state_dict(net.first.state_dict())
    plain[3].load_state_dict(net.second.state_dict())
    plain[7].load_state_dict(net.head.state_dict())
    torch.testing.assert_close(deconvnet(net, images, TARGET), deconvnet(plain, images, TARGET))


def test_grad_cam_is_the_papers_equations(images: Tensor) -> None:
    net = explainable(small(inplace=True))
    found = maps.grad_cam(net, net[3], images, TARGET)
    expected = []
    for image, label in zip(images, TARGET, strict=True):
        features = small()[:4](image[None]).detach().requires_grad_()
        score = small()[4:](features)[0, label]
        (gradient,) = torch.autograd.grad(score, features)
        coarse = torch.zeros(1, 1, *features.shape[2:])
        for k in range(features.shape[1]):
            coarse += gradient[0, k].mean() * features[0, k]
        expected.append(F.interpolate(coarse.relu(), (9, 12), mode="bilinear")[0, 0])
    torch.testing.assert_close(found, torch.stack(expected).detach())


def test_occlusion_is_the_mean_fall_over_the_squares_that_hide_a_pixel(images: Tensor) -> None:
    net = explainable(small())
    found = maps.occlusion(net, images, TARGET, window=4, stride=2)
    expected = torch.zeros(2, 9, 12)
    with torch.no_grad():
        for i, label in enumerate(TARGET.tolist()):
            before, total, hidden = net(images[i : i + 1])[0, label], torch.zeros(9, 12), torch.zeros(9, 12)
            for y in range(0, 9 - 4 + 2, 2):
                for x in range(0, 12 - 4 + 1, 2):
                    changed = images[i : i + 1].clone()
                    changed[:, :, y : y + 4, x : x + 4] = 0
                    total[y : y + 4, x : x + 4] += before - net(changed)[0, label]
                    hidden[y : y + 4, x : x + 4] += 1
            expected[i] = total / hidden
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_occlusion_does_not_depend_on_how_many_images_pass_together(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    net = explainable(small())
    whole = maps.occlusion(net, images, TARGET, window=4, stride=2)
    monkeypatch.setattr(maps, "AT_ONCE", 1)
    torch.testing.assert_close(maps.occlusion(net, images, TARGET, window=4, stride=2), whole)


def test_a_reconstruction_begins_at_one_activation(images: Tensor) -> None:
    net = explainable(small())
    found = reconstruction(net, net[3], images, 1)
    with torch.no_grad():
        maps_ = net[:4](images)
    for i in range(2):
        at = int(maps_[i, 1].argmax())
        start = torch.zeros(1, 5, *maps_.shape[2:])
        start[0, 1].view(-1)[at] = maps_[i, 1].max().clamp(min=0)
        signal = F.conv_transpose2d(start, net[3].weight, padding=1)  # type: ignore[arg-type]
        before = net[0](images[i : i + 1])
        _, switches = F.max_pool2d(before.relu(), 3, 2, return_indices=True)
        back = torch.zeros_like(before).flatten(2).scatter_add(2, switches.flatten(2), signal.flatten(2)).view_as(before)
        expected = F.conv_transpose2d(back.clamp(min=0), net[0].weight, padding=1)[0]  # type: ignore[arg-type]
        torch.testing.assert_close(found[i], expected.detach())


def test_a_copy_to_explain_leaves_the_network_as_it_was() -> None:
    net = small(inplace=True).train()
    copy = explainable(net)
    assert not any(m.training for m in copy.modules()) and not any(p.requires_grad for p in copy.parameters())
    assert net.training and all(p.requires_grad for p in net.parameters()) and net[1].inplace


def test_random_weights_are_new_and_the_same_each_time() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    net[1].running_mean.fill_(3)  # type: ignore[union-attr, operator]
    state = torch.get_rng_state()
    first, again, other = randomized(net, 1), randomized(net, 1), randomized(net, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first[0].weight, again[0].weight) and not torch.equal(first[0].weight, other[0].weight)
    assert not torch.equal(first[0].weight, net[0].weight)
    assert torch.equal(first[1].running_mean, torch.zeros(4)) and torch.equal(net[1].running_mean, torch.full((4,), 3.0))


def test_a_parameter_of_a_layer_of_ones_own_is_drawn_anew_too() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.linspace(0, 1, 1000))

    net = Own()
    found = randomized(net).scale
    assert not torch.equal(found, net.scale) and abs(float(found.mean()) - 0.5) < 0.05


def test_heat_is_the_greatest_magnitude_of_the_colours() -> None:
    assert torch.equal(maps.heat(torch.tensor([[[[1.0]], [[-3.0]], [[2.0]]]])), torch.tensor([[[3.0]]]))
    assert torch.equal(maps.heat(torch.tensor([[[-1.0]]])), torch.tensor([[[-1.0]]]))
