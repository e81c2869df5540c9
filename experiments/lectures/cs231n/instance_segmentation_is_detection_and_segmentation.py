"""Instance segmentation is detection and semantic segmentation at once: it gives both, and where boxes are apart they give it.

CS231n 2017, lecture 11, “Instance Segmentation”. Computed on drawn scenes, whose boxes, masks and pixels' classes are known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datamodules.drawing import Style, draw
from experiments.studies.study import Exact
from experiments.studies.verdict import Check

from .semantic_segmentation_merges_touching_instances import PAIRS, regions, two_objects

SCENES = 100
_Masks = NDArray[np.bool_]
"""(N, H, W), one an instance."""


def boxes_of(masks: _Masks) -> NDArray[np.int64]:
    """Detection: the tight box of each instance, (N, 4), xyxy."""
    boxes = []
    for mask in masks:
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return np.array(boxes, np.int64).reshape(-1, 4)


def semantics_of(masks: _Masks, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Semantic segmentation: the class of each pixel (H, W), 0 for background and from 1 the classes."""
    classes = np.zeros(masks.shape[1:], np.int64)
    for mask, label in zip(masks, labels, strict=True):
        classes[mask] = 1 + label
    return classes


def instances_of(boxes: NDArray[np.int64], labels: NDArray[np.int64], semantics: NDArray[np.int64]) -> _Masks:
    """The sum of both: of each box, the pixels of its class."""
    masks = np.zeros((len(boxes), *semantics.shape), bool)
    for mask, (x1, y1, x2, y2), label in zip(masks, boxes, labels, strict=True):
        mask[y1:y2, x1:x2] = semantics[y1:y2, x1:x2] == 1 + label
    return masks


def checks() -> list[Check]:
    apart, overlapping = Style(objects=(2, 4), occlusion=0.0), Style(objects=(2, 4), occlusion=0.6)
    of_boxes = of_pixels = of_masks = objects = 0
    for style in (apart, overlapping):
        for index in range(SCENES):
            scene = draw(0, index, style)
            masks, labels = scene["masks"].numpy().astype(bool), scene["labels"].numpy()
            boxes, semantics = boxes_of(masks), semantics_of(masks, labels)
            objects += len(masks)
            of_boxes += int((boxes != scene["boxes"].numpy()).any(1).sum())
            of_pixels += int((semantics != scene["mask"].numpy()).sum())
            if style is apart:
                of_masks += int((instances_of(boxes, labels, semantics) != masks).sum())
    return [
        Check(f"instances → detection: of {objects} objects, boxes that differ", of_boxes, 0),
        Check(f"instances → semantic segmentation: in {2 * SCENES} scenes, pixels that differ", of_pixels, 0),
        Check(
            f"detection + semantic segmentation → instances: in {SCENES} scenes of boxes apart, pixels that differ", of_masks, 0
        ),
        *_touching(),
        *_ambiguous(),
    ]


def _touching() -> list[Check]:
    """Pairs of one class side by side, which a semantic mask alone merges: their boxes tell them apart."""
    rng, one_class = np.random.default_rng(0), np.zeros(2, np.int64)
    merged = told_apart = 0
    for _ in range(PAIRS):
        pair = two_objects(rng, 0)
        masks = np.stack([pair == 1, pair == 2])
        semantics = semantics_of(masks, one_class)
        merged += regions(semantics > 0) == 1
        told_apart += bool((instances_of(boxes_of(masks), one_class, semantics) == masks).all())
    return [
        Check(f"of {PAIRS} touching pairs of one class, one region in the semantic mask", merged, PAIRS),
        Check("of them, told apart by their boxes, pixel by pixel", told_apart, PAIRS),
    ]


def _ambiguous() -> list[Check]:
    """Two objects of one class whose boxes overlap by 4 × 4 pixels, which belong to the first, or to the second."""
    first, second, labels = np.zeros((16, 16), bool), np.zeros((16, 16), bool), np.zeros(2, np.int64)
    first[0:8, 0:8] = second[4:12, 4:12] = True
    one, other = np.stack([first, second & ~first]), np.stack([first & ~second, second])
    return [
        Check(
            "overlapping boxes of one class: pixels in which two instance segmentations differ",
            int((one[0] != other[0]).sum()),
            16,
        ),
        Check("of which the boxes tell", int((boxes_of(one) != boxes_of(other)).sum()), 0),
        Check("of which the semantic masks tell", int((semantics_of(one, labels) != semantics_of(other, labels)).sum()), 0),
    ]


study = Exact(
    claim="H03",
    says="Instance Segmentation은 Object Detection과 Semantic Segmentation을 합친 방식이다.",
    translation="Instance segmentation is object detection and semantic segmentation in one.",
    slide="Instance Segmentation, …pdf-0089",
    paper="No paper: a definition.",
    checks=checks,
    erratum="The sum is less than the whole where boxes of one class overlap: two different instance segmentations then have "
    "the same boxes and the same class at each pixel. Hence a mask for each box, as Mask R-CNN predicts it.",
)
