"""One backbone with two heads, trained on the sum of both losses, does as well as two networks, at half the work.

CS231n 2017, lecture 11, “Classification + Localization”: softmax loss and L2 loss summed into a multi-task loss.
"""

from __future__ import annotations

from typing import Any

from experiments.lectures._amended import NEW_STATISTICS
from experiments.lectures._chosen import chosen, inside
from experiments.lectures._length import epochs
from experiments.measures.cost import Cost
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Tune
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import SeparateClassAndBox

from ._localization import CHOICE, ERROR, PLAIN_SGD, LocalizationStudy, learns, scales

JOINT, SEPARATE = "joint", "separate"
WEIGHTS = (0.2, 1, 5, 25)
NARROW = "separate, same compute"
"""Which is shown and decides nothing, at the middle one of the weights."""


def weighted(kind: str) -> list[str]:
    """The variants of a kind, by the weight of the box loss."""
    return [f"{kind}, weight {weight:g}" for weight in WEIGHTS]


def parts(runs: Runs) -> Part:
    """Reproduced: the joint network's localization accuracy is no more than 1 point below that of two networks, at no more than
    0.6 of the operations. Each has the box weight that is best by validation error, with the seeds that chose the rates."""
    joint, separate = (chosen(runs, weighted(kind), CHOICE) for kind in (JOINT, SEPARATE))
    name = "localization accuracy, joint − separate"
    gap = runs.difference(name, separate, joint, ERROR, needs=Needs(low=-1))
    cost = runs.ratio("operations of a forward pass, joint / separate", joint, separate, "cost/gflop", needs=Needs(high=0.6))
    equal = runs.difference("the same at equal operations", NARROW, joint, ERROR)
    classes = runs.difference("classification accuracy, joint − separate", separate, joint, "test/class_error")
    boxes = runs.difference("mean IoU, joint − separate", joint, separate, "test/iou")
    return Part(
        says="Softmax Loss와 L2 Loss를 더하여 Multitask Loss를 구하고, Hyperparameter를 통해 두 Loss를 조절한다.",
        effects=(gap, cost),
        shown=(equal, classes, boxes),
        validity_checks=(
            runs.tuned(joint, separate),
            learns(runs, separate),
            *(inside(runs, weighted(kind), CHOICE) for kind in (JOINT, SEPARATE)),
        ),
        shared_lr=runs.shared_lr(name, joint, separate, lambda run: -run.value(ERROR)),
        also=(f"Box weights chosen on validation data: {joint}; {separate}.",),
        because=f"With {cost.estimate:.2f} of the operations the joint network's localization accuracy differs by "
        f"{gap.estimate:+.1f} points from that of two networks, and by {equal.estimate:+.1f} from that of two that together "
        f"take as many as it does.",
    )


_TWO = {"model.network": SeparateClassAndBox}
_COST = {**PLAIN_SGD, "trainer.callbacks": [L(Cost)()]}


def variants(kind: str, network: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A network with each weight of the box loss."""
    return {name: {**network, "model.box_weight": weight} for name, weight in zip(weighted(kind), WEIGHTS, strict=True)}


study = LocalizationStudy(
    claim="E01",
    says="Softmax Loss와 L2 Loss를 더하여 Multitask Loss를 구하고, Hyperparameter를 통해 두 Loss를 조절한다.",
    translation="The softmax loss and the L2 loss are added to a multitask loss, and a hyperparameter balances the two.",
    slide="Classification + Localization, …pdf-0049",
    variants={
        **variants(JOINT, {}),
        # 1/√2 of the features in each of two networks: as many operations together as the joint one.
        NARROW: {**_TWO, "model.network.backbone.widths": [11, 23, 45], "model.network.hidden": 90, "model.box_weight": 5},
        **variants(SEPARATE, _TWO),
    },
    tune=Tune(start=0.1, by=CHOICE),
    controlled="backbone, heads, data, order, steps, plain SGD; the weight of the box loss is chosen for each",
    scales=scales({**_COST, **epochs(6)}, _COST),
    deviations=(
        "both of two networks are trained at the one learning rate that is best for the pair",
        "weights 0.2, 1, 5 and 25 of the box loss are tried; for the two networks of equal operations 5 alone",
    ),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "the box weight is chosen for each network by the validation error, where it was 20 for all; plain SGD in place of "
            "AdamW, which hides the losses' scale; 6 epochs in place of 8, for more runs; only the separate "
            "networks have to beat one answer for all",
        ),
        Amendment(
            "2026-11-27",
            "weight 0.2 is tried beside 1, 5 and 25, and the chosen weight has to lie inside those tried: 1, the least, was "
            "chosen for the joint network, which may do better below it",
        ),
    ),
)
