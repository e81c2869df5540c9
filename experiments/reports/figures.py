"""The figures of reports and of the dashboard: pure functions from plain numbers to Plotly figures.

Colours are Okabe and Ito's (2008), told apart by the colour-blind too, and each series has a dash or a symbol of its own
besides. Backgrounds are transparent and lines of the grid grey, so that a figure is read on white and on black; the colour of
the text is left to the page.

Names may come from folders that a stranger made: they are escaped, since Plotly takes tags in a text for markup.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .series import Column, Series, band, finite, smooth, thin

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A6A6A6")
"""Okabe and Ito's; their yellow is not read on white and black is not read on black, grey stands for both."""
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross")
GRID = "rgba(128,128,128,0.25)"
NEEDED = "rgba(0,158,115,0.22)"


def label(text: object, length: int = 70) -> str:
    """A name as Plotly shows it: no tag in it counts, and one that is too long loses its middle."""
    plain = " ".join(str(text).split())
    if len(plain) > length:
        plain = f"{plain[: length // 2 - 1]}…{plain[-length // 2 :]}"
    return html.escape(plain, quote=False)


Margin = tuple[float, float]
"""From and to, infinite where it is open."""


def margin(needs: str) -> Margin | None:
    """What a claim needs of a number, from its words; None where the words are relative (``> 2 SD``) or none."""
    number = r"([+\-−]?\d+(?:\.\d+)?)"
    unit = r"(?:\s*(?:points?|x|%|times))?"
    if found := re.fullmatch(rf"([<>≤≥])\s*{number}{unit}", needs.strip()):
        value = float(found[2].replace("−", "-"))
        return (value, math.inf) if found[1] in ">≥" else (-math.inf, value)
    if found := re.fullmatch(rf"(?:within\s*)?±\s*{number}{unit}", needs.strip()):
        return (-float(found[1]), float(found[1]))
    if found := re.fullmatch(rf"{number}\s*±\s*{number}{unit}", needs.strip()):
        middle, half = (float(found[i].replace("−", "-")) for i in (1, 2))
        return (middle - half, middle + half)
    if found := re.fullmatch(rf"{number}\s*(?:to|–)\s*{number}{unit}", needs.strip()):
        return (float(found[1].replace("−", "-")), float(found[2].replace("−", "-")))
    return None


# Figures ------------------------------------------------------------------------------------------------------------------


def curves_with_bands(
    arms: Mapping[str, Sequence[Series]], x_title: str, y_title: str, *, log_y: bool = False, percent: bool = False
) -> go.Figure:
    """A line for each arm, the mean over its seeds, in a band from the lowest seed to the highest."""
    figure = _figure(x_title, y_title, percent=percent, log_y=log_y, rows=len(arms))
    for i, (name, seeds) in enumerate(arms.items()):
        x, mean, low, high = (_short(part) for part in band(seeds))
        if len(seeds) > 1 and x:
            figure.add_scatter(
                x=x + x[::-1],
                y=high + low[::-1],
                fill="toself",
                fillcolor=_faint(_colour(i)),
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                showlegend=False,
                legendgroup=str(i),
            )
        mode = "lines+markers" if len(x) < 15 else "lines"
        figure.add_scatter(x=x, y=mean, name=label(name), mode=mode, line=_line(i), marker=_marker(i, 6), legendgroup=str(i))
    return figure


def overlaid(
    runs: Mapping[str, Series],
    x_title: str,
    y_title: str,
    *,
    smoothing: float = 0.0,
    log_y: bool = False,
    percent: bool = False,
) -> go.Figure:
    """A line for each run; where it is smoothed, the curve as it was logged lies faint behind it."""
    figure = _figure(x_title, y_title, percent=percent, log_y=log_y, rows=len(runs))
    for i, (name, series) in enumerate(runs.items()):
        raw = thin(finite(series))
        if smoothing > 0:
            x, y = _short(raw[0]), _short(raw[1])
            line = {"color": _colour(i), "width": 1}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, opacity=0.3, hoverinfo="skip", showlegend=False)
        x, y = (_short(part) for part in thin(smooth(series, smoothing)))
        mode = "lines+markers" if len(x) < 15 else "lines"
        figure.add_scatter(x=x, y=y, name=label(name), mode=mode, line=_line(i), marker=_marker(i, 6))
    return figure


