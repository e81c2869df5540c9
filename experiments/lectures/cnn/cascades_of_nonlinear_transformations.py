"""A trained net is its stages, one after another, to the bit; without nonlinearities all of them are one affine map.

Deck “CNN, R-CNN”, slide “Deep Learning”: “(Many) cascades of nonlinear transformations”, “End-to-end learning”. A definition:
what is computed here holds of every net, and no verdict goes beyond it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules.networks import StackClassifier

from ._scenes import training_images

RECIPE = "classification/cuda_convnet_shapes"
IMAGES, STEPS, CLASSES = 128, 30, 6


def trained(linear: bool = False) -> tuple[list[nn.Module], Tensor, Tensor]:
    """The stages of a net after thirty steps on drawn scenes, their images and labels.

    ``linear``: rectifiers and maxima are left out of it, as if there were none; the weights are as they were trained.
    """
    images, labels = training_images(RECIPE, IMAGES, train=IMAGES)
    torch.manual_seed(0)
    net = StackClassifier(CLASSES, width=8)
    net(images[:1])
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
    replaced: dict[type[nn.Module], nn.Module] = {nn.ReLU: nn.Identity(), nn.MaxPool2d: nn.AvgPool2d(2)} if linear else {}
    return [replaced.get(type(stage), stage) for stage in net], images, labels


def through(stages: list[nn.Module], x: Tensor) -> list[Tensor]:
    """The input, and what each stage makes of what the one before it gave."""
    outputs = [x]
    for stage in stages:
        outputs.append(stage(outputs[-1]))
    return outputs


def cuts_that_agree(stages: list[nn.Module], images: Tensor) -> int:
    """At how many places the net may be cut in two that give, one after the other, what it gives, to the bit."""
    whole = nn.Sequential(*stages)(images)
    halves = ((nn.Sequential(*stages[:cut]), nn.Sequential(*stages[cut:])) for cut in range(len(stages) + 1))
    return sum(torch.equal(second(first(images)), whole) for first, second in halves)


def from_affine(stages: list[nn.Module], images: Tensor) -> float:
    """How far the net's value between two images lies from the mean of its values at both, relative to the greatest value."""
    net, half = nn.Sequential(*stages), len(images) // 2
    a, b = images[:half], images[half:]
    with torch.no_grad():
        apart: Any = (net((a + b) / 2) - (net(a) + net(b)) / 2).abs().max() / net(images).abs().max()
    return float(apart)


def gradients_by_stages(stages: list[nn.Module], images: Tensor, labels: Tensor) -> tuple[float, int]:
    """How far the first stage's gradient, handed down stage by stage, is from autograd's; and how many weights it reaches."""
    weights = [p for stage in stages for p in stage.parameters()]
    whole = torch.autograd.grad(F.cross_entropy(nn.Sequential(*stages)(images), labels), weights)
    outputs = through(stages, images)
    (down,) = torch.autograd.grad(F.cross_entropy(outputs[-1], labels), outputs[-1], retain_graph=True)
    for below, above in reversed(list(pairwise(outputs))[1:]):
        (down,) = torch.autograd.grad(above, below, down, retain_graph=True)
    first = torch.autograd.grad(outputs[1], list(stages[0].parameters()), down)[0]
    return float((first - whole[0]).abs().max() / whole[0].abs().max()), sum(bool(g.any()) for g in whole)


def checks() -> list[Check]:
    stages, images, labels = trained()
    straight, _, _ = trained(linear=True)
    by_stages, reached = gradients_by_stages(stages, images, labels)
    with torch.no_grad():
        agree, bent, even = cuts_that_agree(stages, images), from_affine(stages, images), from_affine(straight, images)
    weights = sum(len(list(stage.parameters())) for stage in stages)
    return [
        Check("places at which a trained net can be cut in two that give the same, to the bit", agree, len(stages) + 1),
        Check.yes_or_no("the net is an affine map of its input", bent < 1e-3, "no"),
        Check("without its nonlinearities: distance from an affine map, relative", even, 0.0, 1e-5),
        Check("the loss's gradient, handed down stage by stage, less autograd's, relative", by_stages, 0.0, 1e-5),
        Check("weights and biases, from first to last stage, that this gradient reaches", reached, weights),
    ]


study = Exact(
    claim="A03",
    says="Nothing new! (Many) cascades of nonlinear transformations. End-to-end learning (no human intervention / no fixed "
    "features)",
    slide="Deep Learning",
    paper="No paper: a definition.",
    checks=checks,
)
