"""A pyramid of HOG features: the same filter finds small things in large maps and large things in small ones.

Felzenszwalb et al. 2010, "Object Detection with Discriminatively Trained Part-Based Models", section 3, figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from .hog import hog


@dataclass(frozen=True)
class PyramidLevel:
    """One size of the image: where its cells lie."""

    cells: tuple[int, int]
    """(h, w) of the whole cells in the image at this size, without those beside it."""
    scale: tuple[float, float]
    """(y, x): pixels of this size to a pixel of the image, about the same in both directions."""


@dataclass(frozen=True)
class Pyramid:
    """HOG features of B images, from the largest size to the smallest."""

    maps: list[Tensor]
    """float (B, 31, h + 2 pad, w + 2 pad) each."""
    layout: PyramidLayout


@dataclass(frozen=True)
class PyramidLayout:
    """Which sizes there are of an image, a function of its size alone.

    Args:
        size: (H, W) of the image in pixels.
        cell: side of a cell in pixels.
        interval: levels from one size to half of it.
        octaves: how often the largest size is the image doubled: 0 is the image's own size. The part filters' maps are twice
            as fine as those of the root.
        least: (h, w) in cells of the root filter, of which half of the padding may be used.
        pad: cells beside the image, on each of its sides.
    """

    size: tuple[int, int]
    cell: int
    interval: int
    octaves: int
    least: tuple[int, int]
    pad: int

    @cached_property
    def levels(self) -> list[PyramidLevel]:
        found = list[PyramidLevel]()
        while True:
            scale = 2.0 ** (self.octaves - len(found) / self.interval)
            high, wide = (int(side * scale / self.cell + 1e-6) for side in self.size)
            too_small = high + self.pad < self.least[0] or wide + self.pad < self.least[1] or min(high, wide) < 1
            # An image too small for any filter still has the levels that parts need, and one more, in which nothing is found.
            if too_small and len(found) > self.octaves * self.interval:
                return found
            high, wide = max(1, high), max(1, wide)
            found.append(PyramidLevel((high, wide), (high * self.cell / self.size[0], wide * self.cell / self.size[1])))

    def shapes(self) -> list[tuple[int, int]]:
        """(h, w) of each map, padding included."""
        return [(level.cells[0] + 2 * self.pad, level.cells[1] + 2 * self.pad) for level in self.levels]

    def of(self, images: Tensor) -> Pyramid:
        """The features of images, float (B, 3, H, W) of values from 0 to 255. Beside an image, its border goes on."""
        maps = []
        for level in self.levels:
            target = (level.cells[0] * self.cell, level.cells[1] * self.cell)
            resized = F.interpolate(images, target, mode="bilinear", antialias=True, align_corners=False)
            beside = (self.pad + 1) * self.cell
            maps.append(hog(F.pad(resized, (beside,) * 4, mode="replicate"), self.cell))
        return Pyramid(maps, self)

    def rows(self, pyramid: Pyramid, image: int) -> Tensor:
        """The cells of one image, level after level, row by row: float (N, 31)."""
        return torch.cat([level[image].flatten(1).T for level in pyramid.maps])

    def from_rows(self, rows: Tensor) -> Pyramid:
        """The pyramid of one image, from what :meth:`rows` gave; it shares the memory."""
        counts = [height * width for height, width in self.shapes()]
        parts = rows.split(counts)
        maps = [part.T.reshape(1, rows.shape[1], *shape) for part, shape in zip(parts, self.shapes(), strict=True)]
        return Pyramid(maps, self)
