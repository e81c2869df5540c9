"""Semantic segmentation cannot tell two objects of one class apart: where they touch, even a perfect mask has one region.

CS231n 2017, lecture 11, “Semantic Segmentation”.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

PAIRS = 200
EIGHT_NEIGHBOURS = np.ones((3, 3))


def two_objects(rng: np.random.Generator, gap: int) -> np.ndarray:
    """Instances 1 and 2 (int, 64 × 64; 0 is background): rectangles side by side with ``gap`` pixels between."""
    instances = np.zeros((64, 64), int)
    widths, heights = rng.integers(6, 20, 2), rng.integers(6, 20, 2)
    left, top = rng.integers(1, 60 - widths.sum() - gap), rng.integers(8, 20)
    shift = rng.integers(-5, 6)  # they overlap in height by a pixel or more
    instances[top : top + heights[0], left : left + widths[0]] = 1
    start = left + widths[0] + gap
    instances[top + shift : top + shift + heights[1], start : start + widths[1]] = 2
    return instances if rng.integers(2) else instances.T


def regions(mask: np.ndarray) -> int:
    """Connected regions of a semantic mask, corners counting as contact."""
    return int(ndimage.label(mask, EIGHT_NEIGHBOURS)[1])


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    by_gap = {gap: [two_objects(rng, gap) for _ in range(PAIRS)] for gap in (0, 1, 2)}
    # A perfect semantic mask says of each pixel whether it belongs to the class, and nothing else.
    merged = {gap: sum(regions(pair > 0) == 1 for pair in pairs) for gap, pairs in by_gap.items()}
    truth = {len(np.unique(pair)) - 1 for pairs in by_gap.values() for pair in pairs}
    return [
        Check("objects in each scene", str(sorted(truth)), "[2]"),
        Check(f"of {PAIRS} touching pairs, one region in a perfect mask", merged[0], PAIRS),
        Check(f"of {PAIRS} pairs one pixel apart", merged[1], 0),
        Check(f"of {PAIRS} pairs two pixels apart", merged[2], 0),
    ]


study = Exact(
    claim="F02",
    says="Semantic Segmentation은 개별 객체 구분이 불가능하다. → Instance Segmentation에서 해결.",
    translation="Semantic segmentation cannot tell individual objects apart. → Instance segmentation solves that.",
    slide="Semantic Segmentation, …pdf-0019",
    paper="No paper.",
    checks=checks,
    erratum="It can where objects of a class do not touch: their regions are then apart.",
)
