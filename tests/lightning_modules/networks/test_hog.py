"""Felzenszwalb's HOG features, against the authors' loops written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightning_modules.networks.hog import CHANNELS, hog

Array = NDArray[np.float64]
UU = [1.0000, 0.9397, 0.7660, 0.5000, 0.1736, -0.1736, -0.5000, -0.7660, -0.9397]
VV = [0.0000, 0.3420, 0.6428, 0.8660, 0.9848, 0.9848, 0.8660, 0.6428, 0.3420]


def by_loops(image: Array, cell: int) -> Array:
    """``features.cc`` of voc-release5, pixel by pixel and cell by cell: (h, w, 31) of an image (H, W, 3)."""
    height, width = image.shape[0] // cell, image.shape[1] // cell
    histogram, norm = np.zeros((height, width, 18)), np.zeros((height, width))
    for y in range(1, height * cell - 1):
        for x in range(1, width * cell - 1):
            steepest, dx, dy = -1.0, 0.0, 0.0
            for channel in range(3):
                gx = image[y, x + 1, channel] - image[y, x - 1, channel]
                gy = image[y + 1, x, channel] - image[y - 1, x, channel]
                if gx * gx + gy * gy > steepest:
                    steepest, dx, dy = gx * gx + gy * gy, gx, gy
            best, orientation = 0.0, 0
            for o in range(9):
                along = math.cos(o * math.pi / 9) * dx + math.sin(o * math.pi / 9) * dy
                if along > best:
                    best, orientation = along, o
                elif -along > best:
                    best, orientation = -along, o + 9
            xp, yp = (x + 0.5) / cell - 0.5, (y + 0.5) / cell - 0.5
            left, top = math.floor(xp), math.floor(yp)
            for row, down in ((top, 1 - (yp - top)), (top + 1, yp - top)):
                for column, across in ((left, 1 - (xp - left)), (left + 1, xp - left)):
                    if 0 <= row < height and 0 <= column < width:
                        histogram[row, column, orientation] += down * across * math.sqrt(steepest)
    for o in range(9):
        norm += (histogram[..., o] + histogram[..., o + 9]) ** 2
    features = np.zeros((height - 2, width - 2, 31))
    for y in range(height - 2):
        for x in range(width - 2):
            corners = ((y + 1, x + 1), (y, x + 1), (y + 1, x), (y, x))
            factors = [1 / math.sqrt(norm[r : r + 2, c : c + 2].sum() + 1e-4) for r, c in corners]
            source = histogram[y + 1, x + 1]
            for k, factor in enumerate(factors):
                for o in range(18):
                    cut = min(source[o] * factor, 0.2)
                    features[y, x, o] += cut / 2
                    features[y, x, 27 + k] += 0.2357 * cut
                for o in range(9):
                    features[y, x, 18 + o] += min((source[o] + source[o + 9]) * factor, 0.2) / 2
    return features


@given(st.integers(0, 10**6), st.integers(3, 6), st.integers(3, 6), st.sampled_from([2, 4, 6]))
@settings(max_examples=12, deadline=None)
def test_the_features_are_the_authors(seed: int, rows: int, columns: int, cell: int) -> None:
    image = np.random.default_rng(seed).integers(0, 4, (rows * cell, columns * cell, 3)) * 80.0  # many ties
    found = hog(torch.from_numpy(image).permute(2, 0, 1)[None], cell)[0].permute(1, 2, 0).numpy()
    assert found.shape == (rows - 2, columns - 2, CHANNELS)
    np.testing.assert_allclose(found, by_loops(image, cell), rtol=0, atol=1e-10)


def test_an_edge_lies_in_the_cell_and_the_orientation_that_it_has() -> None:
    image = torch.zeros(1, 3, 40, 40)
    image[..., 20:] = 200.0  # dark to bright, to the right: orientation 0, and 9 the other way round
    features = hog(image, 8)[0]
    assert features[:18].sum((1, 2)).argmax() == 0 and hog(image.flip(3), 8)[0][:18].sum((1, 2)).argmax() == 9
    assert features[0, 1, 1] == features[0].max() and features[18, 1, 1] > 0


def test_features_hardly_change_with_the_contrast_and_are_none_where_nothing_is() -> None:
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 200
    assert float((hog(image) - hog(image / 2 + 20)).abs().max()) < 1e-5
    assert not hog(torch.full((1, 3, 24, 24), 90.0)).any()


@pytest.mark.parametrize(("size", "cell"), [((24, 23), 8), ((16, 24), 8), ((27, 27), 9)])
def test_what_is_no_whole_number_of_cells_is_refused(size: tuple[int, int], cell: int) -> None:
    with pytest.raises(ValueError, match=r"at least 3 x 3 whole cells"):
        hog(torch.zeros(1, 3, *size), cell)
