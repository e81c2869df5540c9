"""Instance segmentation: every object's class, box and pixels."""

from __future__ import annotations

from typing import ClassVar

from torchmetrics import MetricCollection

from .branched_detection import BranchedDetection
from .metrics.coco import CocoAP


class InstanceSegmentation(BranchedDetection):
    """Every object's class, box, score and mask (CS231n 2017, lecture 11, "Instance Segmentation"; Mask R-CNN).

    Where detection tells objects of a class apart by boxes and semantic segmentation tells pixels by class alone, this gives
    each object pixels of its own. Metrics: those of :class:`Detection`, and COCO's of the masks as ``mask_mAP``,
    ``mask_mAP50``, ...

    Args:
        network: called with the number of classes, gives a :class:`BranchedDetector` with masks, such as
            ``MaskRCNN`` or torchvision's.
        kwargs: see :class:`Task`.
    """

    needs = frozenset({"boxes", "labels", "masks"})
    monitor = "val/mask_mAP"
    default_network = "lightning_modules.networks.MaskRCNN"
    learns: ClassVar[tuple[str, ...]] = ("masks",)

    def metrics(self) -> MetricCollection:
        metrics = super().metrics()
        metrics.add_metrics({"masks": CocoAP(self.metadata.classes, iou_type="segm")})
        return metrics
