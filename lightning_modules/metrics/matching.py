"""Detections matched to the objects of their image, once for all measures: 27 bytes of each are kept."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .matching_loops import loops

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""The fields of an image's objects, found or there."""

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Of COCO's similarity."""

AREAS = ("all", "small", "medium", "large")
RANGES = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]], np.float64)
"""(4, 2): least and most area of each of :data:`AREAS`, in square pixels."""

MIN_IOU = 0.5
"""Of VOC."""

FOUND = np.dtype(
    [
        ("score", "<f4"),
        ("label", "<i4"),
        ("right", "<u2", (4,)),  # by area; bit t at THRESHOLDS[t]
        ("counts", "<u2", (4,)),  # the same; what does not count is neither right nor wrong
        ("rank", "u1"),  # in its class and image, 255 from there on
        ("voc_right", "?"),
        ("voc_counts", "?"),
    ]
)
"""A detection."""

THERE = np.dtype([("label", "<i4"), ("counts", "?", (4,)), ("voc_counts", "?")])
"""An object: whether it is one to be found, by area."""


class Matched(NamedTuple):
    """What is kept of an image, or of many: the detections of an image by descending score."""

    found: NDArray[np.void]
    """(D,) of :data:`FOUND`."""
    there: NDArray[np.void]
    """(G,) of :data:`THERE`."""


class Objects(NamedTuple):
    """The objects of an image, as they are matched."""

    labels: NDArray[np.int64]
    """(G,)"""
    areas: NDArray[np.float64]
    """(G,), by which small and large are told apart."""
    ignored: NDArray[np.bool_]
    """(G,), those that need not be found."""
    crowd: NDArray[np.bool_]
    """(G,), those that many detections may lie on."""


def ranking(prediction: Arrays) -> Arrays:
    """A prediction's arrays with its detections by descending score, and equal scores in the order given."""
    order = np.argsort(-prediction["scores"], kind="stable")
    return {key: np.ascontiguousarray(values[order]) for key, values in prediction.items()}


def matched(
    similarity: NDArray[np.float64], prediction: Arrays, areas: NDArray[np.float64], objects: Objects, most: int
) -> Matched:
    """COCO's matching of an image.

    Args:
        similarity: (D, G), below 0 where the classes differ.
        prediction: ``labels`` and ``scores`` (D,), by descending score.
        areas: (D,), of the detections.
        objects: the image's.
        most: detections of a class that count.
    """
    labels = prediction["labels"]
    found, there = np.zeros(len(labels), FOUND), np.zeros(len(objects.labels), THERE)
    outcomes = loops(*similarity.shape).coco_outcomes
    found["rank"], found["right"], found["counts"] = outcomes(
        similarity, labels, areas, objects.areas, objects.ignored, objects.crowd, THRESHOLDS, RANGES, most
    )
    found["score"], found["label"], there["label"] = prediction["scores"], labels, objects.labels
    inside = (objects.areas[:, None] >= RANGES[:, 0]) & (objects.areas[:, None] <= RANGES[:, 1])
    there["counts"] = inside & ~objects.ignored[:, None]
    return Matched(found, there)


def matched_boxes(prediction: Arrays, target: Arrays, objects: Objects, most: int, pixel: float = 1.0) -> Matched:
    """The matching of an image's boxes (N, 4), xyxy, as COCO and as VOC have it.

    Args:
        prediction: ``boxes``, ``labels`` and ``scores``, by descending score.
        target: ``boxes`` and ``labels``.
        objects: what matching asks of the same objects; VOC passes over those that need not be found.
        most: detections of a class that count in COCO's.
        pixel: how many square pixels of these boxes are one of those that areas are given in.
    """
    boxes, there = (np.ascontiguousarray(values["boxes"].reshape(-1, 4), np.float64) for values in (prediction, target))
    labels, classes = prediction["labels"], objects.labels
    run = loops(len(labels), len(classes))
    similarity = run.box_similarity(boxes, there, labels, classes, objects.crowd)
    result = matched(similarity, prediction, area_of(boxes) / pixel, objects, most)
    passed_over = objects.ignored.astype(bool)
    outcomes = run.voc_outcomes(boxes, there, labels, classes, passed_over, MIN_IOU)
    result.found["voc_right"], result.found["voc_counts"] = outcomes
    result.there["voc_counts"] = ~passed_over
    return result


def area_of(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N,): of boxes (N, 4), xyxy."""
    return (boxes[:, 2:].astype(np.float64) - boxes[:, :2]).prod(1)


def together(images: list[Matched]) -> Matched:
    """One table of all images, in their order."""
    if not images:
        return Matched(np.zeros(0, FOUND), np.zeros(0, THERE))
    found, there = zip(*images, strict=True)
    return Matched(np.concatenate(found), np.concatenate(there))
