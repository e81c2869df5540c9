"""What is left of Fast R-CNN's two seconds an image is the search for proposals, on the CPU.

CS231n 2017, lecture 11, “Fast R-CNN: Problem: runtime dominated by region proposals!”; Girshick 2015, table 4.
"""

from __future__ import annotations

from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Rule, Verdict

from ._image_time import DEVIATIONS, TIMED, TimeStudy, proposed, wall


def share(run: Run) -> float:
    """Of selective search in what Fast R-CNN takes for an image, in CPU time."""
    return run.value("cpu/search") / (run.value("cpu/search") + run.value("cpu/Fast R-CNN"))


def verdict(runs: Runs) -> Verdict:
    """Reproduced: at least 70 % of the time. Direction only: more than half of it."""
    part = runs.quantity("CPU time of the search in Fast R-CNN's", TIMED, share, scale=100, unit="%", needs="≥ 70 %", paper=86)
    seconds = runs.quantity("", TIMED, "cpu/search").estimate
    rest = runs.quantity("", TIMED, "cpu/Fast R-CNN").estimate
    return Rule((part,), (proposed(runs),), also=(wall(runs),)).judge(
        reproduced=part.is_finite and part.interval[0] >= 70 and min(part.by_seed) >= 70,
        direction=part.above(50),
        refuted=part.excludes_above(50),
        because=f"Of an image's time in Fast R-CNN {part.estimate:.0f} % is selective search: {seconds:.2f} CPU-seconds, "
        f"beside {rest:.2f} of the network.",
    )


study = TimeStudy(
    claim="G17",
    says="About 2 seconds are left at test time, since selective search, which finds the proposals, runs on the CPU.",
    slide="Fast R-CNN",
    paper="Fast R-CNN 2.3 s with proposals, 0.32 s without: 86 %; Ren et al. 2015: 1,510 of 1,830 ms, 83 %.",
    deviations=(*DEVIATIONS, "a larger network has the smaller share of search: this one is small, but has no GPU"),
    parts=verdict,
)
