"""PASCAL VOC's average precision at IoU 0.5: the eleven points of 2007 and the area under the curve since 2010."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .coco import CocoAP
from .detections import DetectionMetric
from .matching import Matched


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


@dataclass(frozen=True)
class VocYear:
    """How a year's development kit averages precision, and what its numbers are called."""

    name: str
    average_precision: Callable[[NDArray[np.bool_], int], float]

    def values(self, images: Matched, classes: Sequence[str], *, per_class: bool) -> dict[str, float]:
        """The year's numbers over all images in one table: see :class:`VocAP`."""
        found = images.found[images.found["voc_counts"]]
        found = found[np.argsort(-found["score"], kind="stable")]
        found = found[np.argsort(found["label"], kind="stable")]
        ends = np.bincount(found["label"], minlength=len(classes)).cumsum()
        positives = np.bincount(images.there["label"][images.there["voc_counts"]], minlength=len(classes)).tolist()
        right = np.split(found["voc_right"], ends[:-1])
        each = [self.average_precision(r, count) for r, count in zip(right, positives, strict=True)]
        known = [ap for ap in each if not np.isnan(ap)]
        values = {f"mAP_voc{self.name}": float(np.mean(known)) if known else float("nan")}
        if per_class:
            values |= {f"AP_voc{self.name}/{name}": ap for name, ap in zip(classes, each, strict=True)}
        return values


VOC2007 = VocYear("07", eleven_point_precision)
VOC2010 = VocYear("10", area_under_precision)


class VocAP(DetectionMetric):
    """What VOC 2007 and VOC 2010 share: which detections are right (development kit, ``VOCevaldet.m``).

    Detections of a class are taken by descending score, equal scores by the place of their image in the split and then
    in the order given. Each is compared with the object of its class and image that it overlaps most: right
    where IoU >= 0.5 and no earlier detection took that object, wrong otherwise (so a duplicate is wrong); on an object
    flagged ``difficult`` it is neither, and such objects need not be found. VOC knows no ``crowd``: what is flagged so
    counts as ``difficult``.

    The kit's boxes hold whole pixels, both ends counted from 1, and are x2 - x1 + 1 wide. Boxes here are
    continuous and x2 - x1 wide: give the kit's box as (x1 - 1, y1 - 1, x2, y2), and every IoU is the kit's own.

    ``compute`` returns float32 scalars under keys of their own, so that the two years are never mixed in a chart: the
    mean over the classes that have objects to be found (nan if none has) and, with ``per_class``, each class's AP
    (nan where the class has none).
    """

    voc: ClassVar[VocYear]

    def values(self, images: Matched) -> dict[str, float]:
        return self.voc.values(images, self.classes, per_class=self.per_class)


class Voc2007AP(VocAP):
    """VOC 2007's eleven-point AP: ``mAP_voc07`` and, with ``per_class``, ``AP_voc07/<class>``."""

    voc = VOC2007


class Voc2010AP(VocAP):
    """AP as VOC 2010 to 2012 define it: ``mAP_voc10`` and, with ``per_class``, ``AP_voc10/<class>``."""

    voc = VOC2010


class BoxAP(CocoAP):
    """All numbers of boxes, of COCO and of VOC's two years, from detections that are matched once.

    ``compute`` returns what :class:`CocoAP`, :class:`Voc2007AP` and :class:`Voc2010AP` return.
    """

    def values(self, images: Matched) -> dict[str, float]:
        values = super().values(images)
        for voc in (VOC2007, VOC2010):
            values |= voc.values(images, self.classes, per_class=self.per_class)
        return values
