"""Detection with R-CNN is slow: every region takes its own pass through the network, which an image as a whole takes once.

Deck “CNN, R-CNN”, slide “Problems of R-CNN”, 3: “47s / image (on a GPU)”; Girshick 2015, section 1.1.
"""

from __future__ import annotations

from experiments.lectures.cs231n._image_time import BOUND, DEVIATIONS, TIMED, TimeStudy, proposed, ratio, wall
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the ratio of operations is within ½ to 2 times that of the pixels, and the ratio of CPU times within 40 % of
    it. Direction only: R-CNN takes more of both."""
    flops = ratio(runs, "gflop", "operations", needs=f"{BOUND / 2:.0f} to {2 * BOUND:.0f} x")
    cpu = ratio(runs, "cpu", "CPU time", needs="within 40 % of the operations", paper=146)
    near = cpu.is_finite and all(abs(c / f - 1) <= 0.4 for c, f in zip(cpu.by_seed, flops.by_seed, strict=True))
    seconds = runs.quantity("", TIMED, "cpu/R-CNN").estimate
    return Rule((cpu, flops), (proposed(runs),), also=(wall(runs),)).judge(
        reproduced=near and all(BOUND / 2 <= f <= 2 * BOUND for f in flops.by_seed),
        direction=flops.above(1) and cpu.above(1),
        refuted=flops.excludes_above(1) or cpu.excludes_above(1),
        because=f"2,000 regions one by one take {seconds:.1f} CPU-seconds, {cpu.estimate:.0f} times what they take on maps "
        f"computed once, with {flops.estimate:.0f} times the operations; their pixels alone are {BOUND:.0f} times as many.",
    )


study = TimeStudy(
    claim="G11",
    says="Object detection is slow: features are extracted from each object proposal in each test image; detection with VGG16 "
    "takes 47s / image (on a GPU).",
    slide="Problems of R-CNN",
    paper="47.0 s an image for the network with VGG-16, 0.32 s with Fast R-CNN: 146 times.",
    deviations=(*DEVIATIONS, "the search for proposals, which both need, is not counted"),
    parts=verdict,
)
