"""Masks of COCO's objects: from polygons or run-length codes to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from faster_coco_eval.core import mask as rle
from faster_coco_eval.mask_api_new_cpp import toUncompressedRLE
from numpy.typing import NDArray

from .scene import SceneError

LARGEST_MASKS = 2**31
"""Bytes of the masks of one image; official ones have tens of megabytes."""
LONGEST_OUTLINE = 2_000_000
"""Pixels along the polygons of one object: they are drawn point by point, so that a line to infinity is never ready."""


def draw_masks(
    name: str, segmentations: Sequence[Any], height: int, width: int, faults: dict[int, str] | None = None
) -> NDArray[np.uint8]:
    """The masks (N, H, W) of an image's objects.

    Args:
        name: the image's.
        segmentations: N lists of polygons, or run-length codes.
        height: of the image.
        width: of the image.
        faults: where it is given, it gets what is wrong with single objects, by their place; their masks are empty.

    Raises:
        SceneError: an object's polygons or run lengths cannot be drawn into the image, or there are far too many objects.
    """
    if len(segmentations) * height * width > LARGEST_MASKS:
        raise SceneError(f"{name}: {len(segmentations)} masks of {width} x {height} pixels, more than {LARGEST_MASKS:,} bytes")
    masks = np.zeros((len(segmentations), height, width), np.uint8)
    for i, segmentation in enumerate(segmentations):
        try:
            if segmentation:
                _fill(masks[i], run_lengths(segmentation, height, width))
        except Exception as error:  # what faster_coco_eval's C++ raises follows no pattern
            why = f"no segmentation ({str(error).splitlines()[0][:200]})"
            if faults is None:
                raise SceneError(f"{name}: object {i}: {why}") from None
            faults[i], masks[i] = why, 0
    return masks


def area_of_segmentation(segmentation: Any, height: Any, width: Any) -> float:
    """Pixels of an object in an image of that size; 0 where it has none, or they cannot be told."""
    if not segmentation or not all(isinstance(side, int) and 0 < side < 2**15 for side in (height, width)):
        return 0.0
    try:
        return float(sum(run_lengths(segmentation, height, width)[1::2]))
    except Exception:  # as in :func:`draw_masks`, which says it where masks are asked for
        return 0.0


def run_lengths(segmentation: Any, height: int, width: int) -> Sequence[int]:
    """An object's run lengths, of zeros and of ones in turns down the columns.

    A polygon of one or two points has no area: it is passed over where the object has others.

    Raises:
        ValueError: it is no segmentation of an image of that size.
    """
    if isinstance(segmentation, dict):
        # Before it is decoded, since the memory for it is taken by what it says.
        if list(segmentation.get("size", ())) != [height, width]:
            raise ValueError(f"its run lengths are not of {height} x {width} pixels (H x W)")
    else:
        for polygon in segmentation:
            if polygon.ndim != 1 or polygon.size % 2 or polygon.dtype.kind not in "iuf" or not np.isfinite(polygon).all():
                raise ValueError("a polygon is not x, y, x, y … of finite numbers")
        segmentation = [polygon for polygon in segmentation if polygon.size >= 6]
        if not segmentation:
            raise ValueError("no polygon of three points or more")
        outline = sum(
            float(np.abs(np.diff(polygon.reshape(-1, 2), axis=0, append=polygon[None, :2])).sum())
            for polygon in (p.astype(np.float64) for p in segmentation)
        )
        if outline > LONGEST_OUTLINE:
            raise ValueError(f"its outline has {outline:.3g} pixels, more than {LONGEST_OUTLINE:,}")
        segmentation = [polygon.tolist() for polygon in segmentation]
    counts: Sequence[int] = toUncompressedRLE([rle.segmToRle(segmentation, width, height)])[0]["counts"]
    return counts


def _fill(mask: NDArray[np.uint8], counts: Sequence[int]) -> None:
    """Writes run lengths, of zeros and of ones in turns down the columns, into a mask (H, W) of zeros.

    (``rle.decode`` goes over all pixels, one by one; most objects are in few of the columns.)
    """
    height, width = mask.shape
    runs = np.array(counts, np.int64)
    if runs.sum() != mask.size or runs.min(initial=0) < 0:
        raise ValueError(f"its run lengths are of {runs.sum():,} pixels, its image has {width} x {height}")
    ends = runs.cumsum()
    if len(runs) < 2 or not runs[1::2].any():
        return
    last = len(runs) - len(runs) % 2  # behind the last run of ones
    first_column, behind = ends[0] // height, -(-ends[last - 1] // height)
    values = np.zeros(last, np.uint8)
    values[1::2] = 1
    runs[0] -= first_column * height
    columns = np.zeros((behind - first_column, height), np.uint8)
    ones = np.repeat(values, runs[:last])
    columns.reshape(-1)[: len(ones)] = ones
    mask[:, first_column:behind] = cv2.transpose(columns)