@dataclass(frozen=True)
class Measure:
    """A number with its interval, as a verdict has it."""

    name: str
    by_seed: tuple[float, ...]
    estimate: float | None
    interval: tuple[float, float] | None
    """95 %."""
    unit: str = ""
    needs: str = ""
    paper: float | None = None
    bounds: tuple[str, ...] = ()
    """``>`` or ``<`` for a seed of which only a bound is known."""

    @classmethod
    def of(cls, effect: Mapping[str, Any]) -> Measure:
        """From an effect of a verdict's record."""
        interval = effect.get("interval")
        return cls(
            name=str(effect.get("name", "")),
            by_seed=tuple(float(v) if v is not None else math.nan for v in effect.get("by_seed") or ()),
            estimate=_number(effect.get("estimate")),
            # One seed has no interval: what the record then has is the seed's number twice.
            interval=(float(interval[0]), float(interval[1])) if interval and len(effect.get("by_seed") or ()) > 1 else None,
            unit=str(effect.get("unit") or ""),
            needs=str(effect.get("needs") or ""),
            paper=_number(effect.get("paper")),
            bounds=tuple(effect.get("bounds") or ()),
        )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def intervals(measures: Sequence[Measure]) -> go.Figure:
    """Each number with its 95 % interval and every seed, against the range that the claim needs and the paper's figure.

    One row a number, each on an axis of its own, since they differ in unit.
    """
    rows = max(1, len(measures))
    figure = make_subplots(rows=rows, cols=1, vertical_spacing=min(0.5, 0.66 / rows) if rows > 1 else 0)
    shown: set[str] = set()
    for i, measure in enumerate(measures):
        _interval_row(figure, measure, i + 1, shown)
    _dress(figure)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, zeroline=False, automargin=True)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    top = 30 + 18 * max((title.text.count("<br>") for title in figure.layout.annotations[:1]), default=1)
    figure.update_layout(height=47 + top + 125 * rows, margin={"l": 12, "r": 12, "t": top, "b": 80})
    figure.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom"})
    return figure


