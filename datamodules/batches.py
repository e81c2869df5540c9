"""Whole batches of images that lie in memory: taken at once, and augmented at once where the network computes.

Scene by scene, 50,000 images of 32 pixels take several seconds; a batch of rows of one tensor is a single operation, and so is
its augmentation. Both are for data whose only annotation is a class, which no augmentation moves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .base import DataModule, PreparedScenes, Split
from .files import LabelledImages
from .loading import Key
from .scene import InputError

DRAWS = "draws"
"""The field of a batch on its way to the device that holds what was drawn of each image: float32 (B, D) in [0, 1)."""


class BatchTransform(ABC):
    """Augments the images of a batch, each by the numbers that were drawn of it."""

    draws: ClassVar[int]
    """How many numbers it takes of each image."""

    @abstractmethod
    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """uint8 (B, 3, H, W) from the like, and float32 (B, ``draws``) in [0, 1) on the same device."""


@dataclass(frozen=True)
class ReflectCrop(BatchTransform):
    """Moves an image by up to ``padding`` pixels in each direction; what comes in at the border is its mirror image."""

    padding: int = 4
    draws: ClassVar[int] = 2

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        moves = (draws * (2 * self.padding + 1)).long() - self.padding
        rows, columns = (_reflected(move[:, None], side) for move, side in zip(moves.T, images.shape[2:], strict=True))
        image = torch.arange(len(images), device=images.device)[:, None, None]
        return images.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Flip(BatchTransform):
    """Mirrors left and right with probability one half."""

    draws: ClassVar[int] = 1

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        return torch.where(draws[:, :, None, None] < 0.5, images.flip(3), images)


@dataclass(frozen=True)
class Cutout(BatchTransform):
    """Covers a square of ``side`` pixels, whose centre lies anywhere in the image (DeVries and Taylor 2017, section 3).

    Args:
        side: in pixels.
        fill: the grey that covers it, of 0 to 255: about the mean, which is 0 once an image is normalised.
    """

    side: int = 8
    fill: int = 120
    draws: ClassVar[int] = 2

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        covered = []
        for draw, side in zip(draws.T, images.shape[2:], strict=True):
            first = (draw * side).long()[:, None] - self.side // 2
            place = torch.arange(side, device=images.device)
            covered.append((place >= first) & (place < first + self.side))
        rows, columns = covered
        return images.masked_fill((rows[:, :, None] & columns[:, None])[:, None], self.fill)


def _reflected(moves: Tensor, side: int) -> Tensor:
    """int64 (B, side): the pixels 0 to ``side`` - 1, moved by (B, 1), and reflected at the first and the last."""
    place = torch.arange(side, device=moves.device) + moves
    return side - 1 - (side - 1 - place.abs()).abs()


def drawn(seed: int, epoch: int, indices: Sequence[int], count: int) -> Tensor:
    """float32 (B, count) in [0, 1): numbers that depend on (seed, epoch, index) alone, for all samples of a batch at once.

    A generator for each sample would take longer than the batch. This is SplitMix64 (Steele et al. 2014), which gives the n-th
    number of its stream without those before it.
    """
    start = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    place = np.asarray(indices, np.uint64)[:, None] * np.uint64(count) + np.arange(1, count + 1, dtype=np.uint64)
    z: Any = start + place * np.uint64(0x9E3779B97F4A7C15)  # all of it modulo 2^64
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return torch.from_numpy((z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24))


class PreparedBatches(PreparedScenes):
    """The scenes of a split, and whole batches of them: what :func:`datamodules.loading.collate` would make of the scenes.

    In training a batch also holds what its augmentations draw.

    Raises:
        InputError: the images do not lie in memory in the size of a batch, or scenes are augmented one by one as well.
        SceneError: a label is no class's.
    """

    source: LabelledImages

    def __init__(self, data: DataModule, split: Split, transforms: Sequence[BatchTransform], *, augment: bool) -> None:
        super().__init__(data, split, augment=augment)
        self.draws = sum(transform.draws for transform in transforms) if augment else 0
        height, width = self.source.images.shape[2:]
        if (height, width) != data.image_size or data.augment or self.propose:
            raise InputError(
                f"{self.name}: data.augment_batch takes images as they are, {height} x {width}, without data.augment and "
                "proposals"
            )
        self.pixels = self.source.images.permute(0, 2, 3, 1)
        """uint8 (N, H, W, 3), as they lie in memory: an image is copied whole, in a tenth of the time."""
        strange = (self.source.labels < 0) | (self.source.labels >= len(self.metadata.classes))
        if bool(strange.any()):
            self.checked(int(strange.nonzero()[0]))  # which says what is wrong with it

    def __getitems__(self, keys: list[Key]) -> dict[str, Any] | None:
        """The batch of these samples; None for none. torch's loader asks for it in place of each sample."""
        if not keys:
            return None
        epoch, indices = keys[0][0], [index for _, index in keys]
        rows = indices if self.chosen is None else [self.chosen[index] for index in indices]
        at = torch.tensor(rows)
        batch: dict[str, Any] = {"image": self.pixels.index_select(0, at).permute(0, 3, 1, 2)}
        if "label" in self.fields:
            batch["label"] = self.source.labels[at]
        batch |= {"index": torch.tensor(indices), "size": [tuple(self.pixels.shape[1:3])] * len(rows)}
        batch["name"] = [f"{self.source.name}/{self.source.first + row}" for row in rows]
        if self.draws:
            batch[DRAWS] = drawn(self.seed, epoch, indices, self.draws)
        return batch


def augmented(batch: Any, transforms: Sequence[BatchTransform]) -> Any:
    """The batch, on its device, with its images augmented; one without draws, of an evaluation, as it is."""
    if not isinstance(batch, dict) or DRAWS not in batch:
        return batch
    rest = {field: value for field, value in batch.items() if field != DRAWS}
    numbers = batch[DRAWS].split([transform.draws for transform in transforms], 1)
    for transform, own in zip(transforms, numbers, strict=True):
        rest["image"] = transform(rest["image"], own)
    return rest
