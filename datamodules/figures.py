"""Figures: drawn scenes of which only the jointed figures are objects, and all other shapes are in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from .base import Scenes, Split
from .drawing import Style
from .drawing.style import FIGURE
from .scene import DatasetMetadata, InputError, Scene, keep_objects
from .shapes import Shapes

HARD = Style(
    objects=(1, 3),
    figures=(0, 2),
    object_size=(0.2, 0.45),
    articulation=1.0,
    clutter=1.0,
    texture=1.0,
    noise=0.04,
)
"""None to two figures in any pose, among shapes and clutter, under strong textures."""


class Figures(Shapes):
    """The scenes of :class:`Shapes`, with one class of objects: articulated figures, as pedestrian data sets have one.

    Args:
        style: how hard the scenes are; it has to draw figures. ``None`` takes :data:`HARD`.
        kwargs: see :class:`Shapes`.

    Raises:
        InputError: the style draws no figures.
    """

    provides = frozenset({"boxes", "labels", "masks", "keypoints"})

    def __init__(self, *, style: Style | None = None, **kwargs: Any) -> None:
        super().__init__(style=style or HARD, **kwargs)
        if not self.style.figures[1]:
            raise InputError("Figures: this style draws none; set data.style.figures to [0, 2]")

    @property
    def metadata(self) -> DatasetMetadata:
        return replace(super().metadata, name="Figures", classes=(FIGURE,), mask_classes=(), vocabulary=())

    @property
    def fields_to_load(self) -> frozenset[str]:
        return super().fields_to_load | {"labels"}  # by them figures are told from the rest

    def scenes(self, split: Split) -> Scenes:
        return _Figures(super().scenes(split), Shapes.metadata.fget(self).classes.index(FIGURE))  # type: ignore[attr-defined]


class _Figures:
    """A split of drawn scenes, the figures alone."""

    in_memory = True

    def __init__(self, scenes: Scenes, label: int) -> None:
        self.drawings, self.label = scenes, label

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> Scene:
        scene = self.drawings[index]
        kept = keep_objects(scene, (scene["labels"] == self.label).nonzero()[:, 0].tolist())
        kept["labels"] = torch.zeros_like(kept["labels"])
        return kept
