"""The deeper a residual net, the lower its training error and its test error.

Deck “CNN, R-CNN”, slide “ImageNet ResNets”; He et al. 2016, table 6. The paper itself has the counter-example: 1,202 layers do
worse than 110.
"""

from __future__ import annotations

from itertools import pairwise

from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Rule, Verdict

from ._depth import CHANCE, ERROR, DepthStudy, nets

NAMES = ("residual-56", "residual-32", "residual-20", "residual-8")
TEST_ERROR = "test/error"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: training and test error both fall with every step in depth; direction only: the training error does."""
    train = runs.difference("training error, 56 − 8 layers", NAMES[0], NAMES[-1], ERROR, needs="< 0 and falling at each step")
    test = runs.difference("test error, 56 − 8 layers", NAMES[0], NAMES[-1], TEST_ERROR, needs="< 0 and falling at each step")
    falls = {
        measure: all(runs.difference("", deep, shallow, measure).estimate < 0 for deep, shallow in pairwise(NAMES))
        for measure in (ERROR, TEST_ERROR)
    }
    shared_lr = runs.shared_lr("training error, 56 − 8 layers", NAMES[0], NAMES[-1], ERROR)
    validity_checks = (runs.tuned(), runs.beats(ERROR, CHANCE, greater=False))

    def because(level: Level) -> str:
        means = ", ".join(
            f"{n.split('-')[1]}: {runs.quantity('', n, ERROR, scale=100).estimate:.1f} %" for n in reversed(NAMES)
        )
        caveat = "" if level is Level.REPRODUCED else " After so few steps a deeper net need not be ahead yet."
        return f"Training error by depth: {means}; test error changes by {test.estimate:+.1f} points from 8 to 56.{caveat}"

    return Rule((train, test), validity_checks, shared_lr).judge(
        reproduced=train.below(0) and test.below(0) and falls[ERROR] and falls[TEST_ERROR],
        direction=train.below(0) and falls[ERROR],
        refuted=train.shows_no_fall(1),
        because=because,
    )


study = DepthStudy(
    claim="D11",
    says="Deep ResNets can be trained without difficulties. "
    "Deeper ResNets have lower training error, and also lower test error.",
    slide="ImageNet ResNets",
    paper="CIFAR-10 test error at 20 / 32 / 44 / 56 / 110 layers: 8.75 / 7.51 / 7.17 / 6.97 / 6.43 %; at 1,202 layers 7.93 %.",
    variants=nets(*NAMES),
    controlled="width, data, order, initialization, batch normalization, steps",
    parts=verdict,
)
