"""A net that learns box and mask beside the class, from few images, is to classify new ones better.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “Multi-task learning”; Girshick 2015 (Fast R-CNN), table 6.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.lectures._tried import INSIDE, Tried, best_lr, rates_inside
from experiments.measures.small_training import Loss, Standardize, features, outputs, seeded, train
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Needs, Part

from ._drawn import CHANCE, CLASSES, EASY, SIDE, digest, drawn

ONE, THREE = "class alone", "class, box and mask"
WEIGHTS = (0.1, 0.3, 1.0)
"""Of the other tasks' losses, tried on tuning seeds."""
TRAIN, STEPS, TEST, WIDTHS = 500, 300, 4000, (16, 32, 32)
GRID = SIDE // 4
"""Side of the mask that is learned: that of the second stage's map."""
TEST_ERROR = "test error"


class MultiTask(nn.Module):
    """Three stages and three heads: uint8 (N, 3, 24, 24) to class logits, a box in shares of the side and mask logits.

    Returns:
        float32 (N, CLASSES + 4 + GRID²), the three beside each other.
    """

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.standardize, self.stages = Standardize(images), features(images.shape[1], WIDTHS)
        last = SIDE // 8
        self.classes = nn.Linear(WIDTHS[-1], CLASSES)  # drawn before the others, so that one task or three begin alike
        self.box, self.mask = nn.Linear(WIDTHS[-1] * last**2, 4), nn.Conv2d(WIDTHS[1], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        second = self.stages[:2](self.standardize(images))
        maps = self.stages[2](second)
        return torch.cat([self.classes(maps.mean((2, 3))), self.box(maps.flatten(1)), self.mask(second).flatten(1)], 1)


def losses(data: dict[str, Tensor], weight: float) -> Loss:
    """Cross-entropy of the class, and ``weight`` times smooth L1 of the box and cross-entropy of the mask."""
    boxes = data["boxes"][:, 0] / SIDE
    masks = F.avg_pool2d(data["masks"].float(), 4).flatten(1)

    def loss(found: Tensor, chosen: Tensor) -> Tensor:
        logits, box, mask = found.split((CLASSES, 4, GRID**2), 1)
        total = F.cross_entropy(logits, data["label"][chosen])
        if weight:
            beside = F.smooth_l1_loss(box, boxes[chosen], beta=0.1) + F.binary_cross_entropy_with_logits(mask, masks[chosen])
            total = total + weight * beside
        return total

    return loss


def fit(weight: float, lr: float, seed: int) -> nn.Module:
    data = drawn(EASY, "train", TRAIN, seed, "boxes", "masks")
    net = seeded(lambda: MultiTask(data["image"]), seed)
    train(net, data["image"], losses(data, weight), steps=STEPS, lr=lr, seed=seed)
    return net


def wrong(net: nn.Module, data: dict[str, Tensor]) -> float:
    found = outputs(net, data["image"])[:, :CLASSES].argmax(1)
    return float((found != data["label"]).float().mean())


@cache
def rate(weight: float) -> tuple[Tried, float]:
    """The best rate at this weight, and its validation error over the tuning seeds."""
    scores: dict[float, list[float]] = {}

    def score(lr: float, seed: int) -> float:
        scores.setdefault(lr, []).append(wrong(fit(weight, lr, seed), drawn(EASY, "val", 2000, seed)))
        return scores[lr][-1]

    best = best_lr(score, start=0.1)
    return best, sum(scores[best.lr]) / len(scores[best.lr])


def measure(*, seed: int, folder: Path, weights: list[float]) -> Measured:
    """Test error of the class, with the weight and the rate that did best on validation scenes."""
    weight = min(weights, key=lambda w: rate(w)[1])
    (lr, inside), test = rate(weight)[0], drawn(EASY, "test", TEST, seed, "boxes")
    net = fit(weight, lr, seed)
    centre = outputs(net, test["image"])[:, CLASSES : CLASSES + 4] * SIDE
    off = float((centre - test["boxes"][:, 0]).abs().mean())
    values = {TEST_ERROR: wrong(net, test), "box off by": off, INSIDE: inside, "lr": lr, "weight": weight}
    return Measured(values, data=digest(test["image"]))


SAYS = "Multi-task learning"


def parts(runs: Runs) -> Part:
    """Reproduced: with box and mask learned beside the class, the class's test error is lower by half a point or more;
    direction only: it is lower. Not reproduced: it is higher, or the change lies within ±0.5 points."""
    gain = runs.difference(
        f"test error, {ONE} − {THREE}", ONE, THREE, TEST_ERROR, needs=Needs(low=0.5, null=0, margin=0.5), paper=0.8
    )
    own = [runs.quantity(f"test error, {v}", v, TEST_ERROR, scale=100, unit="%") for v in (ONE, THREE)]
    weight = runs.quantity("weight of the other tasks", THREE, "weight")
    off = runs.quantity("a box's sides are off by", THREE, "box off by", unit="pixels")
    return Part(
        says=SAYS,
        effects=(gain,),
        shown=(*own, weight, off),
        validity_checks=(rates_inside(runs), runs.beats(TEST_ERROR, CHANCE, greater=False, by=0.3, variants=[ONE])),
        because=f"On {TRAIN} training images the test error is {own[0].estimate:.1f} % with the class alone and "
        f"{own[1].estimate:.1f} % with box and mask beside it, at a weight of {weight.estimate:g}, the best of "
        f"{', '.join(f'{w:g}' for w in WEIGHTS)}.",
    )


study = Study(
    claim="C05",
    says=SAYS,
    slide="Improving Generalization; Conclusions - CNNs",
    paper="Fast R-CNN with VGG-16 on VOC 2007: 62.6 % mAP with the class loss alone, 63.4 % with the box loss beside it.",
    work=Measurement(measure),
    variants={THREE: {"weights": list(WEIGHTS)}, ONE: {"weights": [0.0]}},
    controlled="first weights, scenes and their order, 300 steps of 64; each rate tuned, and the weight of the other tasks",
    seeds=30,
    deviations=(f"{TRAIN} drawn scenes of {SIDE} × {SIDE} pixels, one object each; 30 seeds, to tell half a point",),
    parts=parts,
)
