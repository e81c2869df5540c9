"""Images from torch's order of bytes to OpenCV's and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.layout import contiguous, to_chw, to_hwc

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
