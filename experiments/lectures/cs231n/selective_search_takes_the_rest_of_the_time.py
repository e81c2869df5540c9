"""What is left of Fast R-CNN's two seconds an image is the search for proposals, on the CPU.

CS231n 2017, lecture 11, “Fast R-CNN: Problem: runtime dominated by region proposals!”; Girshick 2015, table 4.
"""

from __future__ import annotations

from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Part

from ._image_time import AMENDED, DEVIATIONS, ORDER, TIMED, TimeStudy, proposed, wall

SEARCH, REST = "cpu/search", "cpu/Fast R-CNN"


def share(run: Run) -> float:
    """Of selective search in what Fast R-CNN takes for an image, in CPU time."""
    return run.value(SEARCH) / (run.value(SEARCH) + run.value(REST))


def parts(runs: Runs) -> Part:
    """The search takes more CPU time than all the rest of Fast R-CNN. By how much is shown and not judged: that depends on the
    processor, and in the papers a GPU has the network."""
    more = runs.quantity(
        "CPU time, search / Fast R-CNN without it",
        TIMED,
        lambda run: run.value(SEARCH) / run.value(REST),
        unit="x",
        needs=ORDER,
        paper=6.2,
    )
    part = runs.quantity("CPU time of the search in all of Fast R-CNN's", TIMED, share, scale=100, unit="%", paper=86)
    seconds = runs.quantity("", TIMED, SEARCH).estimate
    rest = runs.quantity("", TIMED, REST).estimate
    return Part(
        says=study.says,
        effects=(more,),
        shown=(part,),
        validity_checks=(proposed(runs),),
        also=(wall(runs),),
        because=f"Of an image's time in Fast R-CNN {part.estimate:.0f} % is selective search: {seconds:.2f} CPU-seconds, "
        f"beside {rest:.2f} of the network.",
    )


study = TimeStudy(
    claim="G17",
    says="그러나 Test Time에서 아직 시간이 2초 가량 남아있는데, Region Proposal을 구하는 Selective Search가 CPU를 사용하는 "
    "알고리즘이기 때문이다.",
    translation="At test time, however, about 2 seconds are still left, because selective search, which finds the region "
    "proposals, is an algorithm that uses the CPU.",
    slide="Fast R-CNN, …pdf-0080",
    paper="Fast R-CNN 2.3 s with proposals, 0.32 s without: 86 %; Ren et al. 2015: 1,510 of 1,830 ms, 83 %.",
    deviations=(
        *DEVIATIONS,
        "a larger network has the smaller share of search: this one is small, but has no GPU",
        "the search is compiled code of this project's own, several times faster than that of the papers' time",
    ),
    parts=parts,
    amendments=(
        *AMENDED,
        Amendment(
            "2026-11-26", "the search is to take more than the rest; before, 70 % of the time, which a processor decides"
        ),
    ),
)
