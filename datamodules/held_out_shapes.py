"""Drawn scenes whose training part lacks some combinations of colour, class and relation."""

from __future__ import annotations

from typing import Any

from .base import Scenes, Split
from .drawing.colors import HUES
from .drawing.outlines import OUTLINES
from .drawing.slots import slots
from .scene import FIELDS, Scene
from .shapes import Shapes

_AXES = {0: ("left", "right"), 4: ("above", "below")}
_EVERY = 8
_NAMES = (*OUTLINES, "figure")


def is_held_out(color: str, name: str, relation: str) -> bool:
    """Whether a thing of this colour and class may not stand in this relation to its neighbour in a training scene.

    Of every eight pairs of colour and class one is never left or right of another thing, and one never above or below. So each
    colour is seen with each class, each class in each relation, and a mirrored scene has no more of them than it had.
    """
    return relation in _AXES.get((HUES.index(color) + _NAMES.index(name)) % _EVERY, ()) if color in HUES else False


class HeldOutShapes(Shapes):
    """The scenes of :class:`Shapes`, of which training and validation hold no combination that :func:`is_held_out` names.

    The test's scenes are as they are drawn. Who names a held-out combination there has put known words together anew.

    Args:
        kwargs: see :class:`Shapes`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def scenes(self, split: Split) -> Scenes:
        drawings = super().scenes(split)
        return drawings if split == "test" else _WithoutHeldOut(drawings, self.fields_to_load)


class _WithoutHeldOut:
    """Of each place in a split the first drawing that has no held-out combination."""

    in_memory = True

    def __init__(self, drawings: Any, fields: frozenset[str]) -> None:
        drawings.fields = drawings.fields | {"captions"}  # by them the combinations are told
        self.drawings, self.fields = drawings, fields

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> Scene:
        place = index
        while True:
            scene: Any = self.drawings[place]
            said = [slots(caption) for caption in scene["captions"]]
            if not any(is_held_out(each.color, each.name, each.relation) for each in said):
                return {k: v for k, v in scene.items() if k in self.fields or k not in FIELDS}  # type: ignore[return-value]
            place += len(self)  # behind the split's own, where no other split begins
