"""Who may ask the test server often enough climbs the leaderboard without knowing anything.

Deck “CNN, R-CNN”, slide “Recent Trend – Revolution of Depth”: “Human: 5.1% (Karpathy), Baidu cheating (2015.05) -
4.58%”. ImageNet's organisers found 200 submissions and more from 30 accounts, where two a week were allowed. Blum & Hardt 2015:
k submissions gain √(k/n) on n public images.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Check, Needs, Part

from ._leaderboards import LAW, Board, climb, full, ladder

IMAGES, FEW_IMAGES = 10_000, 1000
SUBMISSIONS = (30, 100, 300, 1000)
REPETITIONS = 10
"""Contests a seed, whose mean it is: a hundred in all."""
FULL, BLIND, LADDER = "full scores", "no feedback", "the Ladder"
BOARDS: dict[str, Board] = {"full": full, "ladder": ladder}
GAP, PRIVATE = f"gap of {SUBMISSIONS[-1]}", f"private of {SUBMISSIONS[-1]}"
SAYS = "Human: 5.1% (Karpathy), Baidu cheating (2015.05) - 4.58%"


def contest(*, seed: int, folder: Path, board: str, follows: bool) -> Measured:
    """Public and private scores after so many submissions, in percent, and the gap between them, by submissions and images."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(REPETITIONS):
        right = rng.integers(0, 2, (SUBMISSIONS[-1], 2, IMAGES), dtype=np.uint8).astype(bool)
        sizes = [*((k, IMAGES, f"{k}") for k in SUBMISSIONS), (SUBMISSIONS[-2], FEW_IMAGES, "few images")]
        for k, images, name in sizes:
            shown, private = climb(right[:k, :, :images].reshape(k, -1), BOARDS[board], follows, rng)
            for kind, value in {"public": shown, "private": private, "gap": shown - private}.items():
                found.setdefault(f"{kind} of {name}", []).append(100 * value)
    values = {name: float(np.mean(numbers)) for name, numbers in found.items()}
    kinds = {"public score, %": "public", "private score, %": "private", "public − private, points": "gap"}
    curves = {title: [(float(k), values[f"{kind} of {k}"]) for k in SUBMISSIONS] for title, kind in kinds.items()}
    law = {
        "law in k": values[GAP] / values[f"gap of {SUBMISSIONS[0]}"] / sqrt(SUBMISSIONS[-1] / SUBMISSIONS[0]),
        "law in n": values["gap of few images"] / values[f"gap of {SUBMISSIONS[-2]}"] / sqrt(IMAGES / FEW_IMAGES),
        "constant": values[GAP] / 100 / sqrt(SUBMISSIONS[-1] / IMAGES),
    }
    return Measured(values | law, curves)


def human_interval() -> tuple[float, float]:
    """95 % interval (Wilson) of 5.1 % wrong of 1,500 images, in percent: Karpathy's sample, Russakovsky et al. 2015, 6.4."""
    p, n, z = 0.051, 1500, 1.96
    middle, half = p + z**2 / (2 * n), z * sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return 100 * (middle - half) / (1 + z**2 / n), 100 * (middle + half) / (1 + z**2 / n)


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
