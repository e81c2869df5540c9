"""COCO's polygons and run lengths as pixels, against pycocotools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as reference

from datamodules.coco_masks import draw_masks
from datamodules.scene import SceneError

point = st.tuples(st.floats(-3, 33), st.floats(-3, 25))
polygons = st.lists(st.lists(point, min_size=3, max_size=9), min_size=1, max_size=3)


@settings(max_examples=100, deadline=None)
@given(polygons)
def test_polygons(outlines: list[list[tuple[float, float]]]) -> None:
    flat = [[v for xy in outline for v in xy] for outline in outlines]
    expected = reference.decode(reference.merge(reference.frPyObjects(flat, 21, 30)))
    assert np.array_equal(draw_masks("a", [[np.array(polygon) for polygon in flat]], 21, 30)[0], expected)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.data())
def test_run_lengths(height: int, width: int, packed: bool, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.integers(0, 1), min_size=height * width, max_size=height * width))
    mask = np.asfortranarray(np.array(bits, np.uint8).reshape(height, width))
    segmentation: dict[str, Any] = reference.encode(mask)
    if packed:
        segmentation["counts"] = segmentation["counts"].decode()
    else:
        flat = mask.flatten("F")
        ends = np.flatnonzero(np.diff(flat, prepend=0, append=2))
        segmentation["counts"] = np.diff(ends, prepend=0).tolist()
    assert np.array_equal(draw_masks("a", [segmentation], height, width)[0], mask)


@pytest.mark.parametrize("counts", [[3, 4], [100], [], [50, 50, 50], [4, 2, 5]])
def test_run_lengths_of_another_number_of_pixels_are_refused(counts: list[int]) -> None:
    with pytest.raises(SceneError, match="object 0: no segmentation"):
        draw_masks("a", [{"size": [3, 4], "counts": counts}], 3, 4)
