"""COCO's average precision and recall of instances by their keypoints: object keypoint similarity in the place of IoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCOeval_faster

from datamodules.scene import InputError

from .coco import CocoAP, Objects
from .gather import Arrays

KEYPOINT_KEYS = (
    *("mAP", "mAP50", "mAP75", "mAP_medium", "mAP_large"),
    *("AR", "AR50", "AR75", "AR_medium", "AR_large"),
)
"""COCO's ten numbers of keypoints, in its own order."""

SIGMAS: Mapping[str, float] = {
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
    "neck": 0.079,
    "head_top": 0.079,
}
"""How far apart two annotators put a keypoint, as a part of the root of the instance's area: one standard deviation.

COCO's own for its 17 keypoints (cocodataset.org, "Keypoint evaluation": measured on 5,000 images that several people
annotated). Nobody has measured the two that LSP's 14 have beside them, neck and top of the head; they are those of a shoulder,
as in the evaluation of CrowdPose (Li et al. 2019), which has the same 14.
"""

AREA_OF_BOX = 0.53
"""Area of an instance as a part of its box, where a data set does not give it: the evaluation of CrowdPose."""


def sigmas_of(keypoints: Sequence[str], own: Mapping[str, float] | None = None) -> tuple[float, ...]:
    """The sigma of each keypoint, by its name without ``left_`` and ``right_``; ``own`` come before :data:`SIGMAS`.

    Raises:
        InputError: a keypoint has none.
    """
    known = {**SIGMAS, **(own or {})}
    names = {
        keypoint: keypoint if keypoint in known else keypoint.removeprefix("left_").removeprefix("right_")
        for keypoint in keypoints
    }
    if unknown := [keypoint for keypoint, name in names.items() if name not in known]:
        raise InputError(f"no sigma is known of the keypoint {unknown[0]!r}: set model.sigmas, such as {{{unknown[0]}: 0.08}}")
    return tuple(known[names[keypoint]] for keypoint in keypoints)


class KeypointAP(CocoAP):
    """COCO's keypoint metrics (cocodataset.org, "Keypoint evaluation"), as pycocotools gives them.

    Two instances are as similar (OKS) as exp(-d² / (2 s² k²)) on average over the keypoints that are labelled: d is the
    distance in pixels, s² the instance's area, k twice the keypoint's sigma. ``compute`` returns float32 scalars:
    ``keypoint_mAP`` (the mean over OKS 0.50:0.05:0.95 and the classes), ``keypoint_mAP50``, ``keypoint_mAP75``,
    ``keypoint_mAP_medium``, ``keypoint_mAP_large`` (instances from 32² to 96² square pixels and above), ``keypoint_AR``
    (recall with 20 detections an image), ``keypoint_AR50``, ``keypoint_AR75``, ``keypoint_AR_medium``,
    ``keypoint_AR_large``; with ``per_class`` also ``keypoint_AP/<class>``.

    A detection on an object without a labelled keypoint is neither right nor wrong where it lies within twice its box. Classes
    without keypoints have no objects here, and are left out of the means. A detection's place is its keypoints alone; what is
    said of flags and ties at :class:`CocoAP` holds here too.

    The area is the target's ``area`` where it is given, else .53 of its box: the area of a mask is not taken, so that numbers
    do not change with what else is loaded.

    Args:
        classes: the names of the classes that labels count.
        keypoints: the names of the K keypoints.
        sigmas: of keypoints, by name, with or without ``left_`` and ``right_``: beside and before :data:`SIGMAS`.
        per_class: report ``keypoint_AP/<class>`` too.
        kwargs: those of ``torchmetrics.Metric``.

    Raises:
        InputError: a keypoint has no sigma.
    """

    keys = KEYPOINT_KEYS

    def __init__(
        self,
        classes: Sequence[str],
        keypoints: Sequence[str],
        *,
        sigmas: Mapping[str, float] | None = None,
        per_class: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(classes, per_class=per_class, **kwargs)
        self.iou_type, self.prefix, self.geometry = "keypoints", "keypoint_", ("boxes", "keypoints")
        self.sigmas = sigmas_of(keypoints, sigmas)

    def found(self, values: Arrays) -> Objects:
        """A detection is as large as the box of its keypoints, as in pycocotools' ``loadRes``."""
        points = values["keypoints"][..., :2].astype(np.float64)
        areas = (points.max(1) - points.min(1)).prod(1) if len(points) else np.zeros(0)
        return self._figures(values, areas)

    def there(self, values: Arrays) -> Objects:
        """The truth, with the area of instances that are given none."""
        return self._figures(values, AREA_OF_BOX * self._objects(values).areas)

    def _figures(self, values: Arrays, areas: Any) -> Objects:
        boxes = values["boxes"].reshape(-1, 4)
        return Objects(values["labels"], boxes, areas, keypoints=values["keypoints"])

    def adjust(self, evaluation: COCOeval_faster) -> None:
        # It would leave out the classes that no image shows, and count the others anew.
        evaluation.params.catIds = list(range(len(self.classes)))
        evaluation.params.kpt_oks_sigmas = np.array(self.sigmas)
