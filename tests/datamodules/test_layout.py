"""Images from torch's order of bytes to OpenCV's and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.layout import contiguous, take_pixels, to_chw, to_hwc

sides = st.integers(1, 40)


@given(sides, sides, st.sampled_from(["planes", "pixels", "gray", "part"]))
@settings(deadline=None)
def test_there_and_back(height: int, width: int, memory: str) -> None:
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8))
    if memory == "pixels":
        image = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    elif memory == "gray":
        image = image[:1].expand(3, -1, -1)
    elif memory == "part":
        image = image[:, ::2, 1:] if width > 1 else image[:, ::2]
    array = to_hwc(image)
    assert array.flags.c_contiguous and np.array_equal(array, image.permute(1, 2, 0).numpy())
    back = to_chw(array[:, ::-1])
    assert back.is_contiguous() and torch.equal(back, image.flip(2))
    assert contiguous(image).is_contiguous() and torch.equal(contiguous(image), image)


def test_planes_are_memory_of_their_own() -> None:
    array = np.zeros((2, 3, 3), np.uint8)
    to_chw(array).fill_(1)
    assert not array.any()


@given(
    sides,
    sides,
    st.sampled_from([(), (0,), (3,), (2, 2)]),
    st.sampled_from([torch.uint8, torch.bool, torch.int16, torch.float32, torch.int64, torch.float64]),
    st.data(),
)
@settings(max_examples=50, deadline=None)
def test_pixels_are_taken_where_rows_and_columns_cross(
    height: int, width: int, before: tuple[int, ...], dtype: torch.dtype, data: st.DataObject
) -> None:
    maps = (torch.rand(*before, height, width) * 9).to(dtype)
    if dtype == torch.float32 and maps.numel():
        maps.view(-1)[0] = torch.nan
    rows, columns = (
        np.array(data.draw(st.lists(st.integers(0, side - 1), min_size=1, max_size=9)), np.int64) for side in (height, width)
    )
    expected = maps[..., torch.from_numpy(rows)[:, None], torch.from_numpy(columns)]
    taken = take_pixels(maps, rows, columns)
    torch.testing.assert_close(taken, expected, rtol=0, atol=0, equal_nan=True)
    assert taken.dtype == dtype and (not taken.numel() or taken.data_ptr() != maps.data_ptr())
