"""COCO's precision over recall, from detections that are matched: ``COCOeval.accumulate`` of pycocotools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .matching import AREAS, THRESHOLDS, Matched

RECALLS = np.linspace(0, 1, 101)


class PrecisionRecall(NamedTuple):
    """Precision and recall by threshold, class and area; -1 where there is no object to be found."""

    precision: NDArray[np.float64]
    """(10, 101, C, 4): the best precision at each of :data:`RECALLS` or a higher one, with the most detections."""
    recall: NDArray[np.float64]
    """(10, C, 4, M): what is found with so many detections of a class and image."""

    def mean_precision(self, thresholds: slice, area: str) -> float:
        """Over thresholds, recalls and the classes that have objects; -1 where none has."""
        return _mean(self.precision[thresholds, :, :, AREAS.index(area)])

    def mean_recall(self, thresholds: slice, area: str, most: int = -1) -> float:
        """Over thresholds and the classes that have objects, with the M-th number of detections; -1 where none has."""
        return _mean(self.recall[thresholds, :, AREAS.index(area), most])


def precision_recall(images: Matched, classes: int, most: Sequence[int]) -> PrecisionRecall:
    """Of all images in one table.

    Args:
        images: in the order of their places in the split, which decides between equal scores.
        classes: how many there are.
        most: M rising numbers of detections of a class and image.
    """
    precision = np.full((len(THRESHOLDS), len(RECALLS), classes, len(AREAS)), -1.0)
    recall = np.full((len(THRESHOLDS), classes, len(AREAS), len(most)), -1.0)
    positives = np.stack(
        [np.bincount(images.there["label"][images.there["counts"][:, a]], minlength=classes) for a in range(len(AREAS))], 1
    )
    by_class = np.argsort(images.found["label"], kind="stable")
    ends = np.bincount(images.found["label"], minlength=classes).cumsum()
    for c in np.flatnonzero(positives.any(1)):
        rows = by_class[ends[c - 1] if c else 0 : ends[c]]
        rows = rows[images.found["rank"][rows] < most[-1]]
        rows = rows[np.argsort(-images.found["score"][rows], kind="stable")]
        ranks = images.found["rank"][rows]
        for a in np.flatnonzero(positives[c]):
            right, counts = images.found["right"][rows, a], images.found["counts"][rows, a]
            for t in range(len(THRESHOLDS)):
                hits = np.flatnonzero(right >> t & 1)
                judged = np.cumsum(counts >> t & 1)[hits]
                precision[t, :, c, a] = _at_recalls(judged, positives[c, a])
                recall[t, c, a] = [(ranks[hits] < m).sum() / positives[c, a] for m in most]
    return PrecisionRecall(precision, recall)


def _at_recalls(judged: NDArray[np.int64], positives: int) -> NDArray[np.float64]:
    """(101,): the precision, from how many detections had been judged at each that is right, itself included."""
    right = np.arange(1, len(judged) + 1)
    # Between two that are right, recall stands still and precision falls: the others need not be looked at.
    best = np.maximum.accumulate((right / (judged + np.spacing(1)))[::-1])[::-1]
    reached = np.searchsorted(right / positives, RECALLS, side="left")
    return np.append(best, 0.0)[reached]


def _mean(values: NDArray[np.float64]) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else -1.0
