"""How figures look: colours, axes and lines that are read on white and on black, and names that are only text.

Colours are Okabe and Ito's (2008), told apart by the colour-blind too, and each series has a dash or a symbol of its own
besides. Backgrounds are transparent and lines of the grid grey; the colour of the text is left to the page.

Names may come from folders that a stranger made: they are escaped, since Plotly takes tags in a text for markup.
"""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go

from experiments.runs.files import Column

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A6A6A6")
"""Okabe and Ito's; their yellow is not read on white and black is not read on black, grey stands for both."""
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross")
GRID = "rgba(128,128,128,0.25)"
TEXT = 14
"""Pixels of all text in a figure, at least: it is read on a projector too."""


def label(text: object, length: int = 70) -> str:
    """A name as Plotly shows it: no tag in it counts, and one that is too long loses its middle."""
    plain = " ".join(str(text).split())
    if len(plain) > length:
        plain = f"{plain[: length // 2 - 1]}…{plain[-length // 2 :]}"
    return html.escape(plain, quote=False)


def figure_with_axes(x_title: str, y_title: str, *, percent: bool, log_y: bool = False, rows: int = 0) -> go.Figure:
    """An empty figure with titled axes, and room below for a legend of ``rows`` lines."""
    figure = go.Figure()
    dress(figure)
    # Each size is said: a page's own theme has smaller ones.
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "tickfont": {"size": TEXT}}
    for update, title in ((figure.update_xaxes, x_title), (figure.update_yaxes, y_title)):
        update(**axis, title={"text": wrapped(label(title)), "font": {"size": TEXT}})
    if percent:
        figure.update_yaxes(tickformat="~%")  # as many digits as its ticks need
    if log_y:
        figure.update_yaxes(type="log")
    # The legend lies below, a line an entry at a phone's width, so it takes no room from the curves there.
    figure.update_layout(height=330 + 22 * min(rows, 12), margin={"l": 12, "r": 12, "t": 16, "b": 60})
    return figure


def dress(figure: go.Figure) -> None:
    """Transparent, with the page's font and its legend below."""
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": TEXT, "family": "system-ui, sans-serif"},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0, "bgcolor": "rgba(0,0,0,0)", "font": {"size": TEXT}},
        hoverlabel={"namelength": 40, "font": {"size": TEXT}},
    )


def colour(i: int) -> str:
    """Of the series with this number."""
    return COLOURS[i % len(COLOURS)]


def line_style(i: int) -> dict[str, Any]:
    """Colour and dash of the series with this number."""
    return {"color": colour(i), "width": 2.2, "dash": DASHES[(i // len(COLOURS) + i) % len(DASHES)]}


def marker_style(i: int, size: int) -> dict[str, Any]:
    """Colour and symbol of the series with this number; ``size`` in pixels."""
    return {"color": colour(i), "size": size, "symbol": SYMBOLS[i % len(SYMBOLS)]}


def faint(colour: str) -> str:
    """The colour ``#rrggbb`` at a fifth of its strength."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def five_digits(values: Column) -> list[float]:
    """Five digits are more than a screen shows."""
    return [float(f"{v:.5g}") for v in values]


def wrapped(text: str, width: int = 44) -> str:
    """Broken into lines, for a narrow screen; the text is escaped already."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])


def add_band(figure: go.Figure, i: int, x: list[float], low: list[float], high: list[float]) -> None:
    """From the least to the greatest of several runs, faintly behind the ``i``-th curve, with which it is shown and hidden."""
    figure.add_scatter(
        x=x + x[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=faint(colour(i)),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=str(i),
    )
