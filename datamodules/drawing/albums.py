"""Scenes that are drawn once, and kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..scene import FIELDS, Scene
from ..scene_cache import SceneCache, size_of
from .composition import draw
from .style import Style


class Album:
    """The scenes of one seed and style that this process and its workers have drawn, as far as they were kept.

    Use :func:`album`, which gives the same one for the same seed and style: runs that follow one another in a process
    then draw no scene twice.
    """

    def __init__(self, seed: int, style: Style) -> None:
        self.seed, self.style = seed, style
        self._cache: SceneCache | None = None
        self.used = 0
        """When it was last asked for a scene, in such questions to any album."""

    def __reduce__(self) -> tuple[Callable[..., Album], tuple[int, Style, SceneCache | None]]:
        return _album_of, (self.seed, self.style, self._cache)

    @property
    def size(self) -> int:
        """Bytes that the kept scenes take."""
        return self._cache.size if self._cache else 0

    @property
    def kept(self) -> list[int]:
        """The indices of the kept scenes."""
        return self._cache.kept if self._cache else []

    def reserve(self, budget: int) -> None:
        """Has room for ``budget`` bytes from now on, which processes that are started later share."""
        if budget and (self._cache is None or self._cache.capacity < budget):
            self._cache = SceneCache(budget)

    def scene(self, index: int, fields: frozenset[str], budget: int) -> Scene:
        """A copy of scene ``index`` (of :func:`draw`) with these of its fields, and the image.

        Args:
            index: of the drawing.
            fields: out of :data:`FIELDS`.
            budget: bytes that all albums of this process may take, at most those reserved. Where it is spent, the album that
                was used least recently is emptied; where that is this one, the scene is not kept.
        """
        self.used = next(_questions)
        scene: Mapping[str, Any] | None = self._cache.get(index) if budget and self._cache else None
        if scene is None:
            scene = draw(self.seed, index, self.style)
            if budget and self._cache:
                _make_room(self, size_of(scene), budget)
                self._cache.put(index, scene, budget)
        return cast(Scene, {k: v for k, v in scene.items() if k in fields or k not in FIELDS})

    def empty(self) -> None:
        """Forgets the scenes; who asks for one draws it anew."""
        if self._cache:
            self._cache.empty()


_albums: dict[tuple[int, Style], Album] = {}
_questions = itertools.count(1)


def album(seed: int, style: Style) -> Album:
    """The one album of this seed and style in this process."""
    return _albums.setdefault((seed, style), Album(seed, style))


def _album_of(seed: int, style: Style, cache: SceneCache | None) -> Album:
    """The album of a worker that was not forked: it has the cache of the process that started it."""
    found = album(seed, style)
    if found._cache is None:
        found._cache = cache
    return found


def _make_room(asking: Album, size: int, budget: int) -> None:
    """Empties other albums where ``size`` more bytes do not fit into the budget, unless the one that asks fills it alone."""
    if asking.size + size > budget:
        return
    others = sorted((a for a in _albums.values() if a is not asking and a.size), key=lambda a: a.used)
    excess = asking.size + size + sum(a.size for a in others) - budget
    for other in others:
        if excess > 0:
            excess -= other.size
            other.empty()
