"""Nets of one, two and three layers of as many parameters, one of grandmother cells, and what their last units stand for."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.measures.codes import binary_codes, classes_served, distinct, falls_without
from experiments.measures.hog import LabelledFeatures, linear_svm_error
from experiments.studies.study import TUNING_SEED, Measured

from ._hand_features import PHOTOGRAPHS
from ._plain_training import PlainNet, answers, error, photographs, settle, train, tuned_rate

SIZE, CLASSES = 32, 10
STAGES = {
    1: ((24, 9, 8),),
    2: ((24, 3, 2), (24, 3, 4)),
    3: ((15, 3, 2), (15, 3, 2), (24, 3, 2)),
}
"""By their number, layers of about as many parameters together; the last map is 24 × 4 × 4 in all."""
DEEP, MIDDLE, SHALLOW = (f"{depth} {'layers' if depth > 1 else 'layer'}" for depth in (3, 2, 1))
RANDOM, CELLS = "3 layers, random", "grandmother cells"
SHARED, FALL, ERROR, CODES, PARAMETERS = "units of two classes or more", "fall of a class", "probe error", "codes", "parameters"


class GrandmotherCells(nn.Module):
    """The deepest net's layers, the last with a map for each class, whose mean is the logit: (B, 3, H, W) to (B, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = PlainNet(CLASSES, (*STAGES[3][:-1], (CLASSES, *STAGES[3][-1][1:])), SIZE).features

    def forward(self, images: Tensor) -> Tensor:
        return means(self.features(images))


def means(maps: Tensor) -> Tensor:
    return maps.mean((2, 3))


@cache
def rate(depth: int, train_images: int, steps: int) -> float:
    data = photographs(TUNING_SEED, train_images, 500, PHOTOGRAPHS)
    return tuned_rate(partial(PlainNet, CLASSES, STAGES[depth], SIZE), data, steps, TUNING_SEED)


def codes(*, seed: int, folder: Path, depth: int, rate_of: int | None, cells: bool, train_images: int, steps: int) -> Measured:
    """What the last layer's units stand for, and the test error of a linear SVM on its map.

    Args:
        seed: decides the images, the weights and the order.
        folder: of the run; nothing is written.
        depth: layers.
        rate_of: layers of the net whose best learning rate is taken; None leaves the weights at random.
        cells: whether the last layer has a grandmother cell for each class.
        train_images: photographs.
        steps: of 64 images.
    """
    data = photographs(seed, train_images, 500, PHOTOGRAPHS)
    torch.manual_seed(seed)
    net = GrandmotherCells() if cells else PlainNet(CLASSES, STAGES[depth], SIZE)
    if rate_of is None:
        settle(net, data.train.images)
    else:
        train(net, data.train, steps, rate(rate_of, train_images, steps), seed)
    maps = [answers(net.features, split.images) for split in data]
    labels = data.test.labels
    on = binary_codes(maps[-1].amax((2, 3)), 1 / CLASSES)
    head = means if isinstance(net, GrandmotherCells) else nn.Sequential(nn.Flatten(), net.classes)
    known, held, judged = (LabelledFeatures(m.flatten(1).numpy(), s.labels.numpy()) for m, s in zip(maps, data, strict=True))
    return Measured(
        {
            SHARED: float((classes_served(on, labels, CLASSES) >= 2).double().mean()),
            FALL: float(falls_without(maps[-1], head, labels, CLASSES).amax(1).mean()),
            CODES: distinct(on) / CLASSES,
            ERROR: linear_svm_error(known, held, judged) / 100,
            PARAMETERS: float(sum(p.numel() for p in net.parameters())),
            "error of the net's own output": error(net, data.test),
        }
    )
