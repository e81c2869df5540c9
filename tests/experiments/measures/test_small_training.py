"""The plain loop that small nets are trained in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from experiments.measures.small_training import Standardize, classifier, cross_entropy, error, outputs, seeded, train


def bright_or_dark(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images of 8 × 8 pixels whose left or right half is the lighter one."""
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 100, (count, 3, 8, 8), generator=rng, dtype=torch.uint8)
    labels = torch.randint(0, 2, (count,), generator=rng)
    for image, label in zip(images, labels, strict=True):
        image[:, :, slice(4, 8) if label else slice(0, 4)] += 100
    return images, labels


def net_of(images: Tensor, seed: int = 0) -> nn.Module:
    return seeded(lambda: nn.Sequential(Standardize(images), nn.Flatten(), nn.Linear(192, 2)), seed)


def test_a_net_learns_and_the_same_arguments_give_the_same_net() -> None:
    images, labels = bright_or_dark(200)
    nets = [net_of(images) for _ in range(3)]
    before = torch.get_rng_state()
    for net, seed in zip(nets, (1, 1, 2), strict=True):
        train(net, images, cross_entropy(labels), steps=30, lr=0.1, seed=seed)
    assert torch.equal(before, torch.get_rng_state())
    assert error(nets[0], *bright_or_dark(200, seed=1)) < 0.02
    first, again, other = (net[2].weight for net in nets)  # type: ignore[index]
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_each_epoch_sees_each_image_once_and_what_is_augmented_is_what_the_net_sees() -> None:
    images, labels = bright_or_dark(100)
    seen: list[Tensor] = []
    shown: list[Tensor] = []

    def loss(logits: Tensor, chosen: Tensor) -> Tensor:
        seen.append(chosen)
        return cross_entropy(labels)(logits, chosen)

    def darkened(batch: Tensor, rng: torch.Generator) -> Tensor:
        shown.append(batch // 2)
        return batch // 2

    net = net_of(images)
    net.register_forward_pre_hook(lambda module, inputs: torch.testing.assert_close(inputs[0], shown[-1]))
    train(net, images, loss, steps=4, lr=0.01, seed=0, augment=darkened)
    assert [len(chosen) for chosen in seen] == [64, 36, 64, 36]
    assert sorted(torch.cat(seen[:2]).tolist()) == list(range(100))
    assert not torch.equal(seen[0], seen[2])


def test_frozen_parameters_stay_as_they_are() -> None:
    images, labels = bright_or_dark(100)
    net = seeded(lambda: classifier(images, 2, widths=(4, 4)), 0)
    frozen = net[1].requires_grad_(False)  # type: ignore[index]
    kept = [parameter.clone() for parameter in frozen.parameters()]
    train(net, images, cross_entropy(labels), steps=3, lr=0.1, seed=0)
    assert all(map(torch.equal, kept, frozen.parameters()))


def test_images_are_standardised_by_those_of_the_training() -> None:
    images, _ = bright_or_dark(100)
    standard = Standardize(images)(images)
    assert standard.mean((0, 2, 3)).abs().max() < 1e-4
    assert (standard.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_an_error_counts_images_and_a_net_that_broke_has_none_right() -> None:
    images, labels = bright_or_dark(10)
    net = net_of(images)
    wrong = (outputs(net, images, batch=3).argmax(1) != labels).float().mean()
    assert abs(error(net, images, labels) - float(wrong)) < 1e-6
    nn.init.constant_(net[2].weight, float("nan"))  # type: ignore[index]
    assert error(net, images, labels) == 1.0
