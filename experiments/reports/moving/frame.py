"""A moving picture: the steps that it is made of, each an SVG and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from .drawing import Drawing


@dataclass(frozen=True)
class Frame:
    """One state of a picture."""

    svg: str
    words: str
    """What happens here: shown below the picture, and read to whoever does not see it."""


@dataclass(frozen=True)
class MovingPicture:
    """The picture of a claim, computed when it is asked for."""

    steps: Callable[[], Iterator[Frame]]
    """By the functions of the claim's own study where it has some; torch is imported in here and not before."""
    says: str
    """What all of it shows: the caption of the still."""

    def still(self) -> str:
        """The last step, which has all that was drawn on the way: the picture for a report."""
        return _still(self)


@cache
def _still(moving: MovingPicture) -> str:
    return list(moving.steps())[-1].svg


def frame(drawing: Drawing, words: str) -> Frame:
    """What is drawn, with its sentence."""
    return Frame(drawing.svg(words), words)
