"""The report as one HTML file: nothing is fetched, all text is escaped, and a phone can show it.

Plotly's script and the figures lie in it packed (gzip, base64) and are unpacked by the browser's own DecompressionStream:
2 MB where the script alone would take 4.8. A content security policy forbids every request and every script but the page's.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from experiments.studies.record import Record

from .evidence import small_picture
from .meanings import INTERVALS, MEANING, SCALES, SIGNS
from .overview import commits, counts, days, devices
from .report import TITLE, Page, Report
from .section import KINDS, FigureChoice, Gallery

HERE = Path(__file__).parent
LIMIT = 5_000_000
"""Bytes of the whole file, with room left: pictures are made smaller, and in the end left out, to stay below it."""
PICTURES = ((520, 80), (400, 72), (300, 64), (220, 50))
"""Width in pixels and quality that are tried, in this order."""
BESIDE = 120
"""Bytes of what stands around a picture."""


def html(report: Report) -> str:
    """The whole file."""
    figures = {name: json.loads(draw().to_json()) for name, draw in _figures(report)}
    heights = {name: figure["layout"].get("height", 350) for name, figure in figures.items()}
    pictures = list(_pictures(report))
    script = _plotly(), packed(json.dumps(figures))
    bare = _shell(_body(report, heights, dict.fromkeys(pictures, "")), *script)
    return _shell(_body(report, heights, fitted(pictures, LIMIT - len(bare.encode()))), *script)


def anchor(record: Record) -> str:
    """Where a verdict stands in the page."""
    return "".join(c if c.isalnum() else "-" for c in f"{record.claim}-{record.name}")


def figure_name(place: str, section: FigureChoice, i: int) -> str:
    """What stands for a figure in the page."""
    return f"{place}-{section.key}-{i}"


def packed(content: str) -> str:
    """Text for the page's own script to unpack; no character of it ends a tag."""
    return base64.b64encode(gzip.compress(content.encode(), 9, mtime=0)).decode()


@cache
def _plotly() -> str:
    return packed(get_plotlyjs())  # half a second


def fitted(pictures: Sequence[Path], room: int) -> dict[Path, str]:
    """Each picture as the address that holds it, as large as there is room (bytes) for; or in words why it is not there.

    Args:
        pictures: a path as often as the picture is shown.
        room: bytes for all of them.
    """
    times = Counter(pictures)
    small: dict[Path, bytes | None] = {}
    sizes: dict[Path, int] = {}
    for side, quality in PICTURES:
        small = {path: small_picture(path, side, quality) for path in times}
        sizes = {path: times[path] * (len(data or b"") * 4 // 3 + BESIDE) for path, data in small.items()}
        if sum(sizes.values()) <= room:
            break
    found = {}
    for path, data in small.items():
        if data is None:
            found[path] = "a damaged picture"
        elif sizes[path] > room:
            found[path] = "left out, to keep this file small"
        else:
            room -= sizes[path]
            found[path] = f"data:image/webp;base64,{base64.b64encode(data).decode()}"
    return found


def _figures(report: Report) -> Iterator[tuple[str, Callable[[], go.Figure]]]:
    for page in _pages(report):
        for section in page.sections:
            if isinstance(section, FigureChoice):
                for i, title in enumerate(section.shown):
                    yield figure_name(anchor(page.record), section, i), section.drawn[title]


def _pictures(report: Report) -> Iterator[Path]:
    for page in _pages(report):
        for section in page.sections:
            if isinstance(section, Gallery):
                yield from (path for row in section.rows.values() for path in row.values())


def _pages(report: Report) -> Iterator[Page]:
    return (page for chapter in report.chapters for page in chapter.pages)


def _body(report: Report, heights: Mapping[str, int], images: Mapping[Path, str]) -> str:
    return (
        _environment()
        .get_template("body.html")
        .render(
            title=TITLE,
            report=report,
            heights=heights,
            images=images,
            counts=counts(report.records),
            days=days(report.records),
            devices=devices(report.records),
            commits=commits(report.records),
            signs=SIGNS,
            meanings=MEANING,
            intervals=INTERVALS,
            scales=SCALES,
        )
    )


def _shell(body: str, plotly: str, figures: str) -> str:
    return (
        _environment()
        .get_template("shell.html")
        .render(
            title=TITLE,
            body=Markup(body),  # rendered by a template already
            nonce=hashlib.sha256(body.encode()).hexdigest()[:24],
            plotly=plotly,
            figures=figures,
            style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
            script=Markup((HERE / "page.js").read_text(encoding="utf-8")),
        )
    )


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["anchor"] = anchor
    found.globals |= {"figure_name": figure_name, "signs": SIGNS}
    for kind in KINDS:
        found.tests[kind.__name__.lower()] = _is_a(kind)
    return found


def _is_a(kind: type) -> Callable[[Any], bool]:
    return lambda section: isinstance(section, kind)
