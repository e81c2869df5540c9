"""Localization and detection are fully supervised: the fewer of the boxes are known, the worse they get.

CS231n 2017, lecture 11, “Classification + Localization” and “R-CNN”, question “what data is needed?”: class and box of each
image, and of R-CNN those of all objects.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from experiments.lectures._length import epochs
from experiments.measures.labelling import MissingObjects
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import ConvBackbone

from ._localization import DRAWN
from ._missing_boxes import LocalizationWithMissingBoxes

IOU, AP = "test/iou", "test/mAP50"
SHARES = (0, 50, 90)
"""Percent of the boxes that are missing."""
WORSE = Needs(low=0)
SAYS = "Fully Supervised Setting이기 때문에, 카테고리 Label와 Bounding Box GT를 미리 가지고 있어야 한다."
OBJECTS = "R-CNN도 Fully Supervised이다. 학습 데이터에는 모든 객체에 대한 Bbox가 필요하다."


def located(share: int) -> str:
    return f"{share} % of the boxes missing"


def detected(share: int) -> str:
    return f"{share} % of the objects missing"


def parts(runs: Runs) -> dict[str, Part]:
    """a: with half of the training images' boxes missing the mean IoU on the test set is lower, and with nine tenths missing
    lower still; the classes are all known. b: the same of a detector's AP, where objects are missing from the truth.
    Direction and whole are one, since the lecture has no figure."""

    def lost(name: Any, measure: str, what: str) -> tuple[Any, ...]:
        return tuple(
            runs.difference(f"{what} lost from {few} to {many} % missing", name(few), name(many), measure, needs=WORSE)
            for few, many in pairwise(SHARES)
        )

    iou, ap = lost(located, IOU, "mean IoU"), lost(detected, AP, "AP50")
    table = {
        measure: ", ".join(f"{100 * runs.quantity('', name(share), measure).estimate:.1f}" for share in SHARES)
        for name, measure in ((located, IOU), (detected, AP))
    }
    return {
        "a": Part(
            says=SAYS,
            effects=iou,
            validity_checks=(runs.tuned(*map(located, SHARES)),),
            because=f"Mean IoU in percent with 0, 50 and 90 % of the boxes missing: {table[IOU]}.",
        ),
        "b": Part(
            says=OBJECTS,
            effects=ap,
            validity_checks=(runs.tuned(*map(detected, SHARES)), runs.beats(AP, 0.0, variants=[detected(0)])),
            because=f"AP50 in percent with 0, 50 and 90 % of the objects missing from the truth: {table[AP]}.",
        ),
    }


def boxes_missing(share: int) -> dict[str, Any]:
    return {"model": LocalizationWithMissingBoxes, "model.missing": share / 100, **epochs(6)}


def objects_missing(share: int) -> Variant:
    changes: dict[str, Any] = {
        "model.network.backbone": L(ConvBackbone)(widths=[16, 32, 64], depth=1),
        "model.network.scales": 2,
        "data.image_size": 64,
        "data.train": 1000,
        "data.test": 250,
        "data.style": {"classes": ["circle", "square", "triangle"], "objects": [2, 4], "clutter": 0.2},
        "trainer.callbacks": [L(MissingObjects)(share=share / 100)],
        **epochs(8),
    }
    return Variant(changes, work=Training("detection/ssd_shapes"))


study = Study(
    claim="E06",
    says=SAYS,
    translation="Since the setting is fully supervised, one must have the label of the category and the true box beforehand.",
    slide="Classification + Localization, …pdf-0049",
    work=Training("localization/small_shapes"),
    variants={
        **{located(share): boxes_missing(share) for share in SHARES},
        **{detected(share): objects_missing(share) for share in SHARES},
    },
    tune=Tune(start=5e-3, by="val/loss"),
    controlled="network, data, order, steps; validation and test have all of the truth",
    scales={
        "cpu": Scale(
            deviations=(
                DRAWN,
                "SSD of two maps on drawn scenes of 64 × 64 pixels with two to four objects, in place of R-CNN",
                "where a box is missing the class is still known, so that nothing but the box is missed",
            )
        )
    },
    deviations=("the lecture states what is needed; what is measured is what is lost where it is not there",),
    parts=parts,
)
