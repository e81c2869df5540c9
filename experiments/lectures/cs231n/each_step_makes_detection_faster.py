"""From R-CNN over SPP-net and Fast R-CNN to Faster R-CNN, each step makes an image faster, from 49 seconds to 0.2.

CS231n 2017, lecture 11, “Faster R-CNN: Make CNN do proposals!”, and deck “CNN, R-CNN”, slide “Test-Time Speed”: the chart of
test time, proposals included.
"""

from __future__ import annotations

from itertools import pairwise

from experiments.studies.results import Runs
from experiments.studies.verdict import Effect, Rule, Verdict

from ._image_time import DETECTORS, DEVIATIONS, TimeStudy, proposed, total, wall

CHART = {"R-CNN": 49.0, "SPP-net": 4.3, "Fast R-CNN": 2.3, "Faster R-CNN": 0.2}
"""Seconds an image, proposals included."""


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the chart's order, and each ratio of neighbours within ½ to 2 times its own. Direction only: the order."""
    steps = []
    for slow, quick in pairwise(DETECTORS):
        pairs = zip(total(runs, slow), total(runs, quick), strict=True)
        paper = CHART[slow] / CHART[quick]
        needs = f"{paper / 2:.2g} to {2 * paper:.2g} x"
        steps.append(Effect(f"CPU time, {slow} / {quick}", tuple(a / b for a, b in pairs), "x", needs, paper))
    seconds = {name: sum(total(runs, name)) / len(total(runs, name)) for name in DETECTORS}
    ordered = all(step.above(1) for step in steps)
    near = all(step.is_finite and 0.5 <= step.estimate / (step.paper or 1) <= 2 for step in steps)
    chart = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
    return Rule(tuple(steps), (proposed(runs),), also=(wall(runs),)).judge(
        reproduced=ordered and near,
        direction=ordered,
        refuted=any(step.excludes_above(1) for step in steps),
        because=f"CPU-seconds an image, proposals included: {chart}. The chart has 49, 4.3, 2.3 and 0.2.",
    )


study = TimeStudy(
    claim="G19",
    says="Test time an image: R-CNN 49 s, SPP-net 4.3 s, Fast R-CNN 2.3 s, Faster R-CNN 0.2 s.",
    slide="R-CNN Test-Time Speed",
    paper="49 : 4.3 : 2.3 : 0.2 seconds, that is 245 : 21 : 11.5 : 1.",
    deviations=(
        *DEVIATIONS,
        "R-CNN and SPP-net with SVMs and regressors of random weights",
    ),
    parts=verdict,
)
