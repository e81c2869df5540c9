"""From R-CNN over SPP-net and Fast R-CNN to Faster R-CNN, each step makes an image faster, from 49 seconds to 0.2.

CS231n 2017, lecture 11, “Faster R-CNN: Make CNN do proposals!”, and deck “CNN, R-CNN”, slide “Test-Time Speed”: the chart of
test time, proposals included.
"""

from __future__ import annotations

from itertools import pairwise

from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Part

from ._image_time import AMENDED, DETECTORS, DEVIATIONS, ORDER, TIMED, TimeStudy, proposed, ratio, wall

CHART = {"R-CNN": 49.0, "SPP-net": 4.3, "Fast R-CNN": 2.3, "Faster R-CNN": 0.2}
"""Seconds an image, proposals included."""


def parts(runs: Runs) -> Part:
    """The order of the chart: each detector takes more CPU time for an image than the next, proposals included; and of the
    three that are given their proposals each takes more operations than the next. The chart's ratios are shown and not judged:
    how long the search takes beside a network depends on the processor."""
    steps = tuple(
        ratio(runs, "total", slow, quick, "CPU time with the search", needs=ORDER, paper=CHART[slow] / CHART[quick])
        for slow, quick in pairwise(DETECTORS)
    )
    given = pairwise(DETECTORS[:3])  # the search, of which Faster R-CNN is rid, has no operations that are counted
    flops = tuple(ratio(runs, "gflop", slow, quick, "operations", needs=ORDER) for slow, quick in given)
    found = {name: runs.quantity("", TIMED, f"total/{name}").estimate for name in DETECTORS}
    chart = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    return Part(
        says=study.says,
        effects=(*flops, *steps),
        validity_checks=(proposed(runs),),
        also=(wall(runs),),
        because=f"CPU-seconds an image, proposals included: {chart}. The chart has 49, 4.3, 2.3 and 0.2.",
    )


study = TimeStudy(
    claim="G19",
    says="R-CNN Test-Time Speed: R-CNN 49, SPP-Net 4.3, Fast R-CNN 2.3, Faster R-CNN 0.2 seconds",
    slide="Test-Time Speed (slide image, from the paper); CS231n …pdf-0082",
    paper="49 : 4.3 : 2.3 : 0.2 seconds, that is 245 : 21 : 11.5 : 1.",
    deviations=(
        *DEVIATIONS,
        "R-CNN and SPP-net with SVMs and regressors of random weights",
        "SPP-net sees the image at one scale, where the chart's sees it at five",
    ),
    parts=parts,
    amendments=(
        *AMENDED,
        Amendment(
            "2026-11-26",
            "the order is judged, in CPU time and in operations; before, each ratio of CPU times had to be within ½ to 2 times "
            "the chart's, which a processor decides",
        ),
    ),
)
