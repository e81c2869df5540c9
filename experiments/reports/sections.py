"""A verdict's page as a list of sections: what is said, in which order, under which headings.

Markdown, HTML and the dashboard show the same sections, each in its own way (:mod:`.markdown`, :mod:`.html`,
``experiments.dashboard.study_view``). All text here is plain: whoever shows it sees to it that nothing in it counts as markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import plotly.graph_objects as go

from experiments.runs.files import differences
from experiments.studies.record import Record

from .evidence import configs, folders, shown_curves, speeds, study_curves, study_pictures, variant_values
from .figures import curves_with_bands, speed_against_accuracy, variants_with_intervals
from .intervals import intervals
from .labels import is_fraction, metric_title
from .wording import changes, command, estimate, interval, number, seeds, short, with_unit


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
class Figures(_Section):
    """Figures by title, drawn where they are shown; a page on which one can choose offers them all."""

    key: str
    """Its name in the page."""
    drawn: Mapping[str, Callable[[], go.Figure]]
    shown: tuple[str, ...] = ("",)
    """The titles of those that are shown where one cannot choose; where it names none, the section is for a choice alone."""
    caption: str = ""


@dataclass(frozen=True)
class Gallery(_Section):
    """Pictures: by name, by variant."""

    rows: Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True)
class Command(_Section):
    """A line to type."""

    line: str


Section = Prose | Facts | Table | Figures | Gallery | Command


def sections(record: Record, runs: Path, pictures: int = 4) -> list[Section]:
    """A verdict and all that it rests on, the most important first; the claim's title and level are its heading's.

    Args:
        record: the verdict.
        runs: the folder of all runs, which its curves, configurations and pictures lie in.
        pictures: the most of each variant.
    """
    return [
        Prose(record.because),
        *_effects(record),
        *_checks(record),
        _facts(record),
        *_validity_checks(record),
        *_curves(record, runs),
        *_values(record, runs),
        *_pictures(record, runs, pictures),
        *_variants(record, runs),
        Command(command(record.name, record.scale), heading="Run it again"),
    ]


def _table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Cell]], heading: str = "", is_folded: bool = False
) -> list[Table]:
    """A table, columns that are empty left out; none where it has no row."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    kept = [i for i in range(len(columns)) if any(row[i].text for row in cells)]
    lines = tuple(tuple(row[i] for i in kept) for row in cells)
    return [Table(tuple(columns[i] for i in kept), lines, heading=heading, is_folded=is_folded)] if cells else []


def _effects(record: Record) -> list[Section]:
    named = [(effect, Cell(effect.name)) for effect in record.effects]
    if baseline := record.shared_lr:
        named.append((baseline, Cell(baseline.name, note="shared-lr baseline: one learning rate for all")))
    if not named:
        return []
    drawn = [effect for i, effect in enumerate(record.effects) if i == 0 or effect.needs]
    drawn += [record.shared_lr] if record.shared_lr else []
    rows = []
    for effect, name in named:
        paper = with_unit(effect.paper, effect.unit) if effect.paper is not None else ""
        rows.append((name, estimate(effect), interval(effect), effect.needs, paper, seeds(effect)))
    columns = ("measured", "mean", "95 % interval", "needed", "paper", "each seed")
    return [Figures("effects", {"": partial(intervals, drawn)}), *_table(columns, rows)]


def _checks(record: Record) -> list[Table]:
    rows = [
        (c.what, number(c.computed), number(c.expected), c.lecture, Cell("✓ yes") if c.holds else Cell("✗ NO", is_strong=True))
        for c in record.checks
    ]
    return _table(("identity", "computed", "must be", "the lecture has", "holds"), rows)


def _facts(record: Record) -> Facts:
    made = [f"{record.seeds} {'seed' if record.seeds == 1 else 'seeds'}"] if record.seeds else []
    made += [record.device] if record.device and not record.is_at_any_scale else []
    made += [f"{number(record.cpu_seconds)} processor seconds"] if record.cpu_seconds else []
    made += [f"on {record.day}", *([f"commit {record.commit}"] if record.commit else [])]
    facts = {
        "the lecture says": (f"“{record.says}” (slide “{record.slide}”)",),
        "the paper": (record.paper,),
        "the lecture errs": (record.erratum,),
        "also found": record.also,
        "deviations from the lecture": record.deviations,
        "controlled variables": (record.controlled,),
        "made with": (", ".join(made),),
        "made before changes in": (", ".join(record.changed_code),),
    }
    kept = {name: tuple(line for line in lines if line) for name, lines in facts.items()}
    return Facts({name: lines for name, lines in kept.items() if lines})


def _validity_checks(record: Record) -> list[Table]:
    rows = [
        (Cell("✓ met") if check.passed else Cell("✗ FAILED", is_strong=True), check.name, check.detail)
        for check in record.validity_checks
    ]
    return _table(("", "validity check", "detail"), rows, "Conditions of the experiment")


def _curves(record: Record, runs: Path) -> list[Figures]:
    curves = study_curves(runs, record)
    drawn = {}
    for name in dict.fromkeys([*shown_curves(record, curves), *curves]):
        x_title = "optimizer steps" if "/" in name else "along the measurement"
        title = metric_title(name)
        drawn[title] = partial(curves_with_bands, curves[name], x_title, title, percent=is_fraction(name))
    shown = tuple(map(metric_title, shown_curves(record, curves)))
    caption = "A line is the mean over seeds; its band reaches from the lowest seed to the highest."
    return [Figures("curves", drawn, shown, caption, heading="Curves")] if drawn else []


def _values(record: Record, runs: Path) -> list[Figures]:
    """The deciding metric at the end of each variant's runs, and against their speed."""
    name, found = record.figure, []
    title, percent = metric_title(name), is_fraction(name)
    if name and (values := variant_values(record, name)):
        drawn = partial(variants_with_intervals, values, title, percent=percent)
        found.append(Figures("values", {"": drawn}, heading="At the end, variant by variant"))
    if name and len(fast := speeds(runs, record, name)) > 1:
        draw = partial(speed_against_accuracy, fast, title, percent=percent)
        found.append(Figures("speed", {"": draw}, heading=f"Speed against {title}", is_folded=True))
    return found


def _pictures(record: Record, runs: Path, most: int) -> list[Gallery]:
    found = {name.replace("_", " "): row for name, row in study_pictures(runs, record, most).items()}
    return [Gallery(found, heading="Pictures")] if found else []


def _variants(record: Record, runs: Path) -> list[Section]:
    rows = []
    for name, variant in record.variants.items():
        tried = ", ".join(
            f"{lr}: {number(score) if math.isfinite(score) else 'diverged'}" for lr, score in variant.tried.items()
        )
        folder = Cell(str(len(variant.runs)), behind=tuple(run.folder for run in variant.runs))
        rows.append((name, changes(variant), "" if variant.lr is None else number(variant.lr), tried, folder))
    columns = ("variant", "differs in", "learning rate", "tried (score of seed 0)", "runs")
    found: list[Section] = [*_table(columns, rows, "The variants and their learning rates", is_folded=True)]
    settings = differences(configs(runs, record))
    names = list(dict.fromkeys(name for values in settings.values() for name in values))
    lines = [
        (key, *("–" if values[name] is None else short(values[name]) for name in names)) for key, values in settings.items()
    ]
    found += _table(("setting", *names), lines, "Where their configurations differ", is_folded=True)
    gone = [name for name, places in folders(runs, record).items() if not places]
    if gone:
        text = f"The runs of {', '.join(gone)} are gone from the folder; the verdict's own numbers are above."
        found.append(Prose(text, is_warning=True))
    return found
