"""Shapes: scenes drawn from a seed, with every field that a task can need. Nothing to download."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .base import DataModule, Scenes, Size, Split
from .drawing import Album, Style, album, metadata
from .scene import DatasetMetadata, InputError, Scene

FIRST_INDEX = {"train": 0, "val": 1_000_000_000, "test": 2_000_000_000}
"""Where each split's drawings begin: far apart, so that no size of one split makes it share a scene with another."""


class Shapes(DataModule):
    """Drawn scenes: textured shapes and jointed figures, cluttered and overlapping as much as asked.

    Scene i of a split is a function of (data_seed, split, i, style): the same on every machine. A process draws it once
    and keeps it for all data modules of the same ``data_seed`` and ``style``.

    Args:
        image_size: side of the images, or (H, W); scenes are drawn at this size.
        style: how hard the scenes are, and what is in them.
        train: number of training scenes.
        val: number of validation scenes.
        test: number of test scenes.
        kwargs: see :class:`datamodules.base.DataModule`. ``data_seed`` is that of the drawings; the run's own seed changes only
            their order and augmentation. What ``cache_mib`` keeps are drawn scenes, about 30 KiB each at 64
            pixels, and all data modules of a process share it.
    """

    provides = frozenset({"label", "mask", "boxes", "labels", "masks", "keypoints", "captions"})

    def __init__(
        self,
        *,
        image_size: Size = 64,
        style: Style | None = None,
        train: int = 4000,
        val: int = 500,
        test: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size=image_size, **kwargs)
        self.style = style or Style()
        self.sizes = {"train": train, "val": val, "test": test}

    @property
    def style(self) -> Style:
        """How scenes are drawn: at the size of a batch's images."""
        return replace(self._style, image_size=self.image_size)

    @style.setter
    def style(self, style: Style) -> None:
        self._style = style

    @property
    def metadata(self) -> DatasetMetadata:
        return metadata(self.style)

    def require(self, fields: frozenset[str]) -> None:
        style = self.style
        if "keypoints" in fields and not style.figures[1]:
            raise InputError("Shapes: this style draws no figures, so there are no keypoints; set data.style.figures to [1, 1]")
        if "label" in fields and not style.objects[0] + style.figures[0]:
            raise InputError(
                "Shapes: a scene may be empty in this style, and then has no label; set data.style.objects to [1, 3]"
            )
        super().require(fields)

    def scenes(self, split: Split) -> Scenes:
        drawings = album(self.data_seed, self.style)
        return Drawings(drawings, FIRST_INDEX[split], self.sizes[split], self.fields_to_load, self.cache_mib * 2**20)


class Drawings:
    """A split of drawn scenes."""

    in_memory = True

    def __init__(self, drawings: Album, first: int, length: int, fields: frozenset[str], budget: int) -> None:
        self.album, self.first, self.length, self.fields, self.budget = drawings, first, length, fields, budget
        drawings.reserve(budget)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Scene:
        return self.album.scene(self.first + index, self.fields, self.budget)
