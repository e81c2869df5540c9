"""A verdict's page as a list of sections: what is said, in which order, under which headings.

Markdown, HTML and the dashboard show the same sections, each in its own way (:mod:`.markdown`, :mod:`.html`,
``experiments.dashboard.study_view``). All text here is plain: whoever shows it sees to it that nothing in it counts as markup.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from experiments.runs.files import differences
from experiments.studies.committed import committed_records
from experiments.studies.record import Record, read_records

from .comparison import Pair
from .evidence import configs, folders, shown_curves, speeds, study_curves, study_pictures, variant_values
from .figures import curves_with_bands, speed_against_accuracy, variants_with_intervals
from .labels import is_fraction, metric_title
from .parts import part_sections
from .section import Cell, Command, Facts, FigureChoice, Gallery, Prose, Quote, Section, SlidePicture, Table, facts, table
from .wording import changes, command, number, short

TUNING = 10_000
"""Seeds from here on are those of the tuning (:data:`experiments.studies.study.TUNING_SEED`)."""


def sections(record: Record, runs: Path | None, pictures: int = 4, beside: Record | None = None) -> list[Section]:
    """A verdict and all that it rests on, the most important first; the claim's title and level are its heading's.

    Args:
        record: the verdict.
        runs: the folder of all runs, which its curves, configurations and pictures lie in; None where they lie elsewhere.
        pictures: the most of each variant.
        beside: the verdict on the same that comes with Lectern, for one that was made here.
    """
    return [
        Quote(record.says, f"slide “{record.slide}”", record.translation),
        *slide_picture(record, runs),
        *_beside(record, beside),
        *part_sections(record),
        *([Prose(record.rule, heading="The rule, in words")] if record.rule else []),
        *_facts(record),
        *_amendments(record),
        *_confirmed(record),
        *_curves(record, runs),
        *_values(record, runs),
        *_pictures(record, runs, pictures),
        *_variants(record, runs),
        Command(command(record.name, record.scale), heading="Run it again"),
    ]


def slide_picture(record: Record, runs: Path | None = None) -> list[SlidePicture]:
    """The slide's own picture with the verdict's numbers on it, or the still of a moving one; none where there is neither.

    Where it has numbers of further claims' verdicts too, these are those of the folder of runs, else those of Lectern.
    """
    from .moving.every import MOVING
    from .slides.every import SLIDES  # Matplotlib takes a third of a second, which a page without a verdict does without

    moving = MOVING.get(record.claim)
    steps = f" Step by step: lectern show {record.claim}" if moving else ""
    if slide := SLIDES.get(record.claim):
        others = partial(_others, slide.also, record, runs)
        return [SlidePicture(lambda: slide.svg(record.claim, record, others()), slide.says + steps)]
    return [SlidePicture(moving.still, moving.says + steps)] if moving else []


def _others(claims: Collection[str], record: Record, runs: Path | None) -> dict[str, Record]:
    """The verdicts on other claims at the record's scale, by their ids, of those that are there."""
    if not claims:
        return {}
    found = [*committed_records(record.scale), *(read_records(runs, record.scale) if runs else [])]
    return {other.claim: other for other in found if other.claim in claims}


def _beside(record: Record, committed: Record | None) -> list[Facts]:
    pair = Pair(record, committed)
    return facts({"yours": [pair.yours], "committed": [pair.theirs], "together": [pair.agreement]}) if committed else []


def _facts(record: Record) -> list[Facts]:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    sizes = ", ".join(f"{key} {number(value)}" for key, value in record.data.items() if key != "class")
    kind = f"{short(record.data['class'])}: " if "class" in record.data else ""
    return facts(
        {
            "the paper": (record.paper,),
            "the lecture errs": (record.erratum,),
            "deviations from the lecture": record.deviations,
            "controlled variables": (record.controlled,),
            "data": (f"{kind}{sizes}",),
            "seeds": tuple(_seeds(record)),
            "cost": (f"{number(record.cpu_seconds / 60)} CPU-minutes, all runs together" if record.cpu_seconds else "",),
            "made with": (", ".join(_made(record)),),
            "versions": (versions,),
            "made before changes in": (", ".join(record.changed_code),),
        }
    )


