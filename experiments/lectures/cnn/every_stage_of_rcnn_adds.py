"""Each stage of R-CNN adds: fine-tuning on regions, SVMs in place of the softmax, and regressors that correct the boxes.

Deck “CNN, R-CNN”, slide “R-CNN: Regions with CNN features”; CS231n 2017, lecture 11, “R-CNN”; Girshick et al. 2014.
"""

from __future__ import annotations

from experiments.lectures.cs231n._regions import (
    AP,
    FEATURES_AS_POOLED,
    NOT_FINE_TUNED,
    NOT_TUNED,
    POOLED,
    RCNN,
    SOFTMAX,
    STAGES_AMENDED,
    SVM,
    RegionStudy,
    learns,
    rcnn,
    room,
    within,
)
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Check, Needs, Part

ADDS = Needs(low=0, margin=0.5)
ERRATUM = (
    "“First object detection method using CNN” is not so: Vaillant, Monrocq and LeCun detected faces with one in 1994, and "
    "OverFeat is of 2013."
)


def parts(runs: Runs) -> dict[str, Part]:
    """a: fine-tuning and the regressors add to the AP, fine-tuning also against features as they are pooled, since fully
    connected layers that have learned nothing are easy to beat; the whole also needs SVMs that take at most half a point. A
    change within ±0.5 points counts as none. b: whether there was no detector with a convolutional network before."""
    tuning = runs.difference("AP with SVMs, fine-tuned − not", RCNN, NOT_TUNED, SVM, needs=ADDS)
    bare = runs.difference("AP with SVMs, fine-tuned − features as pooled", RCNN, POOLED, SVM, needs=ADDS)
    boxes = within(runs, "AP, boxes corrected − as proposed", RCNN, AP, SVM, needs=ADDS)
    svms = within(runs, "AP, SVMs − softmax", RCNN, SVM, SOFTMAX, needs=Needs(low=-0.5))
    return {
        "a": Part(
            says="Regions with CNN features (R-CNN): Region proposal + CNN; Fine-tune CNN for object detection; Train linear "
            "predictor for object detection",
            effects=(tuning, bare, boxes),
            conditions=(svms,),
            validity_checks=(runs.tuned(RCNN), learns(runs, RCNN), room(runs)),
            shown=(runs.quantity("AP of all stages", RCNN, AP, scale=100, unit="%"),),
            because=f"Fine-tuning on regions changes the AP by {tuning.estimate:+.1f} points, against features as they are "
            f"pooled by {bare.estimate:+.1f}; SVMs in place of the softmax by "
            f"{svms.estimate:+.1f}, and the correction of boxes by {boxes.estimate:+.1f}.",
        ),
        "b": Part(
            says="First object detection method using CNN",
            checks=(
                Check.yes_or_no(
                    "no detector with a CNN before R-CNN, of 2013 (Vaillant, Monrocq and LeCun: faces, 1994)",
                    1994 >= 2013,
                    "no",
                    lecture="First object detection method using CNN",
                    wrong=True,
                ),
            ),
            because=ERRATUM,
        ),
    }


study = RegionStudy(
    claim="G06",
    says="Regions with CNN features (R-CNN): Region proposal + CNN; Use selective search to come up with regional proposal; "
    "First object detection method using CNN",
    slide="R-CNN: Regions with CNN features; CS231n …pdf-0064 to …pdf-0068",
    paper="VOC 2010 53.7 %, VOC 2012 53.3 %; VOC 2007 58.5 % (AlexNet), 66.0 % (VGG-16).",
    variants={RCNN: rcnn(), NOT_TUNED: NOT_FINE_TUNED, POOLED: FEATURES_AS_POOLED},
    controlled="pre-trained backbone, proposals, data, order; SVMs but for C, and regressors, have the authors' constants",
    deviations=(
        "SVMs and regressors of the same run are scored with and without, on the same features",
        "32 regions an image in fine-tuning, from 8 images, where the paper has 128 in a batch",
    ),
    erratum=ERRATUM,
    parts=parts,
    amendments=(
        *STAGES_AMENDED,
        Amendment("2026-11-26", "that R-CNN was the first is a part of its own; before, a remark"),
        Amendment(
            "2026-11-27",
            "fine-tuning has to beat features as they are pooled too, where random fully connected layers stood alone; and "
            "boxes as proposed have to leave room for a correction",
        ),
    ),
)
