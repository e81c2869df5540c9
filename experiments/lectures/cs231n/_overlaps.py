"""How many copies of its kernel a transpose convolution sums at each place of its output."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def overlap_counts(inputs: int, kernel_size: int, stride: int) -> Tensor:
    """int64 (side, side) with side = (inputs - 1) · stride + kernel_size, for a square input; nothing is cut at the border.

    It is the transpose convolution of ones with a kernel of ones.
    """
    ones, kernel = torch.ones(1, 1, inputs, inputs), torch.ones(1, 1, kernel_size, kernel_size)
    return F.conv_transpose2d(ones, kernel, stride=stride)[0, 0].round().long()


def inner_counts(kernel_size: int, stride: int) -> list[int]:
    """The counts that occur away from the border, ascending: one where the stride divides the kernel's size."""
    counts = overlap_counts(4 * kernel_size, kernel_size, stride)
    return counts[kernel_size:-kernel_size, kernel_size:-kernel_size].unique().tolist()
