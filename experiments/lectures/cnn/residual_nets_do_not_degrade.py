"""With shortcuts around every two layers, the 56-layer net is no worse than the 20-layer one.

Deck “CNN, R-CNN”, slide “Residual net”; He et al. 2016, figure 6. The shortcuts are of option A and add no parameter, so
that the plain and the residual net of a depth differ in nothing else.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._depth import CHANCE, ERROR, DepthStudy, nets


def verdict(runs: Runs) -> Verdict:
    """Reproduced: residual-56 within one SD of residual-20 or better, and at least 5 points better than plain-56."""
    cured = runs.difference("training error, plain-56 − residual-56", "plain-56", "residual-56", ERROR, needs="≥ 5 points")
    deeper = runs.difference("training error, residual-56 − residual-20", "residual-56", "residual-20", ERROR, needs="≤ 1 SD")
    shared_lr = runs.shared_lr("training error, plain-56 − residual-56", "plain-56", "residual-56", ERROR)
    noise = 100 * runs.quantity("", "residual-20", ERROR).spread
    learns = runs.beats(ERROR, CHANCE, greater=False, variants=("residual-20", "residual-56"))
    helps = cured.above(0) and cured.estimate >= 5
    return Rule((cured, deeper), (runs.tuned(), learns), shared_lr).judge(
        reproduced=helps and deeper.estimate <= noise,
        direction=helps,
        refuted=cured.shows_no_rise(5),
        because=f"At 56 layers shortcuts lower the training error by {cured.estimate:.0f} points; going from 20 to 56 layers "
        f"with them changes it by {deeper.estimate:+.1f} points.",
    )


study = DepthStudy(
    claim="D10",
    says="Residual net: with shortcut connections, H(x) = F(x) + x.",
    slide="Residual net",
    paper="ImageNet top-1 error of 34 layers: plain 28.54 %, residual 25.03 %.",
    variants=nets("plain-56", "residual-56", "residual-20"),
    controlled="width, parameters (shortcuts of option A), data, order, initialization, batch normalization, steps",
    parts=verdict,
)
