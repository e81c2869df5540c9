"""COCO's average precision and recall, of boxes and of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .detections import DetectionMetric, pixel_of
from .matching import Arrays, Matched, matched
from .precision_recall import PrecisionRecall, precision_recall

KEYS = (
    *("mAP", "mAP50", "mAP75", "mAP_small", "mAP_medium", "mAP_large"),
    *("AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"),
)
"""COCO's twelve numbers of boxes and masks, in its own order."""


class CocoAP(DetectionMetric):
    """COCO's detection metrics (Lin et al. 2014; cocodataset.org, "Detection evaluation"), as pycocotools gives them.

    ``compute`` returns float32 scalars: ``mAP`` (the mean over IoU 0.50:0.05:0.95 and the classes), ``mAP50``,
    ``mAP75``, ``mAP_small``, ``mAP_medium``, ``mAP_large`` (objects below 32², up to 96² and above, in square pixels of
    the annotation: see ``scale`` in :meth:`update`), ``AR1``, ``AR10``, ``AR100`` (recall with so many detections an image),
    ``AR_small``, ``AR_medium``, ``AR_large``; with ``per_class`` also ``AP/<class>``. Keys of masks begin with ``mask_``.
    Keypoints are another similarity, and numbers of their own: :class:`~lightning_modules.metrics.oks.KeypointAP`.

    As in pycocotools a value over no object at all is -1, classes without objects are left out of the means, and
    objects without detections give 0. A detection on a ``crowd`` is neither right nor wrong. COCO knows no
    ``difficult``: what is flagged so counts as a crowd, so that evaluation passes over it here too.

    The area that tells small from large is the target's ``area`` where it is given (COCO means the area of the mask,
    for boxes too), else that of the box or mask evaluated. Detections of equal score rank by the place of
    their image in the split, then in the order given.

    Args:
        classes: the names of the classes that labels count.
        iou_type: ``bbox``, or ``segm`` to compare ``masks`` in place of ``boxes``.
        per_class: report ``AP/<class>`` too.
        kwargs: those of ``torchmetrics.Metric``.
    """

    def __init__(
        self,
        classes: Sequence[str],
        *,
        iou_type: Literal["bbox", "segm"] = "bbox",
        per_class: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(classes, per_class=per_class, **kwargs)
        self.iou_type: Literal["bbox", "segm", "keypoints"] = iou_type
        self.prefix = "mask_" if iou_type == "segm" else ""
        self.geometry = ("masks",) if iou_type == "segm" else ("boxes",)

    def record(self, prediction: Arrays, target: Arrays) -> Matched:
        if self.iou_type == "bbox":
            return super().record(prediction, target)
        pixel = pixel_of(target)
        objects = self.objects(target, areas_of_masks(target["masks"]) / pixel)
        similarity = mask_similarity(prediction, target, objects.crowd, self.most[-1])
        return matched(similarity, prediction, areas_of_masks(prediction["masks"]) / pixel, objects, self.most[-1])

    def values(self, images: Matched) -> dict[str, float]:
        result = precision_recall(images, len(self.classes), self.most)
        values = self.numbers(result)
        if self.per_class:
            # All areas; -1 where the class has no object.
            values |= {f"AP/{name}": result.precision[:, :, c, 0].mean() for c, name in enumerate(self.classes)}
        return {self.prefix + key: value for key, value in values.items()}

    def numbers(self, result: PrecisionRecall) -> dict[str, float]:
        """The evaluation's own numbers, by name."""
        every, half, three_quarters = slice(None), slice(0, 1), slice(5, 6)
        ranked = [(every, "all"), (half, "all"), (three_quarters, "all"), *((every, a) for a in ("small", "medium", "large"))]
        precisions = [result.mean_precision(thresholds, area) for thresholds, area in ranked]
        recalls = [result.mean_recall(every, "all", m) for m in range(len(self.most))]
        recalls += [result.mean_recall(every, area) for area in ("small", "medium", "large")]
        return dict(zip(KEYS, [*precisions, *recalls], strict=True))


def areas_of_masks(masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N,): of masks (N, H, W), in pixels."""
    return np.array([np.count_nonzero(mask) for mask in masks], np.float64)


def mask_similarity(prediction: Arrays, target: Arrays, crowd: NDArray[np.bool_], most: int) -> NDArray[np.float64]:
    """(D, G): IoU of masks of one class, -1 of others; on a crowd the part of the detection that lies in it.

    Only the masks that can be matched, the first ``most`` of a class that has objects, are coded as run lengths.
    """
    from faster_coco_eval.core import mask as rle  # brings OpenCV with it

    labels, classes = prediction["labels"], target["labels"]
    similarity = np.full((len(labels), len(classes)), -1.0)
    for label in np.intersect1d(labels, classes):
        found, there = np.flatnonzero(labels == label)[:most], np.flatnonzero(classes == label)
        codes = (
            [rle.encode(np.asfortranarray(masks[i], np.uint8)) for i in rows]
            for masks, rows in ((prediction["masks"], found), (target["masks"], there))
        )
        similarity[np.ix_(found, there)] = rle.iou(*codes, crowd[there].astype(np.uint8).tolist())
    return similarity
