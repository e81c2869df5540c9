"""Ways up: each against a plain reference, the identities between them, and the sizes they give."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lightning_modules.networks.upsampling import (
    BedOfNails,
    Bilinear,
    MaxUnpooling,
    NearestNeighbor,
    TransposeConv,
    Upsampling,
    bed_of_nails,
    bilinear,
    max_unpool,
    nearest_neighbor,
)

KERNELS = (2, 3, 4, 6)
WAYS: dict[str, Callable[[int, int], Upsampling]] = {
    "nearest": NearestNeighbor,
    "bilinear": Bilinear,
    "nails": BedOfNails,
    "unpool": MaxUnpooling,
    **{f"transpose{k}": partial(TransposeConv, kernel_size=k) for k in KERNELS},
    "random": partial(TransposeConv, initialization="random"),
}
NO_INDICES = torch.empty(0)
"""For ways that read none."""
sides = st.integers(1, 9)


def pooled(height: int, width: int, channels: int = 3) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """What a 2 x 2 pooling leaves of a random map (2, channels, height, width), its indices and that map's size."""
    torch.manual_seed(height * 100 + width)
    x, indices = F.max_pool2d(torch.randn(2, channels, height, width), 2, ceil_mode=True, return_indices=True)
    return x, indices, (height, width)


def test_nearest_neighbor_copies_each_value_to_a_block() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert nearest_neighbor(x)[0, 0].tolist() == expected
    assert nearest_neighbor(x, (3, 4))[0, 0].tolist() == expected[:3]


def test_bed_of_nails_is_the_value_and_zeros() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert bed_of_nails(x)[0, 0].tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


def test_max_unpool_gives_the_lectures_example() -> None:
    x = torch.tensor([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]).float()[None, None]
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    assert values[0, 0].tolist() == [[5, 6], [7, 8]]
    on_the_way_up = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert max_unpool(on_the_way_up, indices, (4, 4))[0, 0].tolist() == [
        [0, 0, 2, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
        [3, 0, 0, 4],
    ]


@given(sides, sides)
def test_max_unpool_is_pytorchs_also_of_odd_maps(height: int, width: int) -> None:
    x, indices, size = pooled(height, width)
    assert torch.equal(max_unpool(x, indices, size), F.max_unpool2d(x, indices, (2, 2), (2, 2), output_size=size))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@settings(max_examples=20)
@given(height=sides, width=sides)
def test_every_way_up_gives_exactly_the_size_that_was_pooled(
    way: Callable[[int, int], Upsampling], height: int, width: int
) -> None:
    x, indices, size = pooled(height, width)
    assert way(3, 5)(x, indices, size).shape == (2, 5, height, width)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_up_passes_gradients_to_its_input_and_its_weights(way: Callable[[int, int], Upsampling]) -> None:
    x, indices, size = pooled(7, 6)
    net = way(3, 5)
    net(x.requires_grad_(), indices, size).square().sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in (x, *net.parameters()))


@given(sides, sides)
def test_bed_of_nails_and_a_convolution_is_a_transpose_convolution_of_kernel_3(height: int, width: int) -> None:
    x, indices, size = pooled(height, width)
    nails, transpose = BedOfNails(3, 5), TransposeConv(3, 5, kernel_size=3)
    transpose.conv.weight.data = nails.conv.weight.data.flip(2, 3).transpose(0, 1)
    transpose.conv.bias = nails.conv.bias
    torch.testing.assert_close(nails(x, indices, size), transpose(x, indices, size))


@pytest.mark.parametrize("kernel_size", KERNELS)
def test_transpose_conv_sums_copies_of_its_kernel_weighed_by_the_input(kernel_size: int) -> None:
    net = TransposeConv(2, 3, kernel_size, "random").double()
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64)
    summed = torch.zeros(3, 20, 20, dtype=torch.float64)
    for y in range(4):
        for column in range(5):
            for channel in range(2):
                copy = x[0, channel, y, column] * net.conv.weight[channel]
                summed[:, 2 * y : 2 * y + kernel_size, 2 * column : 2 * column + kernel_size] += copy
    cut = (kernel_size - 1) // 2
    assert net.conv.bias is not None
    expected = summed[:, cut : cut + 8, cut : cut + 10] + net.conv.bias[:, None, None]
    torch.testing.assert_close(net(x, NO_INDICES, (8, 10))[0], expected)


