"""PASCAL VOC's average precision at IoU 0.5: the eleven points of 2007 and the area under the curve since 2010."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou

from .gather import Arrays, DetectionMetric

MIN_IOU = 0.5


class _Image(NamedTuple):
    labels: NDArray[np.int64]  # of the detections that count, by descending score
    scores: NDArray[np.float32]
    right: NDArray[np.bool_]  # whether each found an object
    positives: NDArray[np.int64]  # the labels of the objects to be found


_NOTHING = _Image(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, bool), np.zeros(0, np.int64))


def eleven_point_precision(right: NDArray[np.bool_], positives: int) -> float:
    """VOC 2007: the mean, over recall 0, 0.1 … 1, of the best precision at that recall or a higher one.

    Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge". ``right`` (N,) says of each detection,
    by descending score, whether it found one of the ``positives`` objects; nan where there are none to find.
    """
    if positives == 0:
        return float("nan")
    hits = right.cumsum()
    precision = hits / np.arange(1, len(right) + 1)
    # recall >= point / 10, in whole numbers: 0.1 * 3 > 3 / 10 as floats, and a recall of just 0.3 would miss its point.
    points = [precision[10 * hits >= point * positives].max(initial=0.0) for point in range(11)]
    return float(np.mean(points))


def area_under_precision(right: NDArray[np.bool_], positives: int) -> float:
    """VOC 2010 to 2012: the area under precision over recall, made to fall monotonically.

    VOC 2010 development kit, ``VOCap.m``. Arguments as :func:`eleven_point_precision` has them.
    """
    if positives == 0:
        return float("nan")
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Recall grows by 1 / positives with each right detection, and only there.
    return float(envelope[right].sum() / positives)


class VocAP(DetectionMetric[_Image]):
    """What VOC 2007 and VOC 2010 share: which detections are right (development kit, ``VOCevaldet.m``).

    Detections of a class are taken by descending score, equal scores by the place of their image in the split and then
    in the order given. Each is compared with the object of its class and image that it overlaps most: right
    where IoU >= 0.5 and no earlier detection took that object, wrong otherwise (so a duplicate is wrong); on an object
    flagged ``difficult`` it is neither, and such objects need not be found.

    The kit's boxes hold whole pixels, both ends counted from 1, and are x2 - x1 + 1 wide. Boxes here are
    continuous and x2 - x1 wide: give the kit's box as (x1 - 1, y1 - 1, x2, y2), and every IoU is the kit's own.

    ``compute`` returns float32 scalars under keys of their own, so that the two years are never mixed in a chart: the
    mean over the classes that have objects to be found (nan if none has) and, with ``per_class``, each class's AP
    (nan where the class has none).
    """

    year: ClassVar[str]

    @abstractmethod
    def average_precision(self, right: NDArray[np.bool_], positives: int) -> float:
        """One class's AP, from its detections by descending score and its number of objects."""

    def record(self, prediction: Arrays, target: Arrays) -> _Image:
        """Which detections of the image are right."""
        order = np.argsort(-prediction["scores"], kind="stable")
        labels, boxes, scores = (prediction[key][order] for key in ("labels", "boxes", "scores"))
        objects = len(target["labels"])
        difficult = target.get("difficult", np.zeros(objects, bool)).astype(bool)
        right, counts = np.zeros(len(labels), bool), np.ones(len(labels), bool)
        if objects and len(labels):
            iou = box_iou(torch.from_numpy(boxes).double(), torch.from_numpy(target["boxes"]).double()).numpy()
            iou[labels[:, None] != target["labels"]] = -1
            best = iou.argmax(1)
            (hits,) = np.nonzero(iou.max(1) >= MIN_IOU)
            _, first = np.unique(best[hits], return_index=True)
            right[hits[first]] = True
            counts[hits] = ~difficult[best[hits]]
        return _Image(labels[counts], scores[counts], right[counts], target["labels"][~difficult])

    def compute(self) -> dict[str, Tensor]:
        """AP over all images: see the class."""
        columns = zip(_NOTHING, *self.in_order(), strict=True)
        labels, scores, right, positives = (np.concatenate(column) for column in columns)
        order = np.argsort(-scores, kind="stable")
        labels, right = labels[order], right[order]
        counts = np.bincount(positives, minlength=len(self.classes)).tolist()
        each = [self.average_precision(right[labels == c], count) for c, count in enumerate(counts)]
        precisions = torch.tensor(each, dtype=torch.float32, device=self.device)
        values = {f"mAP_voc{self.year}": precisions.nanmean()}
        if self.per_class:
            values |= {f"AP_voc{self.year}/{name}": ap for name, ap in zip(self.classes, precisions, strict=True)}
        return values


class Voc2007AP(VocAP):
    """VOC 2007's eleven-point AP: ``mAP_voc07`` and, with ``per_class``, ``AP_voc07/<class>``."""

    year = "07"

    def average_precision(self, right: NDArray[np.bool_], positives: int) -> float:
        """See :func:`eleven_point_precision`."""
        return eleven_point_precision(right, positives)


class Voc2010AP(VocAP):
    """AP as VOC 2010 to 2012 define it: ``mAP_voc10`` and, with ``per_class``, ``AP_voc10/<class>``."""

    year = "10"

    def average_precision(self, right: NDArray[np.bool_], positives: int) -> float:
        """See :func:`area_under_precision`."""
        return area_under_precision(right, positives)
