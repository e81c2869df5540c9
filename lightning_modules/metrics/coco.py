"""COCO's average precision and recall, of boxes and of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

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
"""COCO's twelve numbers of boxes and masks, in its own order."""


class Objects(NamedTuple):
    """What is kept of the objects of one image, found or there."""

    labels: NDArray[np.int64]  # (N,)
    boxes: NDArray[np.float32]  # (N, 4) xyxy; 0 where masks are evaluated
    areas: NDArray[np.float64]  # (N,)
    masks: Sequence[dict[str, Any]] = ()  # N run-length codes, where masks are evaluated
    keypoints: NDArray[np.float32] | None = None  # (N, K, 3), where keypoints are evaluated


class Image(NamedTuple):
    """What is kept of one image."""

    found: Objects
    scores: NDArray[np.float32]
    there: Objects
    crowd: NDArray[np.bool_]


class CocoAP(DetectionMetric[Image]):
    """COCO's detection metrics (Lin et al. 2014; cocodataset.org, "Detection evaluation"), as pycocotools gives them.

    ``compute`` returns float32 scalars: ``mAP`` (the mean over IoU 0.50:0.05:0.95 and the classes), ``mAP50``,
    ``mAP75``, ``mAP_small``, ``mAP_medium``, ``mAP_large`` (objects below 32², up to 96² and above, in square pixels of
    the boxes as given), ``AR1``, ``AR10``, ``AR100`` (recall with so many detections an image), ``AR_small``,
    ``AR_medium``, ``AR_large``; with ``per_class`` also ``AP/<class>``. Keys of masks begin with ``mask_``. Keypoints are
    another similarity, and numbers of their own: :class:`~lightning_modules.metrics.oks.KeypointAP`.

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

    keys: ClassVar[Sequence[str]] = KEYS
    """The names of the evaluation's own numbers, in its order."""

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

    def record(self, prediction: Arrays, target: Arrays) -> Image:
        """The image's boxes, or its masks as run lengths."""
        found, there = self.found(prediction), self.there(target)
        none = np.zeros(len(there.labels), bool)
        passed_over = np.logical_or(target.get("crowd", none), target.get("difficult", none))
        areas = target.get("area", there.areas).astype(np.float64)
        return Image(found, prediction["scores"], there._replace(areas=areas), passed_over)

    def found(self, values: Arrays) -> Objects:
        """What is kept of a prediction."""
        return self._objects(values)

    def there(self, values: Arrays) -> Objects:
        """What is kept of the truth."""
        return self._objects(values)

    def _objects(self, values: Arrays) -> Objects:
        if self.iou_type == "segm":
            masks = [rle.encode(np.asfortranarray(mask, np.uint8)) for mask in values["masks"]]
            areas = np.array([rle.area(mask) for mask in masks], np.float64)
            return Objects(values["labels"], np.zeros((len(masks), 4), np.float32), areas, masks)
        boxes = values["boxes"].reshape(-1, 4)
        sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
        return Objects(values["labels"], boxes, sides.prod(1))

    def compute(self) -> dict[str, Tensor]:
        """The metrics over all images: see the class."""
        evaluation = self._evaluate()
        values = dict(zip(self.keys, evaluation.stats, strict=True))
        if self.per_class:
            # (IoU, recall, class, area, detections): all areas, most detections; -1 where the class has no object.
            precision = evaluation.eval["precision"][:, :, :, 0, -1]
            values |= {f"AP/{name}": precision[:, :, c].mean() for c, name in enumerate(self.classes)}
        values = {self.prefix + key: value for key, value in values.items()}
        return {key: torch.tensor(value, dtype=torch.float32, device=self.device) for key, value in values.items()}

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
        truth, detections = COCO(about | {"annotations": there}), COCO(about | {"annotations": found})
        evaluation = COCOeval_faster(truth, detections, self.iou_type)
        self.adjust(evaluation)
        evaluation.run()
        return evaluation

    def adjust(self, evaluation: COCOeval_faster) -> None:
        """Changes the evaluation's parameters, where COCO's own are not those of the data set."""


def _annotations(objects: Objects, image: int, count: int, key: str, values: NDArray[Any]) -> list[dict[str, Any]]:
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
    for annotation, keypoints in zip(annotations, objects.keypoints if objects.keypoints is not None else (), strict=False):
        annotation["keypoints"] = keypoints.astype(np.float64).flatten().tolist()
        annotation["num_keypoints"] = int((keypoints[:, 2] > 0).sum())
    return annotations