def _interval_row(figure: go.Figure, measure: Measure, row: int, shown: set[str]) -> None:
    seeds = [(v, b) for v, b in _with_bounds(measure) if math.isfinite(v)]
    one = 1.0 if measure.unit == "x" else 0.0
    needed = margin(measure.needs)
    known = [v for v, _ in seeds] + [v for v in (measure.estimate, measure.paper, *(measure.interval or ())) if v is not None]
    known += [one, *(v for v in needed or () if math.isfinite(v))]
    spread = (max(known) - min(known)) or 1.0
    low, high = min(known) - 0.08 * spread, max(known) + 0.08 * spread

    def add(name: str, **trace: Any) -> None:
        figure.add_scatter(**trace, name=name, legendgroup=name, showlegend=name not in shown, row=row, col=1)
        shown.add(name)

    if needed:
        left, right = max(needed[0], low), min(needed[1], high)
        box = {"x": [left, right, right, left], "y": [-1, -1, 1, 1], "fill": "toself", "fillcolor": NEEDED}
        add("what the claim needs", **box, mode="lines", line={"width": 0}, hoverinfo="skip")
    figure.add_scatter(
        x=[one, one],
        y=[-1, 1],
        mode="lines",
        line={"color": "rgba(128,128,128,0.8)", "width": 1},
        hoverinfo="skip",
        showlegend=False,
        row=row,
        col=1,
    )
    symbols = {"": "circle-open", ">": "triangle-right-open", "<": "triangle-left-open", "?": "x-thin-open"}
    add(
        "each seed",
        x=[v for v, _ in seeds],
        y=[-0.45] * len(seeds),
        mode="markers",
        marker={"symbol": [symbols[b] for _, b in seeds], "size": 9, "color": COLOURS[0], "line": {"width": 1.5}},
        hovertemplate="%{x:.4g}<extra>seed</extra>",
    )
    if measure.estimate is not None:
        low_, high_ = measure.interval or (measure.estimate, measure.estimate)
        add(
            "mean with its 95 % interval",
            x=[measure.estimate],
            y=[0.25],
            mode="markers",
            marker={"size": 11, "color": COLOURS[0]},
            error_x={
                "array": [high_ - measure.estimate],
                "arrayminus": [measure.estimate - low_],
                "thickness": 3,
                "width": 7,
                "color": COLOURS[0],
            },
            hovertemplate="%{x:.4g}<extra>mean</extra>",
        )
    if measure.paper is not None:
        add(
            "the paper's figure",
            x=[measure.paper],
            y=[0.25],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": COLOURS[4], "line": {"width": 1, "color": "#555"}},
            hovertemplate="%{x:.4g}<extra>paper</extra>",
        )
    axis = figure.layout[f"xaxis{row}" if row > 1 else "xaxis"]
    axis.range = [low, high]
    axis.ticksuffix = " ×" if measure.unit == "x" else ""
    y_axis = figure.layout[f"yaxis{row}" if row > 1 else "yaxis"]
    unit = {"x": "times", "": ""}.get(measure.unit, measure.unit)
    needs = f"; needed: {measure.needs}" if measure.needs else ""
    title = label(f"{measure.name}{f' ({unit})' if unit else ''}{needs}", 120)
    figure.add_annotation(
        x=0,
        xref="paper",
        y=y_axis.domain[1] if y_axis.domain else 1,
        yref="paper",
        yshift=2,
        text=_wrapped(title),
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        align="left",
        font={"size": 13},
    )


def _with_bounds(measure: Measure) -> list[tuple[float, str]]:
    bounds = measure.bounds or ("",) * len(measure.by_seed)
    return list(zip(measure.by_seed, bounds, strict=False))


def arms_with_intervals(arms: Mapping[str, Measure], x_title: str, *, percent: bool = False) -> go.Figure:
    """A row for each arm: its seeds, and their mean with its 95 % interval."""
    figure = _figure(x_title, "", percent=False, rows=0)
    names = [label(name, 34) for name in arms]
    for i, (name, measure) in enumerate(zip(names, arms.values(), strict=True)):
        seeds = [v for v in measure.by_seed if math.isfinite(v)]
        marker = {"symbol": "circle-open", "size": 8, "color": _colour(i)}
        figure.add_scatter(x=seeds, y=[name] * len(seeds), mode="markers", marker=marker, showlegend=False)
        if measure.estimate is None or measure.interval is None:
            continue
        low, high = measure.interval
        error = {"array": [high - measure.estimate], "arrayminus": [measure.estimate - low], "thickness": 2.5, "width": 6}
        figure.add_scatter(
            x=[measure.estimate],
            y=[name],
            mode="markers",
            marker=_marker(i, 11),
            error_x=error | {"color": _colour(i)},
            showlegend=False,
        )
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=names, title=None, tickmode="linear")
    figure.update_layout(height=110 + 34 * max(1, len(arms)))
    if percent:
        figure.update_xaxes(tickformat=".0%" if _wide(arms.values()) else ".1%")
    return figure


def _wide(measures: Any) -> bool:
    values = [v for m in measures for v in m.by_seed if math.isfinite(v)]
    return not values or max(values) - min(values) > 0.05


@dataclass(frozen=True)
class Point:
    """A run in a scatter."""

    name: str
    group: str
    x: float
    y: float


