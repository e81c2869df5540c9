"""Units of a deep net are shared by classes, and no class hangs on one; with more layers the representation is read better.

Deck “CNN, R-CNN”, slide “Why Many Layers?”: the codes of motorbike and truck have a 1 in common; Lee et al. 2009. A unit is a
feature map of the last layer. The baseline is a net of the same layers with a grandmother cell for each class: its last layer
has one map a class, whose mean is the class's score.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.measures.codes import binary_codes, classes_served, distinct, falls_without
from experiments.measures.hog import LabelledFeatures, linear_svm_error
from experiments.studies.results import Runs
from experiments.studies.study import TUNING_SEED, Measured, Measurement, Scale, Study
from experiments.studies.verdict import Check, Effect, Needs, Part

from ._hand_features import PHOTOGRAPHS
from ._plain_training import CIFAR_SOURCE, PlainNet, answers, error, photographs, settle, train, tuned_rate

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
    features = (LabelledFeatures(m.flatten(1).numpy(), s.labels.numpy()) for m, s in zip(maps, data, strict=True))
    return Measured(
        {
            SHARED: float((classes_served(on, labels, CLASSES) >= 2).double().mean()),
            FALL: float(falls_without(maps[-1], head, labels, CLASSES).amax(1).mean()),
            CODES: distinct(on) / CLASSES,
            ERROR: linear_svm_error(*features) / 100,
            PARAMETERS: float(sum(p.numel() for p in net.parameters())),
            "error of the net's own output": error(net, data.test),
        }
    )


SAYS = "Hierarchically distributed representations: [1 1 0 0 0 1 0 1 0 0 0 0 1 1 0 1...] motorbike, "
SAYS += "[0 0 1 0 0 0 0 1 0 0 1 1 0 0 1 0...] truck"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: in the net of three layers at least half of the units serve two classes or more (they are on, as often as
    a grandmother cell would be, in at least twice as large a part of these classes' images as of all); more of them do than
    of grandmother cells; and without one unit the class that suffers most loses less accuracy than without a grandmother cell.
    b. Reproduced: at equal parameters, the linear SVM has a higher test error on the last map of one layer than of three."""

    def percent(measure: str, variant: str, needs: Needs | None = None) -> Effect:
        return runs.quantity(f"{measure}, {variant}", variant, measure, scale=100, unit="%", needs=needs)

    shared = percent(SHARED, DEEP, Needs(low=50, absolute=True))
    more = runs.difference(f"{SHARED}, {DEEP} − {CELLS}", DEEP, CELLS, SHARED, needs=Needs(low=0))
    less = runs.difference(f"{FALL}, {CELLS} − {DEEP}", CELLS, DEEP, FALL, needs=Needs(low=0))
    gain = runs.difference(f"{ERROR}, {SHALLOW} − {DEEP}", SHALLOW, DEEP, ERROR, needs=Needs(low=0, margin=1))
    middle = runs.difference(f"{ERROR}, {MIDDLE} − {DEEP}", MIDDLE, DEEP, ERROR)
    falls = [percent(FALL, variant) for variant in (DEEP, CELLS)]
    number = runs.quantity("different codes for each class", DEEP, CODES)
    learns = runs.beats(ERROR, 0.9, greater=False, variants=[SHALLOW, DEEP])
    return {
        "a": Part(
            says=SAYS,
            effects=(shared, more, less),
            validity_checks=(learns,),
            shown=(percent(SHARED, CELLS), percent(SHARED, RANDOM), *falls, number),
            because=f"Of the units {shared.estimate:.0f} % serve two classes or more. Without one of them the class that "
            f"suffers most loses {falls[0].estimate:.0f} points, without a grandmother cell {falls[1].estimate:.0f}.",
        ),
        "b": Part(
            says="Why Many Layers?",
            effects=(gain,),
            checks=tuple(
                Check(
                    f"parameters of {SHALLOW}, seed {deep.seed}",
                    shallow.value(PARAMETERS),
                    deep.value(PARAMETERS),
                    0.05,
                )
                for shallow, deep in zip(runs.of(SHALLOW), runs.of(DEEP), strict=False)
            ),
            validity_checks=(learns,),
            shown=(middle, *(percent(ERROR, variant) for variant in (SHALLOW, MIDDLE, DEEP, RANDOM))),
            because=f"At equal parameters the linear SVM has a test error {gain.estimate:+.1f} points higher on one layer "
            f"than on three, and {middle.estimate:+.1f} on two.",
        ),
    }


study = Study(
    claim="A20",
    says=SAYS,
    slide="Why Many Layers?",
    paper="No figure in the lecture; Lee et al. 2009: 65.4 % on Caltech-101 with two layers (from memory).",
    work=Measurement(codes),
    variants={
        SHALLOW: {"depth": 1, "rate_of": 1, "cells": False},
        MIDDLE: {"depth": 2, "rate_of": 3, "cells": False},
        RANDOM: {"depth": 3, "rate_of": None, "cells": False},
        CELLS: {"depth": 3, "rate_of": 3, "cells": True},
        DEEP: {"depth": 3, "rate_of": 3, "cells": False},
    },
    controlled="parameters within 5 %, the size of the last map, images, steps, the linear SVM and its choice of C; the "
    "learning rates of one layer and of three are each the best of three on a seed that is not judged, and the other nets take "
    "over that of three",
    deviations=(
        "convolutional nets that are trained to classify in place of convolutional deep belief nets",
        "4,000 photographs of CIFAR-10 in place of Caltech-101",
    ),
    scales={"cpu": Scale({"train_images": 4000, "steps": 500}, requires={PHOTOGRAPHS: CIFAR_SOURCE})},
    parts=parts,
)
