"""The errors of a detector by type, of one image at a time: what is wrong with each detection, and what was missed.

The types are those of TIDE (Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors", section
2.2), which refine Hoiem et al. 2012, "Diagnosing Error in Object Detectors".
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FOREGROUND, BACKGROUND = 0.5, 0.1
"""IoU from which on a detection is on an object, and below which it is on none."""


class Outcome(IntEnum):
    """What a detection is; of several errors that hold, the first."""

    RIGHT = 0
    IGNORED = 1
    """On an object that is passed over (difficult, crowd), or behind the detections that count: neither right nor wrong."""
    LOCALIZATION = 2
    """Of the object's class, and IoU from 0.1 to 0.5 with it."""
    CLASS = 3
    """IoU of 0.5 and more with an object, whose class is another."""
    DUPLICATE = 4
    """IoU of 0.5 and more with an object of its class, which a better detection has found."""
    BACKGROUND = 5
    """IoU below 0.1 with every object."""
    BOTH = 6
    """Of another class than the object, and IoU from 0.1 to 0.5 with it."""


WRONG = (Outcome.LOCALIZATION, Outcome.CLASS, Outcome.DUPLICATE, Outcome.BACKGROUND, Outcome.BOTH)


class ImageObjects(NamedTuple):
    """An image's detections by descending score, and its objects."""

    boxes: NDArray[np.float32]
    """(D, 4), xyxy in pixels."""
    labels: NDArray[np.int64]
    """(D,)"""
    true_boxes: NDArray[np.float32]
    """(G, 4)"""
    true_labels: NDArray[np.int64]
    """(G,)"""
    ignored: NDArray[np.bool_]
    """(G,), difficult or crowd: they need not be found."""


class ImageErrors(NamedTuple):
    """What is wrong in an image."""

    outcomes: NDArray[np.int64]
    """(D,), each an :class:`Outcome`."""
    taken_for: NDArray[np.int64]
    """(D,), the object that a right detection has found, or one of another class is taken for; -1 where there is none."""
    missed: NDArray[np.bool_]
    """(G,), objects that no detection has found."""
    covered: NDArray[np.bool_]
    """(G,), those of them that an error of localization or class lies on: they are missed because of it."""


def errors_of(image: ImageObjects, right: NDArray[np.bool_], counts: NDArray[np.bool_]) -> ImageErrors:
    """The type of each detection, and the objects that are missed.

    Which detections are right the evaluation's own matching has said; of an object found, it is the best of its class.

    Args:
        image: its D detections that are looked at, by descending score.
        right: (D,), found an object of their class at an IoU of 0.5.
        counts: (D,), right or wrong; the others are neither.
    """
    ious = box_ious(image.boxes, image.true_boxes)
    ious[:, image.ignored] = 0
    same = image.labels[:, None] == image.true_labels[None]
    found = np.zeros(len(image.true_labels), bool)
    outcomes = np.where(right, Outcome.RIGHT, Outcome.IGNORED).astype(np.int64)
    taken_for, covered = np.full(len(image.labels), -1), found.copy()
    for d in np.flatnonzero(right):
        own = np.where(same[d] & ~found & ~image.ignored, ious[d], -1)
        best = len(own) - 1 - int(own[::-1].argmax())  # of equals the last, as COCO's matching has it
        found[best], taken_for[d] = True, best
    for d in np.flatnonzero(counts & ~right):
        outcomes[d], g = _error(ious[d], same[d])
        if outcomes[d] == Outcome.CLASS:
            taken_for[d] = g
        if outcomes[d] in (Outcome.CLASS, Outcome.LOCALIZATION):
            covered[g] = True
    missed = ~found & ~image.ignored
    return ImageErrors(outcomes, taken_for, missed, covered & missed)


def _error(ious: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[Outcome, int]:
    """What is wrong with a detection, and on which object it lies, from its IoU with each (G,) and whether classes agree."""
    if not len(ious):
        return Outcome.BACKGROUND, -1
    own, others = np.where(same, ious, 0), np.where(same, 0, ious)
    if BACKGROUND <= own.max() < FOREGROUND:
        return Outcome.LOCALIZATION, int(own.argmax())
    if others.max() >= FOREGROUND:
        return Outcome.CLASS, int(others.argmax())
    if own.max() >= FOREGROUND:
        return Outcome.DUPLICATE, int(own.argmax())
    return (Outcome.BACKGROUND if ious.max() < BACKGROUND else Outcome.BOTH), int(ious.argmax())


def confusion_of_image(image: ImageObjects, errors: ImageErrors, classes: int) -> list[tuple[int, int]]:
    """(truth, found) of each object and each detection that counts; ``classes`` stands for the background.

    A detection of a wrong class takes the object that it lies on, where nobody else has found it: each object is in one row
    once, and each detection in one column once.
    """
    free, pairs = errors.missed.copy(), list[tuple[int, int]]()
    for label, outcome, g in zip(image.labels.tolist(), errors.outcomes.tolist(), errors.taken_for.tolist(), strict=True):
        if outcome == Outcome.IGNORED:
            continue
        is_of_object = outcome == Outcome.RIGHT or (outcome == Outcome.CLASS and bool(free[g]))
        pairs.append((int(image.true_labels[g]) if is_of_object else classes, label))
        if is_of_object:
            free[g] = False
    return pairs + [(int(label), classes) for label in image.true_labels[free]]


def box_ious(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """(D, G): IoU of boxes (D, 4) with others (G, 4), xyxy; 0 where both are empty."""
    a, b = boxes.reshape(-1, 1, 4).astype(np.float64), others.reshape(1, -1, 4).astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = sides.clip(min=0).prod(-1)
    whole = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
    return np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)
