"""A deeper plain net has the higher training error: 56 layers do worse than 20.

Deck “CNN, R-CNN”, slide “Plain net”; He et al. 2016, figures 1 and 6: the deeper net is worse on the training set already, so
it is no matter of overfitting, but of optimisation.
"""

from __future__ import annotations

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part

from ._depth import CHANCE, ERROR, RUNNING, TEST_ERROR, DepthStudy, nets, variant

DEEP, SHALLOW = "plain-56", "plain-20"
LATER = ", 3×"
HIGHER = Needs(low=0)


def parts(runs: Runs) -> dict[str, Part]:
    """a: with 56 layers the training error is higher than with 20, each net at its own best rate (direction), and still is
    after three times the steps (reproduced). b: the same of the test error. The slide's figures are of other nets and other
    data, so that higher is all that is needed."""

    def degrades(kind: str, measure: str) -> Part:
        gap = runs.difference(f"{kind} error, {DEEP} − {SHALLOW}", DEEP, SHALLOW, measure, needs=HIGHER)
        later = runs.difference(f"{gap.name}, three times the steps", DEEP + LATER, SHALLOW + LATER, measure, needs=HIGHER)
        running = runs.difference(f"{gap.name}, running statistics", DEEP, SHALLOW, RUNNING)
        return Part(
            says=f"A deeper plain net has the higher {kind} error (slide image, from the paper).",
            effects=(gap,),
            conditions=(later,),
            shown=(running,) if measure == TEST_ERROR else (),
            # The deep nets need not learn: that is the claim.
            validity_checks=(
                runs.tuned(DEEP, SHALLOW),
                runs.beats(ERROR, CHANCE, greater=False, variants=[SHALLOW, SHALLOW + LATER]),
            ),
            shared_lr=runs.shared_lr(gap.name, DEEP, SHALLOW, measure),
            because=f"With 56 layers the {kind} error is {gap.estimate:+.0f} points from that with 20, each net at its best "
            f"rate; after three times the steps {later.estimate:+.0f}. It is a gap of optimisation at this budget.",
        )

    return {"a": degrades("training", ERROR), "b": degrades("test", TEST_ERROR)}


study = DepthStudy(
    claim="D09",
    says="Plain net (slide image, from the paper: the deeper one has the higher training error, and the higher test error)",
    slide="ImageNet plain nets",
    paper="ImageNet top-1 error: plain-18 27.94 %, plain-34 28.54 %; CIFAR-10: plain-110 above 60 %.",
    variants={
        **nets(DEEP, SHALLOW),
        DEEP + LATER: variant(56, residual=False, budget=3, lr_of=DEEP),
        SHALLOW + LATER: variant(20, residual=False, budget=3, lr_of=SHALLOW),
    },
    controlled="width, data, order, initialization, batch normalization, steps",
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "judged in two parts: the test error, which the slide shows too, is a part of its own, taken with the batches' own "
            "statistics as the training error is; two standard deviations are no need any more",
        ),
    ),
)
