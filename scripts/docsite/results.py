"""The results: a page a claim, with the committed verdict, its figures and its slide's picture, and one that lists them all.

Everything here is read from the records that come with Lectern, and from the studies' files; nothing is typed. The sections are
those of a report (:mod:`experiments.reports.sections`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from experiments import lectures
from experiments.lectures import LECTURES, rows
from experiments.reports.meanings import MEANING, SIGNS
from experiments.reports.overview import study_names
from experiments.reports.section import Command, FigureChoice, Prose, Quote, Section, SlidePicture
from experiments.reports.sections import sections
from experiments.runs.markup import plain
from experiments.showing.claims import Statement, claim, records
from experiments.studies.levels import Level

from . import drawn


def pages() -> dict[str, str]:
    """Every page's Markdown, by its path on the site."""
    every = [claim(id_) for id_ in rows()]
    found = {"results/index.md": index(every)}
    for i, one in enumerate(every):
        found[f"results/{one.id}.md"] = page(one, every[i - 1 : i] + every[i + 1 : i + 2])
    return found


def index(every: Sequence[Statement]) -> str:
    """All claims by lecture, each with where it stands and what decided that."""
    counts = Counter(one.level for one in every)
    lines = [
        "# What the lectures claim, and what was measured",
        "",
        f"{len(every)} claims of two lectures, each with a page of its own: the lecture's sentence, the picture of its slide "
        "with the numbers that were measured, the verdict and all that it rests on. [How a verdict is made](../claims.md) says "
        "what the levels mean, [how often it errs](../error_rates.md) what they are worth; "
        "[all verdicts on one page](../verdicts.md) is for searching and printing.",
        "",
        "| | claims | |",
        "|---|---|---|",
        *(f"| {SIGNS[level]} {level} | {counts[level]} | {MEANING[level]} |" for level in Level if counts[level]),
    ]
    for title in LECTURES.values():
        lines += ["", f"## {plain(title)}", "", "| | claim | verdict | what decided |", "|---|---|---|---|"]
        lines += [
            f"| [{one.id}]({one.id}.md) | {plain(one.title)} | {SIGNS[one.level]} {one.level} | {plain(one.decided)} |"
            for one in every
            if one.lecture == title
        ]
    return "\n".join([*lines, ""])


def page(one: Statement, beside: Sequence[Statement]) -> str:
    """A claim's page."""
    record = records().get(one.id)
    shown = sections(record, None) if record else not_run(one)
    lines = [
        f"# {one.id} · {plain(one.title)}",
        "",
        f"**{one.sign} {one.level}** · {plain(one.lecture)} · [all claims](index.md)",
    ]
    for i, section in enumerate(shown):
        lines += ["", *_lines(section, f"{one.id}-{i}")]
    lines += ["", " · ".join(f"[{other.id} {plain(other.title)}]({other.id}.md)" for other in beside)]
    return "\n".join([*lines, ""])


def not_run(one: Statement) -> list[Section]:
    """What is known of a claim before its first verdict: the sentence, the picture, the rule, and how to judge it."""
    from experiments.reports.moving.every import MOVING
    from experiments.reports.slides.every import SLIDES

    found: list[Section] = [Quote(one.says, f"slide “{one.slide}”" if one.slide else one.lecture, one.translation)]
    if slide := SLIDES.get(one.id):
        found.append(SlidePicture(partial(slide.svg, one.id), slide.says))
    elif moving := MOVING.get(one.id):
        found.append(SlidePicture(moving.still, moving.says))
    study = study_names().get(one.id)
    if study:
        tree = ast.parse((Path(lectures.__file__).parent / f"{study}.py").read_text(encoding="utf-8"))
        paragraphs = (ast.get_docstring(tree) or "").split("\n\n")[1:]
        found += [Prose(text, heading="The rule, in words" if i == 0 else "") for i, text in enumerate(paragraphs)]
    return [*found, Command(one.judge, heading="Judge it")] if one.judge else found


def _lines(section: Section, name: str) -> Iterator[str]:
    """A section as Markdown: as in a report, but for what is drawn and what is folded."""
    match section:
        case SlidePicture():
            yield drawn.place(name, partial(drawn.slide, section))
        case FigureChoice():
            figures = list(drawn.figures(section))
            if section.heading and figures:
                yield from (f"## {plain(section.heading)}", "")
            for i, (title, draw) in enumerate(figures):
                yield from ([f"*{plain(title)}*", ""] if title else [])
                yield from (drawn.place(f"{name}-{i}", draw), "")
            if section.caption and figures:
                yield plain(section.caption)
        case _ if section.is_folded:
            body = [line for line in section_lines(section) if not line.startswith("#")]
            yield f'<details markdown="1"><summary>{plain(section.heading)}</summary>'
            yield from ("", *body, "", "</details>")
        case _:
            yield from section_lines(section)


def section_lines(section: Section) -> list[str]:
    """As in the Markdown report, a level of headings higher: there a claim is a heading in a page, here a page."""
    from experiments.reports.markdown import section_lines as of_report

    return [line.replace("#### ", "## ", 1) if line.startswith("#### ") else line for line in of_report(section, Path(), "")]