@pytest.mark.parametrize("kernel_size", KERNELS)
def test_transpose_conv_is_the_transposed_matrix_of_the_convolution_that_goes_down(kernel_size: int) -> None:
    """With y = X a the convolution, <X a, b> = <a, Xᵀ b> for all a and b."""
    up = TransposeConv(2, 3, kernel_size, "random").double()
    assert up.conv.bias is not None
    up.conv.bias.data.zero_()
    a, b = torch.randn(1, 3, 8, 10, dtype=torch.float64), torch.randn(1, 2, 4, 5, dtype=torch.float64)
    down = F.conv2d(a, up.conv.weight, stride=2, padding=(kernel_size - 1) // 2)
    torch.testing.assert_close((down * b).sum(), (a * up(b, NO_INDICES, (8, 10))).sum())


@pytest.mark.parametrize(("kernel_size", "copies"), [(2, {1}), (3, {1, 2, 4}), (4, {4}), (6, {9})])
def test_copies_overlap_evenly_only_where_the_stride_divides_the_kernel(kernel_size: int, copies: set[int]) -> None:
    up = TransposeConv(1, 1, kernel_size)
    for parameter, value in ((up.conv.weight, 1.0), (up.conv.bias, 0.0)):
        assert parameter is not None
        torch.nn.init.constant_(parameter, value)
    counts = up(torch.ones(1, 1, 8, 8), NO_INDICES, (16, 16))[..., 4:-4, 4:-4]
    assert set(counts.flatten().tolist()) == copies


@pytest.mark.parametrize("kernel_size", (4, 6))
def test_transpose_conv_starts_as_bilinear_interpolation(kernel_size: int) -> None:
    x = torch.randn(2, 3, 6, 7)
    expected, interior = bilinear(x, (12, 13)), (..., slice(1, -1), slice(1, -1))
    got = TransposeConv(3, 3, kernel_size)(x, NO_INDICES, (12, 13))
    torch.testing.assert_close(got[interior], expected[interior])


def test_transpose_conv_of_kernel_2_starts_as_the_nearest_neighbor() -> None:
    x = torch.randn(2, 3, 6, 7)
    torch.testing.assert_close(TransposeConv(3, 3, 2)(x, NO_INDICES, (12, 14)), nearest_neighbor(x))


@pytest.mark.parametrize("kernel_size", (*KERNELS, 5, 7))
def test_an_interpolating_kernel_keeps_a_constant(kernel_size: int) -> None:
    up = TransposeConv(4, 2, kernel_size)
    interior = up(torch.ones(1, 4, 8, 8), NO_INDICES, (16, 16))[..., 4:-4, 4:-4]
    torch.testing.assert_close(interior, interior[..., :1, :1].expand_as(interior))


@pytest.mark.parametrize("size", [(5, 8), (7, 6), (9, 8)])
@pytest.mark.parametrize("enlarge", [nearest_neighbor, bilinear, bed_of_nails, lambda x, s: TransposeConv(1, 1)(x, x, s)])
def test_a_size_that_is_no_doubling_is_refused(enlarge: Callable[..., Tensor], size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"4 x 4 \(H x W\) can be doubled to 8 or 7 rows and 8 or 7 columns"):
        enlarge(torch.zeros(1, 1, 4, 4), size)


def test_max_unpooling_asks_for_a_position_for_each_value() -> None:
    x, indices, size = pooled(8, 8)
    with pytest.raises(ValueError, match=r"indices are \(2, 3, 4, 4\), x is \(2, 2, 4, 4\)"):
        MaxUnpooling(2, 1)(x[:, :2], indices, size)


def test_a_kernel_that_leaves_holes_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel_size is 1; 2 or more"):
        TransposeConv(1, 1, kernel_size=1)
