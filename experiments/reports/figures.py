"""The figures of reports and of the dashboard: pure functions from plain numbers to Plotly figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from experiments.studies.record import EffectRecord

from .series import Series, band, finite, smooth, thin
from .style import add_band, colour, dress, figure_with_axes, five_digits, label, line_style, marker_style


def curves_with_bands(
    variants: Mapping[str, Sequence[Series]],
    x_title: str,
    y_title: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    percent: bool = False,
) -> go.Figure:
    """A line for each variant, the mean over its seeds, in a band from the lowest seed to the highest."""
    figure = figure_with_axes(x_title, y_title, percent=percent, log_y=log_y, rows=len(variants))
    if log_x:
        figure.update_xaxes(type="log", dtick="D2")
    for i, (name, seeds) in enumerate(variants.items()):
        x, mean, low, high = (five_digits(part) for part in band(seeds))
        if len(seeds) > 1 and x:
            add_band(figure, i, x, low, high)
        mode = "lines+markers" if len(x) < 15 else "lines"
        figure.add_scatter(
            x=x, y=mean, name=label(name), mode=mode, line=line_style(i), marker=marker_style(i, 6), legendgroup=str(i)
        )
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
    figure = figure_with_axes(x_title, y_title, percent=percent, log_y=log_y, rows=len(runs))
    for i, (name, series) in enumerate(runs.items()):
        raw = thin(finite(series))
        if smoothing > 0:
            x, y = five_digits(raw[0]), five_digits(raw[1])
            line = {"color": colour(i), "width": 1}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, opacity=0.3, hoverinfo="skip", showlegend=False)
        x, y = (five_digits(part) for part in thin(smooth(series, smoothing)))
        mode = "lines+markers" if len(x) < 15 else "lines"
        figure.add_scatter(x=x, y=y, name=label(name), mode=mode, line=line_style(i), marker=marker_style(i, 6))
    return figure


def variants_with_intervals(variants: Mapping[str, EffectRecord], x_title: str, *, percent: bool = False) -> go.Figure:
    """A row for each variant: its seeds, and their mean with its 95 % interval."""
    figure = figure_with_axes(x_title, "", percent=False, rows=0)
    names = [label(name, 34) for name in variants]
    for i, (name, effect) in enumerate(zip(names, variants.values(), strict=True)):
        seeds = [v for v in effect.by_seed if math.isfinite(v)]
        marker = {"symbol": "circle-open", "size": 8, "color": colour(i)}
        figure.add_scatter(x=seeds, y=[name] * len(seeds), mode="markers", marker=marker, showlegend=False)
        if effect.estimate is None or effect.interval is None:
            continue
        low, high = effect.interval
        error = {"array": [high - effect.estimate], "arrayminus": [effect.estimate - low], "thickness": 2.5, "width": 6}
        figure.add_scatter(
            x=[effect.estimate],
            y=[name],
            mode="markers",
            marker=marker_style(i, 11),
            error_x=error | {"color": colour(i)},
            showlegend=False,
        )
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=names, title=None, tickmode="linear")
    figure.update_layout(height=110 + 34 * max(1, len(variants)))
    if percent:
        figure.update_xaxes(tickformat=".0%" if _wide(variants.values()) else ".1%")
    return figure


def _wide(effects: Iterable[EffectRecord]) -> bool:
    values = [v for effect in effects for v in effect.by_seed if math.isfinite(v)]
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
    figure = figure_with_axes(x_title, y_title, percent=percent, rows=len(groups) if len(groups) > 1 else 0)
    for i, group in enumerate(groups):
        own = [p for p in points if p.group == group]
        figure.add_scatter(
            x=[p.x for p in own],
            y=[p.y for p in own],
            text=[label(p.name) for p in own],
            name=label(group),
            mode="markers",
            marker=marker_style(i, 11) | {"line": {"width": 1, "color": "rgba(128,128,128,0.6)"}},
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            showlegend=len(groups) > 1,
        )
    if percent_x:
        figure.update_xaxes(tickformat="~%")
    return figure


def speed_against_accuracy(variants: Mapping[str, Sequence[tuple[float, float]]], y_title: str, *, percent: bool) -> go.Figure:
    """Images per second of training against a metric, a point a seed."""
    points = [
        Point(f"{variant}, seed {i}", variant, x, y) for variant, seeds in variants.items() for i, (x, y) in enumerate(seeds)
    ]
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
    colours: Sequence[object] = axes[list(names).index(colour_by)]["values"] if axes else []
    line = {"color": colours, "colorscale": "Cividis", "showscale": False}
    figure = go.Figure(go.Parcoords(line=line, dimensions=axes, labelangle=-12, labelside="top"))
    dress(figure)
    figure.update_layout(height=420, margin={"l": 60, "r": 60, "t": 90, "b": 30})
    return figure
