"""Which inquiry goes with which task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchmetrics import Metric

from lightning_modules.base import Task
from lightning_modules.classification import Classification, MultiLabelClassification
from lightning_modules.detection import Detection
from lightning_modules.localization import Localization
from lightning_modules.metrics.voc import BoxAP
from lightning_modules.pose import Pose
from lightning_modules.reconstruction import Reconstruction
from lightning_modules.segmentation import Segmentation

from .classification import ClassInquiry
from .detection import ObjectInquiry
from .inquiry import Inquiry
from .localization import BoxInquiry
from .multilabel import LabelsInquiry
from .pose import PoseInquiry
from .reconstruction import ImageInquiry
from .segmentation import MaskInquiry


def inquiry_into(task: Task, metrics: Mapping[str, Metric]) -> Inquiry[Any] | None:
    """What is asked of an evaluation of this task; None of a task that nobody has thought of, or a detector without AP."""
    match task:
        case MultiLabelClassification():
            return LabelsInquiry(task, metrics)
        case Classification():
            return ClassInquiry(task, metrics)
        case Segmentation():
            return MaskInquiry(task, metrics)
        case Localization():
            return BoxInquiry(task, metrics)
        case Pose():
            return PoseInquiry(task, metrics)
        case Detection() if any(type(metric) is BoxAP for metric in metrics.values()):
            return ObjectInquiry(task, metrics)
        case Reconstruction():
            return ImageInquiry(task, metrics)
    return None
