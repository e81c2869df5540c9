"""A box for each category, in place of one for whichever it is, fits better, and shows it where the category was found.

CS231n 2017, lecture 11, “Classification + Localization”, question “what if the class is wrong?”. The box of the true category
is trained; the box of the predicted one is judged.
"""

from __future__ import annotations

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part

from ._localization import LocalizationStudy, learns, scales

EACH, ONE = "one per category", "one for all"
RIGHT, WRONG = "test/iou_right_class", "test/iou_wrong_class"
SAYS = "오분류는 Bbox를 하나만 예측하지 않고, 카테고리마다 하나를 예측한다."


def parts(runs: Runs) -> Part:
    """Where the class is right, IoU is higher with a box for each category than with one for all (direction), by at least 1
    point (reproduced); not reproduced, if it is the same within 1 point. What a wrong class costs its box is shown."""
    right = runs.difference(
        "IoU where the class is right, one per category − one for all", EACH, ONE, RIGHT, needs=Needs(low=1, margin=1)
    )
    wrong = runs.difference("IoU where the class is wrong, one per category − one for all", EACH, ONE, WRONG)
    drop = runs.quantity(
        "IoU that a wrong class costs, one per category",
        EACH,
        lambda run: run.value(RIGHT) - run.value(WRONG),
        scale=100,
        unit="points",
    )
    return Part(
        says=SAYS,
        effects=(right,),
        shown=(wrong, drop),
        validity_checks=(runs.tuned(), learns(runs, ONE)),
        shared_lr=runs.shared_lr(right.name, EACH, ONE, RIGHT),
        because=f"Where the class is right a box for each category changes IoU by {right.estimate:+.1f} points, where it is "
        f"wrong by {wrong.estimate:+.1f}; a wrong class costs its box {drop.estimate:.1f} points.",
    )


study = LocalizationStudy(
    claim="E03",
    says=SAYS,
    translation="Against misclassification not only one bounding box is predicted, but one for each category.",
    slide="Classification + Localization, …pdf-0049, question",
    paper="Fast R-CNN predicts a box for each class; R-FCN and the RPN one for all. No figure in the lecture.",
    variants={EACH: {"model.network.boxes": "per_class"}, ONE: {"model.network.boxes": "one"}},
    controlled="backbone, hidden layer, data, order, steps; the heads have 4 numbers for each class and 4",
    scales=scales(
        {
            "data.style": {
                # Wide, tall and square ones, hardly turned: classes must differ in the shape of their boxes.
                "classes": ["bar", "ellipse", "bolt", "crescent", "square", "triangle"],
                "objects": [1, 1],
                "object_size": [0.35, 0.55],
                "rotation": 5,
                "aspect": 0.05,
                "clutter": 0.5,
                "color_cue": 0,
            }
        },
        departs=("classes of different aspect ratios: bar 3.2, ellipse 2.3, square 1, bolt 0.5",),
    ),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment("2026-11-26", "the interval has to lie at 1 point or more, where the mean had to; only the control is gated"),
    ),
)
