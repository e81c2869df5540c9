"""Training class and box together does neither of them harm.

CS231n 2017, lecture 11, “Classification + Localization”, question “why train both at once?”: there is generally no problem with
training the two losses, and many do.
"""

from __future__ import annotations

from typing import Any

from experiments.lectures._chosen import chosen, inside
from experiments.lectures._length import epochs
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale, Tune
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import SeparateClassAndBox

from ._localization import CHOICE, LocalizationStudy, learns

CLASS, IOU = "test/class_error", "test/iou"
WEIGHTS = (0.2, 1, 5, 20)
ALONE = "each alone"
NO_WORSE = Needs(low=-2)
SAYS = "일반적으로 두 Loss의 학습은 문제가 없으며, 많은 사람들이 사용한다."


def joint(weight: float) -> str:
    return f"together, weight {weight:g}"


def parts(runs: Runs) -> Part:
    """Reproduced: neither classification accuracy nor mean IoU is lower by more than 2 points where one network is trained on
    both losses than where each has a network to itself. The box weight is the better one of the validation set."""
    weights = [joint(weight) for weight in WEIGHTS]
    together = chosen(runs, weights, CHOICE)
    name = "classification accuracy, together − alone"
    accuracy = runs.difference(name, ALONE, together, CLASS, needs=NO_WORSE)
    iou = runs.difference("mean IoU, together − alone", together, ALONE, IOU, needs=NO_WORSE)
    return Part(
        says=SAYS,
        effects=(accuracy, iou),
        validity_checks=(runs.tuned(together, ALONE), learns(runs, ALONE), inside(runs, weights, CHOICE)),
        shared_lr=runs.shared_lr(name, together, ALONE, lambda run: -run.value(CLASS)),
        because=f"Against a network for each, one for both ({together}) classifies {accuracy.estimate:+.1f} points of accuracy "
        f"and localizes {iou.estimate:+.1f} points of mean IoU better or worse.",
    )


EASY: dict[str, Any] = {
    "data.style": {"objects": [1, 1], "object_size": [0.4, 0.7], "clutter": 0.0, "texture": 0.2, "color_cue": 0.3, "thin": 0.0},
    "data.train": 4000,
    **epochs(8),
}

study = LocalizationStudy(
    claim="E02",
    says=SAYS,
    translation="Training the two losses is generally no problem, and many people do it.",
    slide="Classification + Localization, …pdf-0049, question “왜 Classification과 Bbox Regression을 동시에 학습시키는 …”",
    variants={
        **{joint(weight): {"model.box_weight": weight} for weight in WEIGHTS},
        ALONE: {"model.network": SeparateClassAndBox},
    },
    tune=Tune(start=5e-3, by=CHOICE),
    seeds=8,
    controlled="backbone and heads of each task, data, order, steps, AdamW",
    scales={
        "cpu": Scale(
            EASY,
            deviations=("easy drawn scenes of 32 × 32 pixels, on which seeds differ little", "three convolutions of 16 to 64"),
        )
    },
    deviations=(
        "alone, both networks have one learning rate; no parameter has both losses, so that their weight means nothing",
        "box weights 0.2, 1, 5 and 20 are tried",
    ),
    parts=parts,
    amendments=(
        Amendment(
            "2026-11-27",
            "box weights 0.2 and 1 are tried beside 5 and 20, and the chosen weight has to lie inside those tried: 5, the "
            "least, was chosen, and one network may do better below it",
        ),
    ),
)
