"""COCO's average precision and recall of instances by their keypoints: object keypoint similarity in the place of IoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.scene import InputError

from .coco import CocoAP
from .matching import Arrays, Matched, area_of, matched
from .precision_recall import PrecisionRecall

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

    most = (20,)

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

    def record(self, prediction: Arrays, target: Arrays) -> Matched:
        """The image's detections, matched by their keypoints."""
        if "scale" in target:
            prediction, target = (_in_annotation(values, target["scale"]) for values in (prediction, target))
        objects = self.objects(target, AREA_OF_BOX * area_of(target["boxes"].reshape(-1, 4)))
        labelled = (target["keypoints"][..., 2] > 0).any(-1)
        objects = objects._replace(ignored=objects.ignored | ~labelled)
        similarity = keypoint_similarity(prediction, target, objects.areas, np.array(self.sigmas))
        # A detection is as large as the box of its keypoints, as in pycocotools' ``loadRes``.
        points = prediction["keypoints"][..., :2].astype(np.float64)
        areas = (points.max(1) - points.min(1)).prod(1) if len(points) else np.zeros(0)
        return matched(similarity, prediction, areas, objects, self.most[-1])

    def numbers(self, result: PrecisionRecall) -> dict[str, float]:
        every, half, three_quarters = slice(None), slice(0, 1), slice(5, 6)
        ranked = [(every, "all"), (half, "all"), (three_quarters, "all"), (every, "medium"), (every, "large")]
        measures = (result.mean_precision, result.mean_recall)
        return dict(zip(KEYPOINT_KEYS, [m(thresholds, area) for m in measures for thresholds, area in ranked], strict=True))


def _in_annotation(values: Arrays, scale: NDArray[np.float64]) -> Arrays:
    """The same objects with their places in pixels of the annotation, of which one is ``scale`` (x, y) of the image's."""
    points = values["keypoints"].astype(np.float64)
    points[..., :2] /= scale
    return {**values, "keypoints": points, "boxes": values["boxes"].reshape(-1, 4).astype(np.float64) / np.tile(scale, 2)}


def keypoint_similarity(
    prediction: Arrays, target: Arrays, areas: NDArray[np.float64], sigmas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(D, G): OKS of instances of one class, -1 of others.

    Of an object without a labelled keypoint the distances are those to twice its box: ``COCOeval.computeOks`` of pycocotools.

    Args:
        prediction: ``keypoints`` (D, K, 2 or more) and ``labels`` (D,).
        target: ``keypoints`` (G, K, 3), ``boxes`` (G, 4), xyxy, and ``labels`` (G,).
        areas: (G,), in square pixels.
        sigmas: (K,), of the keypoints.
    """
    similarity = np.full((len(prediction["labels"]), len(target["labels"])), -1.0)
    found = prediction["keypoints"][..., :2].astype(np.float64)
    corners = target["boxes"].reshape(-1, 2, 2).astype(np.float64)
    for g, (label, keypoints, (low, high)) in enumerate(zip(target["labels"], target["keypoints"], corners, strict=True)):
        rows, labelled = np.flatnonzero(prediction["labels"] == label), keypoints[:, 2] > 0
        size = high - low
        if labelled.any():
            distance = found[rows][:, labelled] - keypoints[labelled, :2]
        else:
            around, labelled = found[rows], np.ones(len(sigmas), bool)
            distance = np.maximum(0, low - size - around) + np.maximum(0, around - (low + 2 * size))
        error = np.square(distance).sum(-1) / np.square(2 * sigmas[labelled]) / (areas[g] + np.spacing(1)) / 2
        similarity[rows, g] = np.exp(-error).mean(-1)
    return similarity
