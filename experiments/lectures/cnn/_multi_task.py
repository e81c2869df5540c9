"""A net that learns the class alone, or box and mask beside it, from a thousand digits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import masks_to_boxes

from datamodules import MNIST
from datamodules.base import Split
from experiments.lectures._tried import INSIDE, Tried, best_lr
from experiments.measures.small_training import Loss, Standardize, features, outputs, seeded, train
from experiments.studies.study import Measured

from ._drawn import digest

ONE, THREE = "class alone", "class, box and mask"
WEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the other tasks' losses, tried on tuning seeds."""
WEIGHT_INSIDE = "weight inside those tried"
"""The measured value that says so: 1, or 0 where the best is the least or the greatest of them."""
TRAIN, STEPS, WIDTHS = 1000, 300, (16, 32)
SEEDS = 10
CLASSES, SIDE = 10, 14
GRID = SIDE // 2
"""Side of the mask that is learned: that of the first stage's map."""
TEST_ERROR = "test error"


@cache
def digits(root: str, split: Split) -> tuple[Tensor, Tensor]:
    """All digits of a split, uint8 (N, 1, 28, 28), and their classes."""
    data = MNIST(root)
    data.prepare_data()
    found = data.scenes(split)
    return found.images[:, :1], found.labels


def annotated(root: str, split: Split, count: int, seed: int) -> dict[str, Tensor]:
    """So many digits that ``seed`` takes, at 14 × 14 pixels; box and mask of their ink from the 28 × 28 of the file.

    Returns:
        ``image`` uint8 (N, 1, 14, 14), ``label`` int64 (N,), ``box`` float32 (N, 4), xyxy in pixels of 14, ``mask`` float32
        (N, GRID²), the share of a place that has ink.
    """
    images, labels = digits(root, split)
    taken = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:count]
    ink = images[taken] > 127
    return {
        "image": F.avg_pool2d(images[taken].float(), 2).round().to(torch.uint8),
        "label": labels[taken],
        "box": masks_to_boxes(ink[:, 0]) / 2 + torch.tensor([0.0, 0.0, 0.5, 0.5]),
        "mask": F.avg_pool2d(ink.float(), 28 // GRID).flatten(1),
    }


class MultiTask(nn.Module):
    """Two stages and three heads: uint8 (N, 1, 14, 14) to class logits, a box in shares of the side and mask logits.

    Returns:
        float32 (N, CLASSES + 4 + GRID²), the three beside each other.
    """

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.standardize, self.stages = Standardize(images), features(1, WIDTHS)
        last = WIDTHS[-1] * (SIDE // 4) ** 2
        self.classes = nn.Linear(last, CLASSES)  # drawn before the others, so that one task and three begin alike
        self.box, self.mask = nn.Linear(last, 4), nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        first = self.stages[0](self.standardize(images))
        last = self.stages[1](first).flatten(1)
        return torch.cat([self.classes(last), self.box(last), self.mask(first).flatten(1)], 1)


def losses(data: dict[str, Tensor], weight: float) -> Loss:
    """Cross-entropy of the class, and ``weight`` times smooth L1 of the box and cross-entropy of the mask."""
    boxes, masks = data["box"] / SIDE, data["mask"]

    def loss(found: Tensor, chosen: Tensor) -> Tensor:
        logits, box, mask = found.split((CLASSES, 4, GRID**2), 1)
        total = F.cross_entropy(logits, data["label"][chosen])
        if weight:
            beside = F.smooth_l1_loss(box, boxes[chosen], beta=0.1) + F.binary_cross_entropy_with_logits(mask, masks[chosen])
            total = total + weight * beside
        return total

    return loss


def fit(root: str, weight: float, lr: float, seed: int) -> nn.Module:
    data = annotated(root, "train", TRAIN, seed)
    net = seeded(lambda: MultiTask(data["image"]), seed)
    train(net, data["image"], losses(data, weight), steps=STEPS, lr=lr, seed=seed)
    return net


def wrong(net: nn.Module, data: dict[str, Tensor]) -> float:
    found = outputs(net, data["image"])[:, :CLASSES].argmax(1)
    return float((found != data["label"]).float().mean())


@cache
def rate(root: str, weight: float) -> tuple[Tried, float]:
    """The best rate at this weight, and its validation error over the tuning seeds."""
    scores: dict[float, list[float]] = {}

    def score(lr: float, seed: int) -> float:
        scores.setdefault(lr, []).append(wrong(fit(root, weight, lr, seed), annotated(root, "val", 5000, seed)))
        return scores[lr][-1]

    best = best_lr(score, start=0.1)
    return best, sum(scores[best.lr]) / len(scores[best.lr])


def measure(*, seed: int, folder: Path, root: str, weights: list[float]) -> Measured:
    """Test error of the class, with the weight and the rate that did best on validation scenes."""
    weight = min(weights, key=lambda w: rate(root, w)[1])
    (lr, inside), test = rate(root, weight)[0], annotated(root, "test", 10_000, seed)
    net = fit(root, weight, lr, seed)
    found = outputs(net, test["image"])[:, CLASSES : CLASSES + 4] * SIDE
    off = float((found - test["box"]).abs().mean())
    values = {TEST_ERROR: wrong(net, test), "box off by": off, INSIDE: inside, "lr": lr, "weight": weight}
    if len(weights) > 1:
        values[WEIGHT_INSIDE] = float(min(weights) < weight < max(weights))
    return Measured(values, data=digest(test["image"]))
