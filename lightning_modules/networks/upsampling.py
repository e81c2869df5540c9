"""The ways to double a feature map's height and width: fixed ones as functions, and all of them as modules.

CS231n 2017, lecture 11, "In-Network Upsampling" and "Learnable Upsampling: Transpose Convolution".

Every way doubles exactly, after which the last row or column may be cut: what a 2 x 2 pooling with
``ceil_mode`` made h rows of had 2h or 2h - 1, and ``size`` says which.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_Size = tuple[int, int]
"""(H, W) in pixels."""


def _fit(doubled: Tensor, size: _Size | None) -> Tensor:
    """``doubled`` (B, C, 2h, 2w), cut at the bottom and on the right to ``size``."""
    if size is None:
        return doubled
    height, width = doubled.shape[-2:]
    if not (height - 1 <= size[0] <= height and width - 1 <= size[1] <= width):
        raise ValueError(
            f"size is {tuple(size)}: {height // 2} x {width // 2} (H x W) can be doubled to "
            f"{height} or {height - 1} rows and {width} or {width - 1} columns"
        )
    return doubled[..., : size[0], : size[1]]


def nearest_neighbor(x: Tensor, size: _Size | None = None) -> Tensor:
    """Each value of ``x`` (B, C, h, w) four times, as a 2 x 2 block: (B, C, 2h, 2w), or cut to ``size``."""
    return _fit(F.interpolate(x, scale_factor=2, mode="nearest"), size)


def bilinear(x: Tensor, size: _Size | None = None) -> Tensor:
    """``x`` (B, C, h, w) interpolated between pixel centres: (B, C, 2h, 2w), or cut to ``size``."""
    return _fit(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), size)


def bed_of_nails(x: Tensor, size: _Size | None = None) -> Tensor:
    """Each value of ``x`` (B, C, h, w) at the top left of 2 x 2 zeros: (B, C, 2h, 2w), or cut to ``size``."""
    *batch, height, width = x.shape
    nails = x.new_zeros(*batch, 2 * height, 2 * width)
    nails[..., ::2, ::2] = x
    return _fit(nails, size)


def max_unpool(x: Tensor, indices: Tensor, size: _Size) -> Tensor:
    """Each value of ``x`` (B, C, h, w) at the place where its maximum was found, zeros elsewhere: (B, C, *size).

    ``indices`` is int64 (B, C, h, w) as ``max_pool2d(…, return_indices=True)`` gives it: positions in the flattened
    map of ``size`` that was pooled. Raises ValueError where its shape is not that of ``x``.
    """
    if indices.shape != x.shape:
        raise ValueError(
            f"max unpooling needs a position for each value: indices are {tuple(indices.shape)}, x is {tuple(x.shape)}"
        )
    # Not F.max_unpool2d, which refuses to run on CUDA under torch.use_deterministic_algorithms.
    flat = x.new_zeros(*x.shape[:-2], size[0] * size[1])
    return flat.scatter(-1, indices.flatten(-2), x.flatten(-2)).view(*x.shape[:-2], *size)


class Upsampling(nn.Module, ABC):
    """A way up: doubles height and width, and goes from ``in_channels`` to ``out_channels``.

    A network takes one as ``Callable[[int, int], Upsampling]``; what else a way needs is a keyword with a default.
    """

    @abstractmethod
    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        """From ``x`` float (B, in_channels, h, w) to (B, out_channels, *size).

        ``indices`` int64 (B, in_channels, h, w) are the positions of the maxima of the pooling that is undone here,
        which took ``size`` to (h, w); only :class:`MaxUnpooling` reads them.
        """


class _Unpooling(Upsampling):
    """A fixed operation, which learns nothing itself, and one 3 x 3 convolution, which does."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)


class NearestNeighbor(_Unpooling):
    """:func:`nearest_neighbor`, then a 3 x 3 convolution ("resize-convolution", Odena et al. 2016)."""

    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        return self.conv(nearest_neighbor(x, size))  # type: ignore[no-any-return]


class Bilinear(_Unpooling):
    """:func:`bilinear`, then a 3 x 3 convolution: the control that the lecture does not show."""

    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        return self.conv(bilinear(x, size))  # type: ignore[no-any-return]


class BedOfNails(_Unpooling):
    """:func:`bed_of_nails`, then a 3 x 3 convolution.

    The two together *are* a transpose convolution with a 3 x 3 kernel and stride 2, its kernel turned by 180°:
    ``BedOfNails`` and ``TransposeConv(kernel_size=3)`` are one method under two names.
    """

    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        return self.conv(bed_of_nails(x, size))  # type: ignore[no-any-return]


class MaxUnpooling(_Unpooling):
    """:func:`max_unpool`, then a 3 x 3 convolution (DeconvNet, Noh et al. 2015; SegNet, Badrinarayanan et al. 2015)."""

    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        return self.conv(max_unpool(x, indices, size))  # type: ignore[no-any-return]


class TransposeConv(Upsampling):
    """A transpose convolution of stride 2: each value weighs a copy of the kernel, and copies that overlap are summed.

    Also called upconvolution, fractionally strided convolution, backward convolution and, wrongly, deconvolution.

    Args:
        in_channels: channels of its input.
        out_channels: channels of its output.
        kernel_size: 2 or more. All outputs are sums over equally many copies only where the stride, 2, divides it
            (Odena et al. 2016); the lecture's 3 gives 1, 2 or 4 of them, the checkerboard's cause.
        initialization: "bilinear" starts as an interpolation (Long et al. 2015, section 3.3): of each channel where
            their number stays the same, else of random mixtures of them. "random" is PyTorch's.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 4,
        initialization: Literal["bilinear", "random"] = "bilinear",
    ) -> None:
        super().__init__()
        if kernel_size < 2:
            raise ValueError(f"TransposeConv: kernel_size is {kernel_size}; 2 or more expected, or stride 2 leaves holes")
        # With this padding the output is 2h x 2w for a kernel of any size.
        self.conv = nn.ConvTranspose2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=2,
            padding=(kernel_size - 1) // 2,
            output_padding=kernel_size % 2,
        )
        if initialization == "bilinear":
            self._interpolate(in_channels, out_channels, kernel_size)

    def _interpolate(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        mixture = torch.eye(in_channels)
        if in_channels != out_channels:
            mixture = nn.init.kaiming_normal_(torch.empty(out_channels, in_channels), nonlinearity="linear").T
        with torch.no_grad():
            self.conv.weight.copy_(mixture[..., None, None] * bilinear_kernel(kernel_size))
            if self.conv.bias is not None:
                self.conv.bias.zero_()

    def forward(self, x: Tensor, indices: Tensor, size: _Size) -> Tensor:
        return _fit(self.conv(x), size)


def bilinear_kernel(kernel_size: int) -> Tensor:
    """The (kernel_size, kernel_size) kernel with which a transpose convolution of stride 2 interpolates bilinearly.

    A tent two input pixels wide, sampled at the taps. Every second tap reaches the same output; these are made to sum
    to 1, so that a constant stays constant (and 2 taps copy the nearest neighbour). The usual formula, Long et al.'s,
    widens the tent with the kernel instead, and interpolates at kernel_size 3 and 4 only.
    """
    taps = torch.arange(kernel_size) - (kernel_size - 1) / 2
    tent = (1 - taps.abs() / 2).clamp(min=0)
    for phase in (0, 1):
        tent[phase::2] /= tent[phase::2].sum()
    return torch.outer(tent, tent)
