"""What a phrase says by the grammar of drawn scenes, word by word; a phrase that breaks the grammar says as much as it says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from .colors import HUES
from .language import FILLS, SIZES
from .outlines import OUTLINES

RELATIONS = ("left", "right", "above", "below")
"""The first word of each relation."""

_NAMES = (*OUTLINES, "figure")


class PhraseSlots(NamedTuple):
    """The words that a phrase has for its own object; empty where it has none."""

    size: str
    color: str
    fill: str
    """Empty of a plain object too."""
    name: str
    """Its class."""
    relation: str
    """To another object: a word of :data:`RELATIONS`."""

    def share(self, truth: PhraseSlots) -> float:
        """Of size, colour, fill and class the part that is said right, in quarters. Without a class, no fill was said."""
        said = (self.size == truth.size, self.color == truth.color, bool(self.name) and self.fill == truth.fill)
        return sum((*said, bool(self.name) and self.name == truth.name)) / 4


def slots(phrase: str) -> PhraseSlots:
    """The slots of a phrase."""
    words = phrase.split()
    place = next((i for i, word in enumerate(words) if word in RELATIONS), len(words))
    own = words[:place]
    relation = words[place] if place < len(words) else ""
    return PhraseSlots(_first(own, SIZES), _first(own, HUES), _first(own, FILLS), _first(own, _NAMES), relation)


def _first(words: Sequence[str], known: Collection[str]) -> str:
    return next((word for word in words if word in known), "")
