"""Each stage of R-CNN adds: fine-tuning on regions, SVMs in place of the softmax, and regressors that correct the boxes.

Deck “CNN, R-CNN”, slide “R-CNN: Regions with CNN features”; CS231n 2017, lecture 11, “R-CNN”; Girshick et al. 2014.
"""

from __future__ import annotations

from experiments.lectures.cs231n._regions import (
    AP,
    NOT_FINE_TUNED,
    NOT_TUNED,
    RCNN,
    SOFTMAX,
    SVM,
    RegionStudy,
    learns,
    rcnn,
    within,
)
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict


def verdict(runs: Runs) -> Verdict:
    """Reproduced: fine-tuning and the regressors add, and the SVMs take at most half a point. Direction only: the first two."""
    tuning = runs.difference("AP with SVMs, fine-tuned − not", RCNN, NOT_TUNED, SVM, needs="> 0")
    svms = within(runs, "AP, SVMs − softmax", RCNN, SVM, SOFTMAX, needs="≥ −0.5 points")
    boxes = within(runs, "AP, boxes corrected − as proposed", RCNN, AP, SVM, needs="> 0")
    found = runs.quantity("AP of all stages", RCNN, AP, scale=100, unit="%")
    adds = tuning.above(0) and boxes.above(0)
    return Rule((tuning, svms, boxes, found), (runs.tuned(), learns(runs, RCNN))).judge(
        reproduced=adds and svms.above(-0.5),
        direction=adds,
        refuted=tuning.excludes_above(0) or boxes.shows_no_rise(0.5),
        because=f"Fine-tuning on regions adds {tuning.estimate:+.1f} points of AP, SVMs in place of the softmax "
        f"{svms.estimate:+.1f}, and the correction of boxes {boxes.estimate:+.1f}.",
    )


study = RegionStudy(
    claim="G06",
    says="Region proposals by selective search, warped, through a CNN; an SVM a class and a regression that corrects the "
    "proposals. First object detection method using CNN.",
    slide="R-CNN: Regions with CNN features",
    paper="VOC 2010 53.7 %, VOC 2012 53.3 %; VOC 2007 58.5 % (AlexNet), 66.0 % (VGG-16).",
    variants={RCNN: rcnn(), NOT_TUNED: NOT_FINE_TUNED},
    controlled="pre-trained backbone, proposals, data, order; SVMs and regressors have the authors' constants",
    deviations=(
        "SVMs and regressors of the same run are scored with and without, on the same features",
        "32 regions an image in fine-tuning, from 8 images, where the paper has 128 in a batch",
    ),
    erratum="“First object detection method using CNN” is not so: Vaillant, Monrocq and LeCun detected faces with one in 1994, "
    "and OverFeat is of 2013.",
    parts=verdict,
)
