"""What a verdict's page is made of: the kinds of sections, which every page shows in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go

from experiments.studies.levels import Level


@dataclass(frozen=True, kw_only=True)
class _Section:
    heading: str = ""
    is_folded: bool = False
    """Whether a page that can fold shows its heading alone until it is asked for more."""


@dataclass(frozen=True)
class Prose(_Section):
    """A paragraph."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Quote(_Section):
    """What somebody else says, in its own language."""

    text: str
    place: str
    """Where it stands."""
    translation: str = ""

    @property
    def language(self) -> str:
        """As HTML names it: Korean, where there is a syllable of Hangul."""
        return "ko" if any("\uac00" <= c <= "\ud7a3" for c in self.text) else "en"


@dataclass(frozen=True)
class Heading(_Section):
    """Where a part of a claim stands: a heading of its own."""

    text: str
    level: Level


@dataclass(frozen=True)
class Facts(_Section):
    """Names, and what there is to say about each, in one or several lines."""

    facts: Mapping[str, tuple[str, ...]]
    strong: tuple[str, ...] = ("the lecture errs", "made before changes in")
    """The names that must not be overlooked."""


@dataclass(frozen=True)
class Cell:
    """What stands in a table."""

    text: str
    is_strong: bool = False
    """Whether it must not be overlooked."""
    note: str = ""
    """What is to be known of it, said more quietly."""
    behind: tuple[str, ...] = ()
    """Lines that a page shows when it is asked for them."""


@dataclass(frozen=True)
class Table(_Section):
    """Rows of cells, each as many as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class FigureChoice(_Section):
    """Figures by title, drawn where they are shown; a page on which one can choose offers them all."""

    key: str
    """Its name in the page."""
    drawn: Mapping[str, Callable[[], go.Figure]]
    shown: tuple[str, ...] = ("",)
    """The titles of those that are shown where one cannot choose; where it names none, the section is for a choice alone."""
    caption: str = ""


@dataclass(frozen=True)
class SlidePicture(_Section):
    """The slide's own picture, an SVG that takes the page's colour for its lines and its text."""

    svg: Callable[[], str]
    """Drawn where it is shown. All text in it is escaped."""
    says: str
    """What it shows, for its caption and for whoever does not see it."""


@dataclass(frozen=True)
class Gallery(_Section):
    """Pictures: by name, by variant."""

    rows: Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True)
class Command(_Section):
    """A line to type."""

    line: str


Section = Prose | Quote | Heading | Facts | Table | FigureChoice | SlidePicture | Gallery | Command
KINDS: tuple[type[Section], ...] = (Prose, Quote, Heading, Facts, Table, FigureChoice, SlidePicture, Gallery, Command)


def facts(lines: Mapping[str, Iterable[str]], heading: str = "") -> list[Facts]:
    """Facts without what is empty; none where all are."""
    kept = {name: tuple(line for line in own if line) for name, own in lines.items()}
    found = {name: own for name, own in kept.items() if own}
    return [Facts(found, heading=heading)] if found else []


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Cell]], heading: str = "", is_folded: bool = False
) -> list[Table]:
    """A table, columns that are empty left out; none where it has no row."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    kept = [i for i in range(len(columns)) if any(row[i].text for row in cells)]
    lines = tuple(tuple(row[i] for i in kept) for row in cells)
    return [Table(tuple(columns[i] for i in kept), lines, heading=heading, is_folded=is_folded)] if cells else []
