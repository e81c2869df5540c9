"""Regression of boxes corrects the proposals, also outwards: where a region is too small, the box grows beyond it.

CS231n 2017, lecture 11, “R-CNN”, and the question whether the offsets always point into the region; Girshick et al. 2014,
appendix C.
"""

from __future__ import annotations

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part

from ._regions import AP, RCNN, STAGES_AMENDED, SVM, RegionStudy, learns, rcnn, room, within
from ._shaken import GROWTH, SHIFT, ShakenProposals

CORRECTS = "Region Proposals을 보정하기 위한 Regression 과정을 거친다."
OUTWARD = "Offsets이 항상 안쪽으로만 작용해선 안 된다. 필요한 경우, 예측한 Offsets이 Bbox의 외부로 향하기도 한다."


def parts(runs: Runs) -> dict[str, Part]:
    """a: the correction adds 2 to 9 points of AP, about ½ to 2 times the paper's 4.3; direction only: it adds; a change within
    ±0.5 points counts as none. b: boxes that are moved outwards gain IoU with their object. Either is judged within the runs of
    one variant, whose learning rate it does not depend on."""
    gain = within(runs, "AP, boxes corrected − as proposed", RCNN, AP, SVM, needs=Needs(2, 9, null=0, margin=0.5), paper=4.3)
    strict = within(runs, "AP at an IoU of 0.75, corrected − as proposed", RCNN, "test/mAP75", "svm/mAP75")
    better = runs.quantity(
        "IoU that boxes moved outwards gain", RCNN, "corrections/outward_gain", scale=100, unit="points", needs=Needs(low=0)
    )
    outward = runs.quantity("boxes moved outwards", RCNN, "corrections/outward", scale=100, unit="%")
    small = runs.quantity("IoU that regions inside their object gain", RCNN, "corrections/small_gain", scale=100, unit="points")
    before, after = (runs.quantity("", RCNN, f"corrections/iou_{when}").estimate for when in ("before", "after"))
    return {
        "a": Part(
            says=CORRECTS,
            effects=(gain,),
            shown=(strict,),
            validity_checks=(learns(runs, RCNN), room(runs)),
            because=f"Correcting the boxes changes the AP by {gain.estimate:+.1f} points. Of regions drawn around objects it "
            f"brings the mean IoU from {before:.2f} to {after:.2f}.",
        ),
        "b": Part(
            says=OUTWARD,
            effects=(better,),
            shown=(outward, small),
            validity_checks=(learns(runs, RCNN),),
            because=f"{outward.estimate:.0f} % of the boxes are moved outwards and gain {better.estimate:+.1f} points of IoU.",
        ),
    }


study = RegionStudy(
    claim="G08",
    says=f"{CORRECTS} {OUTWARD}",
    translation="A regression corrects the region proposals. The offsets must not always work inwards only. Where it is "
    "needed, the predicted offsets also point out of the box.",
    slide="R-CNN, …pdf-0068, and the question whether offsets always work inwards",
    paper="VOC 2007: 54.2 % without, 58.5 % with regression of boxes.",
    variants={RCNN: {**rcnn(), "data.proposals": L(ShakenProposals)()}},
    controlled="the run: the same scores with boxes as they are proposed and corrected",
    deviations=(
        f"each proposal is moved by up to {SHIFT:.0%} of its sides and scaled by up to {GROWTH:g}: on drawn scenes selective "
        "search finds outlines to the pixel",
        "the IoU before and after is that of eight regions drawn around each object of the test set, shifted, too large and "
        "too small, with an IoU of at least 0.5; “outwards” is a tenth of the box outside its region",
    ),
    parts=parts,
    amendments=(
        *STAGES_AMENDED,
        Amendment(
            "2026-11-26",
            "two parts, and no validity check of learning rates: either is judged within one run; before, one rule for both, "
            "inconclusive since fine-tuning had no best rate. A variant that decided nothing is left out",
        ),
        Amendment(
            "2026-11-27",
            "proposals are moved and scaled, and have to leave room for a correction; before, selective search's own, which "
            "are right to the pixel on drawn scenes",
        ),
    ),
)
