"""Histograms of oriented gradients in the 31 dimensions of Felzenszwalb, Girshick, McAllester and Ramanan.

Felzenszwalb et al. 2010, "Object Detection with Discriminatively Trained Part-Based Models", section 6.2; as ``features.cc`` of
their code (voc-release5) computes them, without its last feature, which is 1 beside the image.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CHANNELS = 31
"""18 contrast-sensitive orientations, 9 insensitive ones, and 4 sums of gradient energy, one a normalisation."""

_ORIENTATIONS = 9
_EPS, _CUT, _TEXTURE = 1e-4, 0.2, 0.2357


def hog(images: Tensor, cell: int = 8) -> Tensor:
    """The features of all cells but those at the border, which lack a neighbour to be normalised by.

    Cell (i, j) of the result covers the pixels from ``(i + 1) * cell`` down and ``(j + 1) * cell`` to the right. A pixel has the
    gradient of the channel in which it is steepest, in one of 18 orientations, and is shared among the four nearest cells.

    Args:
        images: float (B, 3, H, W) of values from 0 to 255, H and W multiples of ``cell`` and at least 3 of them.
        cell: side of a cell in pixels, even.

    Returns:
        float (B, 31, H / cell - 2, W / cell - 2), in the images' own precision.

    Raises:
        ValueError: the images are no whole number of cells, or too small.
    """
    height, width = images.shape[-2:]
    if cell < 2 or cell % 2 or height % cell or width % cell or min(height, width) < 3 * cell:
        raise ValueError(f"images of {height} x {width} pixels: at least 3 x 3 whole cells of {cell} pixels (even) expected")
    histograms = _histograms(images, cell)
    both = histograms[:, :_ORIENTATIONS] + histograms[:, _ORIENTATIONS:]
    energy = both.square().sum(1, keepdim=True)
    blocks = F.avg_pool2d(energy, 2, stride=1) * 4  # of 2 x 2 cells, (B, 1, h - 1, w - 1)
    factors = (blocks + _EPS).rsqrt()
    sensitive, insensitive = histograms[:, :, 1:-1, 1:-1], both[:, :, 1:-1, 1:-1]
    total, undirected, texture = torch.zeros_like(sensitive), torch.zeros_like(insensitive), list[Tensor]()
    for rows in (slice(1, None), slice(None, -1)):
        for columns in (slice(1, None), slice(None, -1)):
            factor = factors[:, :, rows, columns]
            cut = (sensitive * factor).clamp(max=_CUT)
            total = total + cut
            undirected = undirected + (insensitive * factor).clamp(max=_CUT)
            texture.append(_TEXTURE * cut.sum(1, keepdim=True))
    # The authors' order of the four blocks: down and right, up and right, down and left, up and left.
    texture[1], texture[2] = texture[2], texture[1]
    return torch.cat([total / 2, undirected / 2, *texture], 1)


def _histograms(images: Tensor, cell: int) -> Tensor:
    """Gradient magnitude by orientation in each cell: float (B, 18, H / cell, W / cell)."""
    dx, dy = torch.zeros_like(images), torch.zeros_like(images)
    # The outermost pixels have no gradient.
    dx[:, :, 1:-1, 1:-1] = images[:, :, 1:-1, 2:] - images[:, :, 1:-1, :-2]
    dy[:, :, 1:-1, 1:-1] = images[:, :, 2:, 1:-1] - images[:, :, :-2, 1:-1]
    steepest = (dx.square() + dy.square()).argmax(1, keepdim=True)
    dx, dy = dx.gather(1, steepest), dy.gather(1, steepest)
    magnitude = (dx.square() + dy.square()).sqrt()
    angles = torch.arange(_ORIENTATIONS, dtype=images.dtype, device=images.device) * (math.pi / _ORIENTATIONS)
    along = dx * angles.cos().view(1, -1, 1, 1) + dy * angles.sin().view(1, -1, 1, 1)
    orientation = torch.cat([along, -along], 1).argmax(1, keepdim=True)
    votes = torch.zeros_like(magnitude).repeat(1, 2 * _ORIENTATIONS, 1, 1).scatter_(1, orientation, magnitude)
    # A pixel's share falls linearly with its distance from the centre of a cell, to nothing at the centre of the next one.
    triangle = 1 - ((torch.arange(2 * cell, dtype=images.dtype, device=images.device) + 0.5) / cell - 1).abs()
    flat = votes.flatten(0, 1)[:, None]
    down = F.conv2d(flat, triangle.view(1, 1, -1, 1), stride=(cell, 1), padding=(cell // 2, 0))
    across = F.conv2d(down, triangle.view(1, 1, 1, -1), stride=(1, cell), padding=(0, cell // 2))
    return across.view(len(images), 2 * _ORIENTATIONS, *across.shape[-2:])
