"""Histograms of oriented gradients in the 31 dimensions of Felzenszwalb, Girshick, McAllester and Ramanan.

Felzenszwalb et al. 2010, "Object Detection with Discriminatively Trained Part-Based Models", section 6.2; as ``features.cc`` of
their code (voc-release5) computes them, without its last feature, which is 1 beside the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CHANNELS = 31
"""18 contrast-sensitive orientations, 9 insensitive ones, and 4 sums of gradient energy, one a normalisation."""

_ORIENTATIONS = 9
_COSINES = (1.0, 0.9397, 0.766, 0.5, 0.1736, -0.1736, -0.5, -0.766, -0.9397)
_SINES = (0.0, 0.342, 0.6428, 0.866, 0.9848, 0.9848, 0.866, 0.6428, 0.342)
"""Of the orientations, every 20 degrees, as the authors have them."""
_EPS, _CUT, _TEXTURE = 1e-4, 0.2, 0.2357


def hog(images: Tensor, cell: int = 8) -> Tensor:
    """The features of all cells but those at the border, which lack a neighbour to be normalised by.

    Cell (i, j) of the result covers the pixels from ``(i + 1) * cell`` down and ``(j + 1) * cell`` to the right. A pixel
    has the gradient of the channel in which it is steepest, in one of 18 orientations, and is shared among the four nearest
    cells.

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
    dx, dy = _gradients(images)
    best, orientation = torch.zeros_like(dx), torch.zeros_like(dx, dtype=torch.uint8)
    # In the authors' order, since a horizontal edge is as near to one orientation as to the next: the first has it.
    for o, (across, down) in enumerate(zip(_COSINES, _SINES, strict=True)):
        along = (across * dx).add_(dy, alpha=down).abs_()
        orientation.masked_fill_(along > best, o)
        best = torch.maximum(best, along)
    orientation = orientation.long()
    cosines, sines = (torch.tensor(table, dtype=dx.dtype, device=dx.device)[orientation] for table in (_COSINES, _SINES))
    orientation += _ORIENTATIONS * (cosines * dx + sines * dy < 0)
    magnitude = (dx.square() + dy.square()).sqrt()
    votes = torch.zeros_like(magnitude).repeat(1, 2 * _ORIENTATIONS, 1, 1).scatter_(1, orientation, magnitude)
    return _shared(_shared(votes, cell, 2), cell, 3)


def _gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, H, W) each, to the right and down, of the steepest channel; the outermost pixels have none."""
    inside = slice(1, -1)
    across = F.pad(images[:, :, inside, 2:] - images[:, :, inside, :-2], (1, 1, 1, 1))
    down = F.pad(images[:, :, 2:, inside] - images[:, :, :-2, inside], (1, 1, 1, 1))
    dx, dy = across[:, :1], down[:, :1]
    for channel in range(1, images.shape[1]):
        x, y = across[:, channel, None], down[:, channel, None]
        steeper = x.square() + y.square() > dx.square() + dy.square()
        dx, dy = torch.where(steeper, x, dx), torch.where(steeper, y, dy)
    return dx, dy


def _shared(votes: Tensor, cell: int, side: int) -> Tensor:
    """Sums over the pixels of each cell and of half of its neighbours, along one side.

    A pixel's share falls linearly with its distance from the centre of a cell, to nothing at the centre of the next one.
    """
    padding = (0, 0, cell // 2, cell // 2) if side == 2 else (cell // 2, cell // 2, 0, 0)
    padded, length = F.pad(votes, padding).movedim(side, 0), votes.shape[side]
    total = torch.zeros_like(padded[0:length:cell])
    for k in range(2 * cell):
        total.add_(padded[k : k + length : cell], alpha=1 - abs((k + 0.5) / cell - 1))
    return total.movedim(0, side)
