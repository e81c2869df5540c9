"""A slide's picture: how it is drawn, and what it shows, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.studies.record import Record

from .numbers import PANEL, Measurements, panel, room, strip
from .sheet import WIDTH, Sheet, settings


@dataclass(frozen=True)
class Slide:
    """The picture of a claim."""

    draw: Callable[[Sheet, Measurements], None]
    """On a sheet; what of a verdict's numbers has its place in the picture."""
    says: str
    """What it shows: its caption, and for whoever does not see it."""
    has_panel: bool = False
    """Whether the variants' figures stand right of it, as bars; where there are none the picture moves to the middle."""
    height: float = 320
    """In units, of which the width has 960; the verdict's strip comes below."""
    also: tuple[str, ...] = ()
    """Further claims whose verdicts it shows numbers of, by their ids."""

    def svg(self, claim: str, record: Record | None = None, others: Mapping[str, Record] | None = None) -> str:
        """The picture as an SVG, with the numbers of the verdict where there is one, and of those on the claims ``also``."""
        numbers = Measurements(record, others)
        with settings():
            sheet = Sheet(self.height, room(numbers))
            self.draw(sheet, numbers)
            if self.has_panel and not panel(sheet, numbers):
                sheet.left = -(WIDTH - PANEL[0]) / 2
            strip(sheet, numbers)
            return sheet.svg(self.says, f"{claim} {record.name if record else ''}")