def _seeds(record: Record) -> Iterator[str]:
    """Which were judged, what they decide, and which chose the learning rates."""
    judged = sorted({run.seed for variant in record.variants.values() for run in variant.runs})
    if not judged:
        return
    named = f"{judged[0]} to {judged[-1]}" if len(judged) > 1 else f"{judged[0]}"
    yield f"{len(judged)} {'seed' if len(judged) == 1 else 'seeds'} judged, {named}"
    seen = [{run.data for variant in record.variants.values() for run in variant.runs if run.seed == s} for s in judged]
    if len(judged) > 1 and all(len(found) == 1 and "" not in found for found in seen):
        same = len(set.union(*seen)) == 1
        yield "all have the same data" if same else "each has data of its own, the same for all variants"
    tuning = sorted({run.seed for variant in record.variants.values() for run in variant.others if run.seed >= TUNING})
    if tuning:
        yield f"learning rates chosen with {', '.join(map(str, tuning[:10]))}, which no verdict is judged on"


def _made(record: Record) -> Iterator[str]:
    if record.processor or (record.device and not record.is_at_any_scale):
        yield " · ".join(filter(None, (record.processor, "" if record.is_at_any_scale else record.device)))
    yield f"on {record.day}"
    if record.commit:
        yield f"commit {record.commit}"


def _confirmed(record: Record) -> list[Table]:
    rows = [(note.date, note.what, ", ".join(note.changed)) for note in record.confirmed]
    return table(("date", "what was run again", "code that had changed"), rows, "Found the same with later code")


def _amendments(record: Record) -> list[Table]:
    return table(
        ("date", "what was so, what is now, and why"), [(a.date, a.what) for a in record.amendments], "Changed after a run"
    )


def _curves(record: Record, runs: Path | None) -> list[FigureChoice]:
    curves = study_curves(runs, record)
    drawn, first = {}, shown_curves(record, curves)
    for name in dict.fromkeys([*first, *curves]):
        x_title = "optimizer steps" if "/" in name else record.figure_x or "along the measurement"
        title = metric_title(name)
        axes = record.figure_axes if name in first else "linear"
        scales = {"log_x": axes in ("log-x", "log-log"), "log_y": axes in ("log-y", "log-log")}
        drawn[title] = partial(curves_with_bands, curves[name], x_title, title, percent=is_fraction(name), **scales)
    shown = tuple(map(metric_title, first))
    caption = (
        "A line is the mean over the seeds that have a value there, and its band reaches from the lowest to the highest: a run "
        "that ended, at its threshold say, is no longer in either."
    )
    return [FigureChoice("curves", drawn, shown, caption, heading="Curves")] if drawn else []


def _values(record: Record, runs: Path | None) -> list[FigureChoice]:
    """The deciding metric at the end of each variant's runs, and against their speed."""
    name, found = record.figure, []
    title, percent = metric_title(name), is_fraction(name)
    if name and (values := variant_values(record, name)):
        drawn = partial(variants_with_intervals, values, title, percent=percent)
        found.append(FigureChoice("values", {"": drawn}, heading="At the end, variant by variant"))
    if name and len(fast := speeds(runs, record, name)) > 1:
        draw = partial(speed_against_accuracy, fast, title, percent=percent)
        found.append(FigureChoice("speed", {"": draw}, heading=f"Speed against {title}", is_folded=True))
    return found


def _pictures(record: Record, runs: Path | None, most: int) -> list[Gallery]:
    found = {name.replace("_", " "): row for name, row in study_pictures(runs, record, most).items()}
    return [Gallery(found, heading="Pictures")] if found else []


def _variants(record: Record, runs: Path | None) -> list[Section]:
    rows = []
    for name, variant in record.variants.items():
        tried = ", ".join(
            f"{lr}: {number(score) if math.isfinite(score) else 'diverged'}" for lr, score in variant.tried.items()
        )
        folder = Cell(str(len(variant.runs)), behind=tuple(run.folder for run in variant.runs if run.folder))
        rows.append((name, changes(variant), "" if variant.lr is None else number(variant.lr), tried, folder))
    columns = ("variant", "differs in", "learning rate", "tried (score on the tuning seeds)", "runs")
    found: list[Section] = [*table(columns, rows, "The variants and their learning rates", is_folded=True)]
    settings = differences(configs(runs, record))
    names = list(dict.fromkeys(name for values in settings.values() for name in values))
    lines = [
        (key, *("–" if values[name] is None else short(values[name]) for name in names)) for key, values in settings.items()
    ]
    found += table(("setting", *names), lines, "Where their configurations differ", is_folded=True)
    if runs is None:
        return found
    gone = [name for name, places in folders(runs, record).items() if not places]
    if gone:
        text = f"The runs of {', '.join(gone)} are gone from the folder; the verdict's own numbers are above."
        found.append(Prose(text, is_warning=True))
    return found
