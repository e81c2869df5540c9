"""A slide's picture: how it is drawn, and what it shows, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.studies.record import Record

from .numbers import Numbers, room, strip
from .sheet import Sheet, settings


@dataclass(frozen=True)
class Slide:
    """The picture of a claim."""

    draw: Callable[[Sheet, Numbers], None]
    """On a sheet; what of a verdict's numbers has its place in the picture."""
    says: str
    """What it shows: its caption, and for whoever does not see it."""
    height: float = 320
    """In units, of which the width has 960; the verdict's strip comes below."""

    def svg(self, claim: str, record: Record | None = None) -> str:
        """The picture as an SVG, with the numbers of the verdict where there is one."""
        numbers = Numbers(record)
        with settings():
            sheet = Sheet(self.height, room(numbers))
            self.draw(sheet, numbers)
            strip(sheet, numbers)
            return sheet.svg(self.says, f"{claim} {record.name if record else ''}")
