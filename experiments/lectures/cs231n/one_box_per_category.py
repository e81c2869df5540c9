"""A box for each category, in place of one for whichever it is, fits better, and shows it where the category was found.

CS231n 2017, lecture 11, “Classification + Localization”, question “what if the class is wrong?”. The box of the true category
is trained; the box of the predicted one is judged.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._localization import LocalizationStudy, learns, scales

EACH, ONE = "one per category", "one for all"
RIGHT, WRONG = "test/iou_right_class", "test/iou_wrong_class"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: where the class is right, IoU is at least 1 point higher with a box for each. Not: equal within 1 point."""
    right = runs.difference("IoU where the class is right, one per category − one for all", EACH, ONE, RIGHT, needs="≥ 1 point")
    wrong = runs.difference("IoU where the class is wrong, one per category − one for all", EACH, ONE, WRONG)
    drop = runs.quantity(
        "IoU that a wrong class costs, one per category",
        EACH,
        lambda run: run.value(RIGHT) - run.value(WRONG),
        scale=100,
        unit="points",
    )
    shared_lr = runs.shared_lr("IoU where the class is right, one per category − one for all", EACH, ONE, RIGHT)
    return Rule((right, wrong, drop), (runs.tuned(), learns(runs)), shared_lr).judge(
        reproduced=right.above(0) and right.estimate >= 1,
        refuted=right.shows_no_rise(1),
        direction=right.above(0) and not right.equivalent(1),
        because=f"Where the class is right a box for each category changes IoU by {right.estimate:+.1f} points, where it is "
        f"wrong by {wrong.estimate:+.1f}; a wrong class costs its box {drop.estimate:.1f} points.",
    )


study = LocalizationStudy(
    claim="E03",
    says="Against wrong classes: do not predict one box only, but one for each category.",
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
    parts=verdict,
)
