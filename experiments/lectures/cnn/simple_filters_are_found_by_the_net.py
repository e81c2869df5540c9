"""The filters that a net finds by itself are simple ones: its first layer learns Gabors.

Deck "CNN, R-CNN", slide "Convolution Layer"; Krizhevsky et al. 2012, figure 3; Olshausen & Field 1996. A net whose images have
their pixels permuted, all in the same way, sees the same colours and learns the same classes, but no edges.
"""

from __future__ import annotations

from experiments.studies.effects import Effect
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._first_layer import CLASSES, R2, first_layer

ROOT = "data/cifar10"
TRAINED, PERMUTED, LABELS, RANDOM = "trained", "permuted pixels", "random labels", "random weights"
SAYS = (
    "CNN은 간단한 필터들이 여러 layer에 거쳐서 쌓여가면서 복잡한 필터들을 만들게 되고, 이런 필터들은 인공신경망이 알아서 "
    "찾아준다."
)


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
