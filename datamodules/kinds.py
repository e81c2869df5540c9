"""The kinds of a scene's fields: what holds a value, and what becomes of it when its image is moved, batched or drawn.

A field is declared once, in ``datamodules.scene.FIELDS``, as one of these kinds. Checking, augmentation, resizing, collation,
pictures and predictions ask for a field's kind and not for its name, so that a new field of a known kind is one entry there.
Shapes name their variable sides: N objects, K keypoints, H and W of the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What all kinds say."""

    dtype: torch.dtype = torch.float32
    classes: Literal["", "classes", "mask_classes"] = ""
    """The attribute of the metadata whose names the values count; empty where they count none."""

    shape: ClassVar[tuple[int | str, ...]]
    """The sides of a value; those with a name may be of any length."""
    per_object: ClassVar[bool] = False
    """Whether there is one entry an object; such fields are reduced together where objects are left out."""
    stacked: ClassVar[bool] = False
    """Whether a batch holds one tensor (B, ...); otherwise it holds a list of B values."""
    moves: ClassVar[bool] = False
    """Whether a value changes with its image's geometry: with a flip, a crop or another size."""

    def __str__(self) -> str:
        """What a value must be: ``float32 (N, 4)``."""
        return f"{_name(self.dtype)} {_sides(self.shape)}"

    def fault(self, value: Any) -> str:
        """What a value is, where it is not of this kind (``int64 (3, 5)``); empty where it is."""
        if not isinstance(value, Tensor):
            return f"{type(value).__name__}"
        fits = value.ndim == len(self.shape) and all(
            isinstance(side, str) or side == length for side, length in zip(self.shape, value.shape, strict=True)
        )
        return "" if fits and value.dtype == self.dtype else f"{_name(value.dtype)} {_sides(tuple(value.shape))}"

    def chosen(self, value: Any, rows: Sequence[int]) -> Any:
        """The entries ``rows`` of a value with one entry an object, in that order."""
        return value[torch.tensor(rows, dtype=torch.long)]


@dataclass(frozen=True, kw_only=True)
class Scalar(Kind):
    """One number an image: its class, or a quantity."""

    shape = ()
    stacked = True


@dataclass(frozen=True, kw_only=True)
class Map(Kind):
    """One value a pixel: a class, or a quantity such as metres of depth.

    A map moves with the pixels. It is sampled at their centres and never blended, whatever it holds: of two surfaces, each
    pixel takes the depth of one, and not a mean at which there is nothing; and what is not known does not spread.
    """

    fill: float = math.nan
    """What stands where nothing is known: beside the image, and where the data set itself says nothing."""

    shape = ("H", "W")
    moves = True
    stacked = True


@dataclass(frozen=True, kw_only=True)
class Boxes(Kind):
    """The box of each object, xyxy in pixels. A scene has one field of this kind: through it objects are left out."""

    shape = ("N", 4)
    moves = True
    per_object = True


@dataclass(frozen=True, kw_only=True)
class Regions(Kind):
    """Boxes, xyxy in pixels, that are no objects': each of them moves, and is left out, by itself."""

    shape = ("N", 4)
    moves = True


@dataclass(frozen=True, kw_only=True)
class PerObject(Kind):
    """One number or flag an object; it does not change with the image."""

    shape = ("N",)
    per_object = True


@dataclass(frozen=True, kw_only=True)
class Areas(Kind):
    """Square pixels of each object; they change as the area of its box does."""

    shape = ("N",)
    moves = True
    per_object = True


@dataclass(frozen=True, kw_only=True)
class Masks(Kind):
    """One 0/1 mask an object; it moves with the pixels, and beside the image there is 0."""

    dtype: torch.dtype = torch.uint8

    shape = ("N", "H", "W")
    moves = True
    per_object = True


@dataclass(frozen=True, kw_only=True)
class Points(Kind):
    """K points an object, each x and y in pixels and v; v is 0 where a point is not labelled, or has left the image."""

    shape = ("N", "K", 3)
    moves = True
    per_object = True


@dataclass(frozen=True, kw_only=True)
class Texts(Kind):
    """A list of str, one text an object."""

    shape = ("N",)
    per_object = True

    def __str__(self) -> str:
        return "list of str"

    def fault(self, value: Any) -> str:
        if isinstance(value, list):
            return next((f"list with {type(text).__name__}" for text in value if not isinstance(text, str)), "")
        return f"{type(value).__name__}"

    def chosen(self, value: Any, rows: Sequence[int]) -> Any:
        return [value[row] for row in rows]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _sides(shape: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
