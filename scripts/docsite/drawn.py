"""Pictures and figures of the site's pages: a page's Markdown has their place, and its HTML gets them when it is done.

Markdown would read an SVG of thousands of lines for nothing. A figure is Plotly's, the same that a report has; its script
lies on the site, is loaded by the first figure that comes into view, and nothing of it is fetched from elsewhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

import plotly.graph_objects as go

from experiments.reports.section import FigureChoice, SlidePicture

_PLACE = re.compile(r'<div data-drawn="([\w-]+)"></div>')
_drawn: dict[str, Callable[[], str]] = {}


def place(name: str, draw: Callable[[], str]) -> str:
    """The line of Markdown at which something drawn will stand; ``draw`` gives HTML when the page is done.

    Args:
        name: of letters, digits, hyphens; one for each place of the site.
        draw: what stands there.
    """
    _drawn[name] = draw
    return f'<div data-drawn="{name}"></div>'


def filled(page: str) -> str:
    """A page's HTML with everything drawn in it."""
    return _PLACE.sub(lambda match: _drawn[match[1]](), page)


def slide(section: SlidePicture) -> str:
    """The picture of a claim's slide with its caption; it takes the page's colour."""
    return f'<figure class="slide"><div>{section.svg()}</div><figcaption>{html.escape(section.says)}</figcaption></figure>'


def figures(section: FigureChoice) -> Iterator[tuple[str, Callable[[], str]]]:
    """The title and the HTML of each figure that is shown without being asked for."""
    for title in section.shown:
        yield title, lambda title=title: figure(section.drawn[title]())  # type: ignore[misc]


def figure(drawn: go.Figure) -> str:
    """A place that ``figures.js`` draws in, with all that it needs."""
    height = drawn.layout.height or 350
    content = html.escape(str(drawn.to_json()))
    return f'<div class="figure" style="min-height:{height}px" data-figure="{content}"></div>'
