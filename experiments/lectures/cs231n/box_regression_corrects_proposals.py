"""Regression of boxes corrects the proposals, also outwards: where a region is too small, the box grows beyond it.

CS231n 2017, lecture 11, “R-CNN”, and the question whether the offsets always point into the region; Girshick et al. 2014,
appendix C.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._regions import AP, NOT_FINE_TUNED, NOT_TUNED, RCNN, SVM, RegionStudy, learns, rcnn, within


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the correction adds 2 to 9 points of AP, and the boxes that it moves outwards gain IoU. Direction only: it
    adds."""
    gain = within(runs, "AP, boxes corrected − as proposed", RCNN, AP, SVM, needs="2 to 9 points", paper=4.3)
    outward = runs.quantity("boxes moved outwards", RCNN, "corrections/outward", scale=100, unit="%", needs="> 0")
    better = runs.quantity("IoU that these gain", RCNN, "corrections/outward_gain", scale=100, unit="points", needs="> 0")
    small = runs.quantity("IoU that regions inside their object gain", RCNN, "corrections/small_gain", scale=100, unit="points")
    strict = within(runs, "AP at an IoU of 0.75, corrected − as proposed", RCNN, "test/mAP75", "svm/mAP75")
    before, after = (runs.quantity("", RCNN, f"corrections/iou_{when}").estimate for when in ("before", "after"))
    grows = outward.above(0) and better.above(0)
    return Rule((gain, outward, better, small, strict), (runs.tuned(), learns(runs, RCNN))).judge(
        reproduced=gain.above(0) and 2 <= gain.estimate <= 9 and grows,
        direction=gain.above(0),
        refuted=gain.shows_no_rise(0.5),
        because=f"Correcting the boxes adds {gain.estimate:+.1f} points of AP. Of regions drawn around the objects it brings "
        f"the mean IoU from {before:.2f} to {after:.2f}; {outward.estimate:.0f} % are moved outwards and gain "
        f"{better.estimate:+.1f} points of IoU.",
    )


study = RegionStudy(
    claim="G08",
    says="The proposals are corrected by regression: four offsets. They may not only point into the region, but where it is "
    "needed out of it.",
    slide="R-CNN",
    paper="VOC 2007: 54.2 % without, 58.5 % with regression of boxes.",
    variants={RCNN: rcnn(), NOT_TUNED: NOT_FINE_TUNED},
    controlled="the run: the same scores with boxes as they are proposed and corrected",
    deviations=(
        "the IoU before and after is that of eight regions drawn around each object of the test set, shifted, too large and "
        "too small, with an IoU of at least 0.5; “outwards” is a tenth of the box outside its region",
        "the variant without fine-tuning is another study's, and decides nothing",
    ),
    parts=verdict,
)
