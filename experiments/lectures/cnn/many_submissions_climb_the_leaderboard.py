"""Who may ask the test server often enough climbs the leaderboard without knowing anything.

Deck “CNN, R-CNN”, slide “Recent Trend – Revolution of Depth”: “Human: 5.1% (Karpathy), Baidu cheating (2015.05) -
4.58%”. ImageNet's organisers found 200 submissions and more from 30 accounts, where two a week were allowed. Blum & Hardt 2015:
k submissions gain √(k/n) on n public images.
"""

from __future__ import annotations

from math import sqrt

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Check, Needs, Part

from ._leaderboards import GAP, LAW, PRIVATE, SUBMISSIONS, contest, human_interval

FULL, BLIND, LADDER = "full scores", "no feedback", "the Ladder"
SAYS = "Human: 5.1% (Karpathy), Baidu cheating (2015.05) - 4.58%"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: with the scores of 1,000 guesses the public score is further above the private one than without them, the
    gap goes as √(k/n) within a factor of 2, in k and in n, and the private score stays where it was, within ±0.5 points, the
    standard error of one score. b, beyond the lecture: the Ladder's gap is below that of full scores. c, beyond: what a sample
    of 1,500 images can tell."""
    same = Needs(0.5, 2)
    gap = runs.difference("gap, full scores − no feedback", FULL, BLIND, GAP, scale=1, needs=Needs(low=0))
    mended = runs.difference("gap, the Ladder − full scores", LADDER, FULL, GAP, scale=1, needs=Needs(high=0))
    laws = tuple(runs.quantity(f"{law}, measured ÷ √", FULL, law, unit="x", needs=same) for law in ("law in k", "law in n"))
    private = runs.quantity("private score − ½", FULL, lambda r: r.value(PRIVATE) - 50, unit="points", needs=Needs(-0.5, 0.5))
    constant = runs.quantity("gap ÷ √(k/n)", FULL, "constant", paper=LAW)
    low, high = human_interval()
    return {
        "a": Part(
            says=SAYS,
            effects=(gap, *laws, private),
            shown=(constant,),
            because=f"A team of guesses is {gap.estimate:.1f} points ahead on the public images after {SUBMISSIONS[-1]:,} "
            f"submissions, and nowhere on the private ones. By this law 200 submissions gain "
            f"{100 * constant.estimate * sqrt(200 / 1e5):.1f} points on ImageNet's 100,000 test images, were there two "
            f"classes; between 4.94 % and 4.58 % lie 0.36.",
        ),
        "b": Part(
            says="A board that only moves for a significant gain (Blum & Hardt's Ladder) bears it.",
            effects=(mended,),
            beyond=True,
            because=f"Its gap after as many submissions is {mended.estimate:+.1f} points from that of full scores.",
        ),
        "c": Part(
            says="Human: 5.1% (Karpathy): of 1,500 images.",
            checks=(
                Check("its 95 % interval begins at, %", round(low, 1), 4.1),
                Check("and ends at, %", round(high, 1), 6.3),
                Check.yes_or_no("4.94 %, 4.82 % and 4.58 % lie inside", low < 4.58 and high > 4.94, "yes"),
            ),
            beyond=True,
            because="The sample cannot tell the machines of 2015 from this person.",
        ),
    }


study = Study(
    claim="D08",
    says=SAYS,
    slide="Recent Trend – Revolution of Depth",
    paper="Russakovsky et al. 2015: one person 5.1 % of 1,500 images. He et al. 2015 (PReLU): 4.94 %; Ioffe & Szegedy 2015: "
    "4.82 %. Blum & Hardt 2015: k submissions gain √(k/n).",
    work=Measurement(contest),
    variants={
        FULL: {"board": "full", "follows": True},
        BLIND: {"board": "full", "follows": False},
        LADDER: {"board": "ladder", "follows": True},
    },
    controlled="the guesses, 10,000 public and 10,000 private images of two classes, 1,000 submissions",
    deviations=("guesses at two classes in place of trained nets at a thousand: what is gained is the scores' doing alone",),
    seeds=10,
    parts=parts,
    figure="public − private, points",
    figure_axes="log-x",
    figure_x="submissions",
)
