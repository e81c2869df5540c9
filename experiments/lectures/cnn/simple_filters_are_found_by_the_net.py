"""The filters that a net finds by itself are simple ones: its first layer learns Gabors.

Deck "CNN, R-CNN", slide "Convolution Layer"; Krizhevsky et al. 2012, figure 3; Olshausen & Field 1996. A net whose images have
their pixels permuted, all in the same way, sees the same colours and learns the same classes, but no edges.
"""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules import ImageFolder
from experiments.measures.gabor import gabor_fit
from experiments.studies.effects import Effect
from experiments.studies.results import Runs
from experiments.studies.study import TUNING_SEED, Measured, Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._explained import Weights, accuracy, digest_of, draw_filters, net, normalised, scenes, shuffled, train

ROOT, SIDE, CLASSES, STEPS = "data/cifar10", 32, 10, 250
WIDTHS, FILTER = (32, 32, 32), 7
LRS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""That are tried for each way of training; the one of the least training loss with the tuning seed is taken."""
TRAINED, PERMUTED, LABELS, RANDOM = "trained", "permuted pixels", "random labels", "random weights"
R2 = "Gabor R²"
SAYS = (
    "CNN은 간단한 필터들이 여러 layer에 거쳐서 쌓여가면서 복잡한 필터들을 만들게 되고, 이런 필터들은 인공신경망이 알아서 "
    "찾아준다."
)


@cache
def photographs(root: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    data = ImageFolder(root, image_size=SIDE, workers=0)
    batches = [scenes(data, split, 10**6, frozenset({"label"})) for split in ("train", "test")]
    (a, b), (c, d) = ((normalised(batch["image"], data), batch["label"]) for batch in batches)
    return a, b, c, d


def trained(weights: Weights, seed: int, lr: float, root: str) -> tuple[nn.Module, float, float, str]:
    """A net, its last training loss and its accuracy on the test images, and what stands for its images.

    The seed decides weights, order, labels, permutation, and which nine tenths of the training images are seen.
    """
    images, labels, test, truth = photographs(root)
    rng = torch.Generator().manual_seed(seed)
    kept = torch.randperm(len(images), generator=rng)[: len(images) * 9 // 10]
    images, labels = images[kept], labels[kept]
    if weights == "permuted pixels":
        order = torch.randperm(SIDE * SIDE, generator=rng)
        images, test = (part.flatten(2)[:, :, order].view_as(part) for part in (images, test))
    if weights == "random labels":
        labels = shuffled(labels, seed)
    torch.manual_seed(seed)
    network, loss = net(CLASSES, WIDTHS, FILTER), float("nan")
    if weights != "random":
        loss = train(network, images, labels, steps=STEPS, lr=lr, seed=seed)
    return network.eval(), loss, accuracy(network, test, truth), digest_of(images)


@cache
def best_lr(weights: Weights, root: str) -> float:
    return min(LRS, key=lambda lr: trained(weights, TUNING_SEED, lr, root)[1])


def first_layer(*, seed: int, folder: Path, weights: Weights, root: str) -> Measured:
    """The Gabor fits of a net's 32 first filters."""
    lr = LRS[0] if weights == "random" else best_lr(weights, root)
    network, loss, right, digest = trained(weights, seed, lr, root)
    draw_filters(network, folder)
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    fits = sorted(gabor_fit(filter_).r2 for filter_ in first.weight.detach().numpy())
    values = {
        R2: statistics.median(fits),
        "test/accuracy": right,
        "train/loss": loss,
        "lr": lr,
        "lr inside": float(lr in LRS[1:-1]),
    }
    return Measured(values, {"filters": list(enumerate(reversed(fits), 1))}, digest)


def parts(runs: Runs) -> Part:
    """The median R² of the best Gabor (frequency × width ≥ 0.3) over the first layer's 7 × 7 filters. Reproduced: trained on
    photographs it is greater by 0.15 or more than trained on the same photographs with permuted pixels; direction only: it is
    greater. The net has to classify test images 10 points better than chance."""

    def gain(other: str, needs: Needs | None = None) -> Effect:
        return runs.difference(f"median Gabor R², trained − {other}", TRAINED, other, R2, scale=1, unit="", needs=needs)

    inside = [value for variant in (TRAINED, PERMUTED) for value in runs.values(variant, "lr inside")]
    learned = gain(PERMUTED, Needs(low=0.15, null=0))
    return Part(
        says=SAYS,
        effects=(learned,),
        shown=(gain(LABELS), gain(RANDOM), *(runs.quantity(f"median Gabor R², {v}", v, R2) for v in runs.variants)),
        validity_checks=(
            runs.beats("test/accuracy", 1 / CLASSES, variants=[TRAINED]),
            ValidityCheck("the best learning rates lie inside those that were tried", all(inside)),
        ),
        because=f"Of a filter that was learned from photographs, one Gabor explains {learned.estimate:.2f} more of the "
        f"variation than of one that was learned from them with their pixels permuted: the net finds edges by itself.",
    )


study = Study(
    claim="B12",
    says=SAYS,
    translation="In a CNN simple filters, stacked over several layers, come to make complex filters, and the neural network "
    "finds these filters by itself.",
    slide="Convolution Layer",
    paper="Krizhevsky et al. 2012, figure 3: of 96 filters of 11 × 11 × 3 most are oriented waves, the others spots of colour.",
    work=Measurement(first_layer),
    variants={
        TRAINED: {"weights": "trained", "root": ROOT},
        PERMUTED: {"weights": "permuted pixels", "root": ROOT},
        LABELS: {"weights": "random labels", "root": ROOT},
        RANDOM: {"weights": "random", "root": ROOT},
    },
    controlled="net, images, steps; the learning rate is each variant's own best of five on a seed that is not judged",
    scales={"cpu": Scale(requires={ROOT: "CIFAR-10 as image files, a folder for each class, in train/ and test/"})},
    deviations=(
        "three convolutions with 32 first filters of 7 × 7 on CIFAR-10, 250 steps",
        "measured at the first layer, where filters can be seen: how they stack is the claim of the hierarchy (A02)",
    ),
    parts=parts,
    figure="filters",
    figure_x="filters, the most Gabor-like first",
)
