"""One backbone with two heads, trained on the sum of both losses, does as well as two networks, at half the work.

CS231n 2017, lecture 11, “Classification + Localization”: softmax loss and L2 loss summed into a multi-task loss.
"""

from __future__ import annotations

from experiments.measures.cost import Cost
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.networks import SeparateClassAndBox

from ._localization import ERROR, LocalizationStudy, learns, scales

JOINT, NARROW, SEPARATE = "joint", "separate, same compute", "separate"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: joint is no more than 1 point below separate, at about half the operations. Not: more than 2 points below."""
    margin = "localization accuracy, joint − separate"
    gap = runs.difference(margin, SEPARATE, JOINT, ERROR, needs="> −1 point")
    cost = runs.ratio("operations of a forward pass, joint / separate", JOINT, SEPARATE, "cost/gflop", needs="≤ 0.6 x")
    equal = runs.difference("the same at equal operations", NARROW, JOINT, ERROR)
    classes = runs.difference("classification accuracy, joint − separate", SEPARATE, JOINT, "test/class_error")
    boxes = runs.difference("mean IoU, joint − separate", JOINT, SEPARATE, "test/iou")
    shared_lr = runs.shared_lr(margin, JOINT, SEPARATE, lambda run: -run.value(ERROR))
    return Rule((gap, cost, equal, classes, boxes), (runs.tuned(), learns(runs)), shared_lr).judge(
        reproduced=gap.above(-1) and cost.below(0.6),
        refuted=gap.below(-2) or cost.excludes_below(0.6),
        because=f"With {cost.estimate:.2f} of the operations the joint network's localization accuracy differs by "
        f"{gap.estimate:+.1f} points from that of two networks, and by {equal.estimate:+.1f} from that of two that together "
        f"take as many as it does.",
    )


_TWO = {"model.network": SeparateClassAndBox}
_COST = {"trainer.callbacks": [L(Cost)()]}

study = LocalizationStudy(
    claim="E01",
    says="Class scores by a softmax loss and a box of four numbers by an L2 loss, from one network, on the sum of the losses.",
    variants={
        JOINT: {},
        # 1/√2 of the features in each of two networks: as many operations together as the joint one.
        NARROW: {**_TWO, "model.network.backbone.widths": [11, 23, 45], "model.network.hidden": 90},
        SEPARATE: _TWO,
    },
    controlled="backbone, heads, data, order, steps, weight of the box loss",
    scales=scales(_COST, _COST),
    deviations=("both of two networks are trained at the one learning rate that is best for the pair",),
    parts=verdict,
)
