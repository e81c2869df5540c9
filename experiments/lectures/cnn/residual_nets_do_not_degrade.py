"""With shortcuts around every two layers, the 56-layer net is no worse than the 20-layer one.

Deck “CNN, R-CNN”, slide “Residual net”; He et al. 2016, figure 6. The shortcuts are of option A and add no parameter, so
that the plain and the residual net of a depth differ in nothing else.
"""

from __future__ import annotations

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part

from ._depth import CHANCE, ERROR, TEST_ERROR, DepthStudy, nets

PLAIN, DEEP, SHALLOW = "plain-56", "residual-56", "residual-20"


def parts(runs: Runs) -> Part:
    """Direction: at 56 layers the residual net has a lower training error than the plain one. Reproduced: by at least 5 points,
    and the residual net of 56 layers is no more than 1 point above that of 20."""
    cured = runs.difference("training error, plain-56 − residual-56", PLAIN, DEEP, ERROR, needs=Needs(low=5))
    deeper = runs.difference("training error, residual-56 − residual-20", DEEP, SHALLOW, ERROR, needs=Needs(high=1))
    return Part(
        says="With shortcuts around every two layers depth does no harm (slide image, from the paper).",
        effects=(cured,),
        conditions=(deeper,),
        shown=(runs.difference("test error, plain-56 − residual-56", PLAIN, DEEP, TEST_ERROR),),
        # The plain net need not learn: that is what the shortcuts are for.
        validity_checks=(runs.tuned(), runs.beats(ERROR, CHANCE, greater=False, variants=[SHALLOW])),
        shared_lr=runs.shared_lr(cured.name, PLAIN, DEEP, ERROR),
        because=f"At 56 layers shortcuts lower the training error by {cured.estimate:.0f} points; going from 20 to 56 layers "
        f"with them changes it by {deeper.estimate:+.1f} points.",
    )


study = DepthStudy(
    claim="D10",
    says="Residual net (slide image, from the paper: H(x) = F(x) + x, and the deeper net is no worse than the shallower one)",
    slide="ImageNet ResNets",
    paper="ImageNet top-1 error of 34 layers: plain 28.54 %, residual 25.03 %.",
    variants=nets(PLAIN, DEEP, SHALLOW),
    controlled="width, parameters (shortcuts of option A), data, order, initialization, batch normalization, steps",
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "that 56 layers are no worse than 20 is asked for within 1 point of error, where it was one standard deviation of "
            "the seeds; only the shallow residual net has to beat one guess for all",
        ),
    ),
)
