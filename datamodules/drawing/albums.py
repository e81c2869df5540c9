"""Scenes that are drawn once, and kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, cast

from torch import Tensor

from ..scene import FIELDS, Scene
from .composition import draw
from .style import Style

_OVERHEAD = 800
"""Bytes that a tensor takes beside its numbers."""


class Album:
    """The scenes of one seed and style that this process has drawn, as far as they were kept.

    Use :func:`album`, which gives the same one for the same seed and style: runs that follow one another in a process
    then draw no scene twice.
    """

    def __init__(self, seed: int, style: Style) -> None:
        self.seed, self.style = seed, style
        self.kept: dict[int, Scene] = {}
        self.size = 0
        """Bytes that the kept scenes take."""
        self.used = 0
        """When it was last asked for a scene, in such questions to any album."""

    def __reduce__(self) -> tuple[Callable[[int, Style], Album], tuple[int, Style]]:
        return album, (self.seed, self.style)  # a worker that was not forked has an album of its own

    def scene(self, index: int, fields: frozenset[str], budget: int) -> Scene:
        """A copy of scene ``index`` (of :func:`draw`) with these of its fields, and the image.

        Args:
            index: of the drawing.
            fields: out of :data:`FIELDS`.
            budget: bytes that all albums of this process may take. Where it is spent, the album that was used least
                recently is emptied; where that is this one, the scene is not kept.
        """
        self.used = next(_questions)
        scene = self.kept.get(index) if budget else None
        if scene is None:
            scene = draw(self.seed, index, self.style)
            if _make_room(self, size := _size(scene), budget):
                self.kept[index] = scene
                self.size += size
        return cast(Scene, {k: _copy(v) for k, v in scene.items() if k in fields or k not in FIELDS})

    def empty(self) -> None:
        """Forgets the scenes; who asks for one draws it anew."""
        self.kept, self.size = {}, 0


_albums: dict[tuple[int, Style], Album] = {}
_questions = itertools.count(1)


def album(seed: int, style: Style) -> Album:
    """The one album of this seed and style in this process."""
    return _albums.setdefault((seed, style), Album(seed, style))


def _make_room(asking: Album, size: int, budget: int) -> bool:
    """Whether ``size`` more bytes fit into the budget, in place of other albums where need be."""
    if asking.size + size > budget:
        return False
    others = sorted((a for a in _albums.values() if a is not asking), key=lambda a: a.used)
    excess = asking.size + size + sum(a.size for a in others) - budget
    for other in others:
        if excess > 0:
            excess -= other.size
            other.empty()
    return True


def _size(scene: Scene) -> int:
    return sum(v.nbytes + _OVERHEAD if isinstance(v, Tensor) else _OVERHEAD for v in scene.values())


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else list(value)
