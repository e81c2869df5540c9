"""Arrays of MATLAB files: scipy's values, and one error for whatever is no such file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from datamodules.matlab import read_matlab_array
from tests.support.hostile import examples

DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def written(packed: bool = False, **variables: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=packed)
    return file.getvalue()


@given(st.data(), st.booleans())
@examples(60)
def test_it_reads_what_scipy_wrote(data: st.DataObject, packed: bool) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=4, max_side=6))
    array = data.draw(arrays.arrays(dtype, shape))
    content = written(packed, before="text", joints=array, behind=np.ones((2, 2)))
    np.testing.assert_array_equal(read_matlab_array(content, "joints", 10_000), array.astype(np.float64))
    np.testing.assert_array_equal(read_matlab_array(content, "behind", 10_000), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("text", "no real array"),
        ({"joints": np.zeros((2, 2))}, "no real array"),
        (np.ones((2, 2), complex), "no real array"),
        (np.array([[np.zeros(2)], [np.zeros(3)]], object), "no real array"),
        (np.zeros((101, 100)), r"claims to be \(101, 100\)"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_array_of_numbers_or_too_large_is_refused(value: Any, why: str, packed: bool) -> None:
    with pytest.raises(ValueError, match=why):
        read_matlab_array(written(packed, joints=value), "joints", 10_000)


def test_other_files_and_variables_are_refused() -> None:
    with pytest.raises(ValueError, match="no variable 'joints'"):
        read_matlab_array(written(other=np.ones((2, 2))), "joints", 100)
    for content in (b"", b"x" * 300, b"\x89HDF\r\n\x1a\n" + bytes(600)):
        with pytest.raises(ValueError, match="level 5"):
            read_matlab_array(content, "joints", 100)
    bomb = written(True, joints=np.zeros((3000, 3000)))
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="no variable 'joints' of up to 100 numbers"):
        read_matlab_array(bomb, "joints", 100)
    large = written(True, other=np.zeros((300, 300)), joints=np.ones((2, 2)))
    assert read_matlab_array(large, "joints", 100).shape == (2, 2), "what else is in a file does not matter"


@given(st.booleans(), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6), st.integers(0, 2000))
@examples(300)
def test_a_damaged_file_is_read_or_refused(packed: bool, at: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(written(packed, joints=np.arange(3 * 14 * 3.0).reshape(3, 14, 3)))
    for place, value in at:
        content[place % len(content)] = value
    try:
        found = read_matlab_array(bytes(content[: len(content) - cut]), "joints", 1000)
    except ValueError:
        return
    assert found.size <= 1000