def scatter(
    points: Sequence[Point], x_title: str, y_title: str, *, percent: bool = False, percent_x: bool = False
) -> go.Figure:
    """Two quantities of each run against each other, a colour and a symbol for each group."""
    groups = list(dict.fromkeys(point.group for point in points))
    figure = _figure(x_title, y_title, percent=percent, rows=len(groups) if len(groups) > 1 else 0)
    for i, group in enumerate(groups):
        own = [p for p in points if p.group == group]
        figure.add_scatter(
            x=[p.x for p in own],
            y=[p.y for p in own],
            text=[label(p.name) for p in own],
            name=label(group),
            mode="markers",
            marker=_marker(i, 11) | {"line": {"width": 1, "color": "rgba(128,128,128,0.6)"}},
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            showlegend=len(groups) > 1,
        )
    if percent_x:
        figure.update_xaxes(tickformat=".0%")
    return figure


def speed_against_accuracy(arms: Mapping[str, Sequence[tuple[float, float]]], y_title: str, *, percent: bool) -> go.Figure:
    """Images per second of training against a metric, a point a seed."""
    points = [Point(f"{arm}, seed {i}", arm, x, y) for arm, seeds in arms.items() for i, (x, y) in enumerate(seeds)]
    figure = scatter(points, "training speed, images per second", y_title, percent=percent)
    figure.update_xaxes(rangemode="tozero")
    return figure


def parallel(runs: Sequence[Mapping[str, Any]], names: Mapping[str, str], colour_by: str) -> go.Figure:
    """A line for each run through one axis a quantity; text becomes places on an axis.

    Args:
        runs: values by quantity; a run in which one is missing is left out.
        names: the quantities, in order, and their titles.
        colour_by: the quantity that colours the lines.
    """
    whole = [run for run in runs if all(run.get(name) not in (None, "") for name in names)]
    axes = []
    for name, title in names.items():
        values = [run[name] for run in whole]
        shown = label(title, 26)
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            axes.append({"label": shown, "values": [float(v) for v in values]})
        else:
            texts = sorted({str(v) for v in values})
            places = [texts.index(str(v)) for v in values]
            ticks = [label(text.rsplit(".", 1)[-1], 22) for text in texts]
            axes.append({"label": shown, "values": places, "tickvals": list(range(len(texts))), "ticktext": ticks})
    colour = axes[list(names).index(colour_by)]["values"] if axes else []
    line = {"color": colour, "colorscale": "Cividis", "showscale": False}
    figure = go.Figure(go.Parcoords(line=line, dimensions=axes, labelangle=-12, labelside="top"))
    _dress(figure)
    figure.update_layout(height=420, margin={"l": 60, "r": 60, "t": 90, "b": 30})
    return figure


# How they look ------------------------------------------------------------------------------------------------------------


def _figure(x_title: str, y_title: str, *, percent: bool, log_y: bool = False, rows: int = 0) -> go.Figure:
    figure = go.Figure()
    _dress(figure)
    figure.update_xaxes(title=_wrapped(label(x_title)), gridcolor=GRID, zeroline=False, automargin=True)
    figure.update_yaxes(title=_wrapped(label(y_title)), gridcolor=GRID, zeroline=False, automargin=True)
    if percent:
        figure.update_yaxes(tickformat=".0%")
    if log_y:
        figure.update_yaxes(type="log")
    # The legend lies below, a line an entry at a phone's width, so it takes no room from the curves there.
    figure.update_layout(height=330 + 22 * min(rows, 12), margin={"l": 12, "r": 12, "t": 16, "b": 60})
    return figure


def _dress(figure: go.Figure) -> None:
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 13, "family": "system-ui, sans-serif"},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        hoverlabel={"namelength": 40},
    )


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _line(i: int) -> dict[str, Any]:
    return {"color": _colour(i), "width": 2.2, "dash": DASHES[(i // len(COLOURS) + i) % len(DASHES)]}


def _marker(i: int, size: int) -> dict[str, Any]:
    return {"color": _colour(i), "size": size, "symbol": SYMBOLS[i % len(SYMBOLS)]}


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def _short(values: Column) -> list[float]:
    """Five digits are more than a screen shows."""
    return [float(f"{v:.5g}") for v in values]


def _wrapped(text: str, width: int = 44) -> str:
    """Broken into lines, for a narrow screen; the text is escaped already."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])
