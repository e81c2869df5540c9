"""COCO's average precision and recall, of boxes and of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from faster_coco_eval.core import mask as rle
from numpy.typing import NDArray
from torch import Tensor

from .gather import Arrays, DetectionMetric

KEYS = (
    *("mAP", "mAP50", "mAP75", "mAP_small", "mAP_medium", "mAP_large"),
    *("AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"),
)
"""COCO's twelve numbers, in its own order."""


class _Objects(NamedTuple):
    labels: NDArray[np.int64]  # (N,)
    boxes: NDArray[np.float32]  # (N, 4) xyxy; 0 where masks are evaluated
    areas: NDArray[np.float64]  # (N,)
    masks: list[dict[str, Any]]  # N run-length codes; none where boxes are evaluated


class _Image(NamedTuple):
    found: _Objects
    scores: NDArray[np.float32]
    there: _Objects
    crowd: NDArray[np.bool_]


class CocoAP(DetectionMetric[_Image]):
    """COCO's detection metrics (Lin et al. 2014; cocodataset.org, "Detection evaluation"), as pycocotools gives them.

    ``compute`` returns float32 scalars: ``mAP`` (the mean over IoU 0.50:0.05:0.95 and the classes), ``mAP50``,
    ``mAP75``, ``mAP_small``, ``mAP_medium``, ``mAP_large`` (objects below 32², up to 96² and above, in square pixels of
    the boxes as given), ``AR1``, ``AR10``, ``AR100`` (recall with so many detections an image), ``AR_small``,
    ``AR_medium``, ``AR_large``; with ``per_class`` also ``AP/<class>``. Keys of masks begin with ``mask_``.

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
        self.iou_type = iou_type
        self.geometry = "masks" if iou_type == "segm" else "boxes"

    def record(self, prediction: Arrays, target: Arrays) -> _Image:
        """The image's boxes, or its masks as run lengths."""
        found, there = self._objects(prediction), self._objects(target)
        none = np.zeros(len(there.labels), bool)
        passed_over = np.logical_or(target.get("crowd", none), target.get("difficult", none))
        areas = target.get("area", there.areas).astype(np.float64)
        return _Image(found, prediction["scores"], there._replace(areas=areas), passed_over)

    def _objects(self, values: Arrays) -> _Objects:
        if self.iou_type == "segm":
            masks = [rle.encode(np.asfortranarray(mask, np.uint8)) for mask in values["masks"]]
            areas = np.array([rle.area(mask) for mask in masks], np.float64)
            return _Objects(values["labels"], np.zeros((len(masks), 4), np.float32), areas, masks)
        boxes = values["boxes"].reshape(-1, 4)
        sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
        return _Objects(values["labels"], boxes, sides.prod(1), [])

    def compute(self) -> dict[str, Tensor]:
        """The metrics over all images: see the class."""
        evaluation = self._evaluate()
        prefix = "mask_" if self.iou_type == "segm" else ""
        values = dict(zip(KEYS, evaluation.stats, strict=True))
        if self.per_class:
            # (IoU, recall, class, area, detections): all areas, 100 detections; -1 where the class has no object.
            precision = evaluation.eval["precision"][:, :, :, 0, -1]
            values |= {f"AP/{name}": precision[:, :, c].mean() for c, name in enumerate(self.classes)}
        return {prefix + key: torch.tensor(value, dtype=torch.float32, device=self.device) for key, value in values.items()}

    def _evaluate(self) -> COCOeval_faster:
        images: list[dict[str, Any]] = []
        there: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        for number, image in enumerate(self.in_order()):
            masks = image.found.masks or image.there.masks
            height, width = masks[0]["size"] if masks else (0, 0)
            images.append({"id": number, "height": height, "width": width})
            there += _annotations(image.there, number, len(there), "iscrowd", image.crowd.astype(int))
            found += _annotations(image.found, number, len(found), "score", image.scores)
        about = {"images": images, "categories": [{"id": c, "name": name} for c, name in enumerate(self.classes)]}
        evaluation = COCOeval_faster(COCO(about | {"annotations": there}), COCO(about | {"annotations": found}), self.iou_type)
        evaluation.run()
        return evaluation


def _annotations(objects: _Objects, image: int, count: int, key: str, values: NDArray[Any]) -> list[dict[str, Any]]:
    """COCO's dicts of one image's objects; ``count`` others came before."""
    boxes = objects.boxes.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    columns = zip(objects.labels.tolist(), boxes.tolist(), objects.areas.tolist(), values.tolist(), strict=True)
    annotations = [
        # Numbered from 1: COCO takes a match with number 0 for none.
        {"id": i, "image_id": image, "category_id": label, "bbox": box, "area": area, key: value}
        for i, (label, box, area, value) in enumerate(columns, start=count + 1)
    ]
    for annotation, mask in zip(annotations, objects.masks, strict=False):
        annotation["segmentation"] = mask
    return annotations
