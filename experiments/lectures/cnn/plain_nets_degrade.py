"""A deeper plain net has the higher training error: 56 layers do worse than 20.

Deck “CNN, R-CNN”, slide “Plain net”; He et al. 2016, figures 1 and 6: the deeper net is worse on the training set already, so
it is no matter of overfitting, but of optimisation.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._depth import CHANCE, ERROR, DepthStudy, nets, variant


def verdict(runs: Runs) -> Verdict:
    """Reproduced: 56 layers are worse by more than two standard deviations, and still so with three times the steps."""
    gap = runs.difference("training error, plain-56 − plain-20", "plain-56", "plain-20", ERROR, needs="> 2 SD", paper=None)
    later = runs.difference("the same after three times the steps", "plain-56, 3×", "plain-20, 3×", ERROR, needs="> 0")
    shared_lr = runs.shared_lr("training error, plain-56 − plain-20", "plain-56", "plain-20", ERROR)
    noise = 100 * max(runs.quantity("", a, ERROR).spread for a in ("plain-20", "plain-56"))
    learns = runs.beats(
        ERROR, CHANCE, greater=False, variants=("plain-20", "plain-20, 3×")
    )  # the deep one need not: that is the claim
    worse = gap.above(0) and gap.estimate > 2 * noise
    return Rule((gap, later), (runs.tuned(), learns), shared_lr).judge(
        reproduced=worse and later.above(0),
        direction=gap.above(0),
        refuted=gap.shows_no_rise(1),
        because=f"With 56 layers the training error is {gap.estimate:.0f} points higher than with 20, each net at its own best "
        f"learning rate; after three times the steps it is {later.estimate:.0f}. It is a gap of optimisation at this budget.",
    )


study = DepthStudy(
    claim="D09",
    says="Plain net: simply stacking layers; a deeper plain net has higher training error and test error.",
    slide="Plain net",
    paper="ImageNet top-1 error: plain-18 27.94 %, plain-34 28.54 %; CIFAR-10: plain-110 above 60 %.",
    variants={
        **nets("plain-56", "plain-20"),
        "plain-56, 3×": variant(56, residual=False, budget=3, lr_of="plain-56"),
        "plain-20, 3×": variant(20, residual=False, budget=3, lr_of="plain-20"),
    },
    controlled="width, data, order, initialization, batch normalization, steps",
    parts=verdict,
)
