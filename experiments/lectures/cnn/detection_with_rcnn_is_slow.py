"""Detection with R-CNN is slow: every region takes its own pass through the network, which an image as a whole takes once.

Deck “CNN, R-CNN”, slide “Problems of R-CNN”, 3: “47s / image (on a GPU)”; Girshick 2015, section 1.1.
"""

from __future__ import annotations

from experiments.lectures.cs231n._image_time import (
    AMENDED,
    BOUND,
    DEVIATIONS,
    ORDER,
    TIMED,
    TimeStudy,
    proposed,
    ratio,
    wall,
)
from experiments.studies.results import Runs
from experiments.studies.verdict import Needs, Part

SLOW, QUICK = "R-CNN", "Fast R-CNN"
NEAR_THE_PIXELS = Needs(low=BOUND / 2, high=2 * BOUND)


def parts(runs: Runs) -> Part:
    """Against the same network on maps that are computed once an image, R-CNN takes more operations by ½ to 2 times the ratio
    of the pixels that each looks at, and more CPU time. By how much more time is shown and not judged: that depends on the
    processor. Direction only: more of both."""
    flops = ratio(runs, "gflop", SLOW, QUICK, "operations", needs=NEAR_THE_PIXELS)
    cpu = ratio(runs, "cpu", SLOW, QUICK, "CPU time", needs=ORDER, paper=146)
    seconds = runs.quantity("", TIMED, "cpu/R-CNN").estimate
    return Part(
        says=study.says,
        effects=(flops, cpu),
        validity_checks=(proposed(runs),),
        also=(wall(runs),),
        because=f"2,000 regions one by one take {flops.estimate:.0f} times the operations of those on maps computed once; "
        f"their pixels alone are {BOUND:.0f} times as many. Here that was {seconds:.1f} CPU-seconds, {cpu.estimate:.0f} times "
        "as many.",
    )


study = TimeStudy(
    claim="G11",
    says="At test-time, features are extracted from each object proposal in each test image → Detection with VGG16 takes 47s / "
    "image (on a GPU)",
    slide="Problems of R-CNN, 3. Object detection is slow.",
    paper="47.0 s an image for the network with VGG-16, 0.32 s with Fast R-CNN: 146 times.",
    deviations=(*DEVIATIONS, "the search for proposals, which both need, is not counted"),
    parts=parts,
    amendments=AMENDED,
)
