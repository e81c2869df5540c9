"""Proposals that lie beside their objects: shifted, too large and too small, the same for an image each time."""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

from datamodules import SelectiveSearch
from datamodules.proposals import Proposer

SHIFT, GROWTH = 0.15, 1.4
"""Most of a side that a proposal is moved by, and the factor that its sides grow or shrink by at most.

On drawn scenes selective search finds outlines to the pixel, and leaves a correction nothing to do.
"""
LEAST = 2.0
"""Pixels of a side."""


class ShakenProposals(Proposer):
    """Selective search's regions, each moved and scaled at random.

    The random numbers come from the image's own bytes, so that what is proposed is a function of the image alone.

    Args:
        scales: as :class:`~datamodules.SelectiveSearch` has them.
        shift: of a box's sides, by which its centre is moved at most.
        growth: factor of its sides, at most; at least its inverse.
    """

    def __init__(self, scales: tuple[float, ...] = (50.0,), shift: float = SHIFT, growth: float = GROWTH) -> None:
        self.search, self.shift, self.growth = SelectiveSearch(scales=scales), shift, growth

    def __call__(self, image: Tensor) -> Tensor:
        boxes = self.search(image)
        generator = torch.Generator().manual_seed(zlib.crc32(image.contiguous().numpy().tobytes()))
        draws = 2 * torch.rand(len(boxes), 4, generator=generator) - 1
        sides = boxes[:, 2:] - boxes[:, :2]
        centres = (boxes[:, 2:] + boxes[:, :2]) / 2 + self.shift * sides * draws[:, :2]
        half = sides * self.growth ** draws[:, 2:] / 2
        height, width = image.shape[1:]
        limit = torch.tensor([width, height, width, height], dtype=torch.float32)
        moved = torch.cat([centres - half, centres + half], 1).clamp(min=0).minimum(limit)
        large = ((moved[:, 2:] - moved[:, :2]) >= LEAST).all(1)
        return moved[large]
