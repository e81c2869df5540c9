"""Curves of several runs in one figure: a colour for each run, for each group, or along a setting that is a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from experiments.reports.series import Series, band, finite, smooth, thin
from experiments.reports.style import (
    TEXT,
    add_band,
    figure_with_axes,
    five_digits,
    label,
    line_style,
    marker_style,
)
from experiments.reports.wording import number, short

SCALE = "Viridis"
ENDS = (0.12, 0.82)
"""The part of the scale that is read on white and on black."""
WIDE = 20.0
"""From the least to the greatest, as a factor, where colours and axes are logarithmic."""
FEW = 15
"""Points of a curve that are marked, and names that a legend has room for."""


@dataclass(frozen=True)
class Line:
    """A run's curve."""

    name: str
    series: Series
    value: Any = None
    """What it is coloured by."""


def curve_chart(
    lines: Sequence[Line],
    x_title: str,
    y_title: str,
    *,
    by: str = "",
    means: bool = False,
    smoothing: float = 0.0,
    log_y: bool = False,
    percent: bool = False,
    inner: bool = False,
) -> go.Figure:
    """All lines in one figure.

    Args:
        lines: the runs' curves.
        x_title: of the axis across.
        y_title: of the axis upwards.
        by: what the lines' values are; empty where each run has a colour of its own.
        means: draws the mean of the lines of one value, in a band from the lowest to the highest, in place of the lines.
        smoothing: 0 to 1, the weight of the past; what was logged then lies faint behind.
        log_y: a logarithmic axis upwards.
        percent: whether the quantity is a fraction.
        inner: lets a few far points run out of the axis, where the others would be a flat line.
    """
    groups = _groups(lines) if by else {line.name: [line] for line in lines}
    scale = _Scale.of(list(groups_values(lines))) if by and not means else None
    rows = len(groups) if len(groups) <= FEW and scale is None else 0
    figure = figure_with_axes(x_title, y_title, percent=percent, log_y=log_y, rows=rows)
    for i, (name, own) in enumerate(groups.items()):
        if means and by:
            _add_mean(figure, i, name, [smooth(line.series, smoothing) for line in own], len(own))
            continue
        for k, line in enumerate(own):
            style = {"color": scale.colour(line.value), "width": 2} if scale else line_style(i)
            if smoothing > 0:
                raw = thin(finite(line.series))
                faded = {"color": style["color"], "width": 1}
                figure.add_scatter(
                    x=five_digits(raw[0]),
                    y=five_digits(raw[1]),
                    mode="lines",
                    line=faded,
                    opacity=0.3,
                    hoverinfo="skip",
                    showlegend=False,
                )
            x, y = (five_digits(part) for part in thin(smooth(line.series, smoothing)))
            figure.add_scatter(
                x=x,
                y=y,
                name=label(line.name if scale or not by else name),
                text=label(line.name),
                hovertemplate="%{text}: %{y:.4g}<extra></extra>",
                mode="lines+markers" if len(x) < FEW else "lines",
                line=style,
                marker={"color": style["color"], "size": 6} if scale else marker_style(i, 6),
                legendgroup=str(i),
                showlegend=rows > 0 and k == 0,
            )
    if scale:
        scale.add_bar(figure, by)
    if inner and (limits := _inner([line.series for line in lines], log_y)):
        figure.update_yaxes(range=limits)
    figure.update_layout(showlegend=rows > 0)
    return figure


def groups_values(lines: Sequence[Line]) -> list[Any]:
    return [line.value for line in lines if line.value is not None]


def is_number(value: Any) -> bool:
    """Whether a value can stand on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_wide(values: Sequence[float]) -> bool:
    """Whether positive numbers lie so far apart that only a logarithmic axis shows them."""
    return min(values, default=0) > 0 and max(values) / min(values) >= WIDE


def _groups(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """By value, in their order: numbers by size, then words, then those that have none."""
    found: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda one: _order(one.value)):
        found.setdefault("none" if line.value is None else short(line.value), []).append(line)
    return found


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if is_number(value) else (2 if value is None else 1, 0.0, str(value))


@dataclass(frozen=True)
class _Scale:
    """A colour for each number of a range."""

    low: float
    high: float
    is_log: bool
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Scale | None:
        """None where the values are no numbers, or too few for a scale."""
        if not all(map(is_number, values)) or len(set(values)) < 3:
            return None
        return cls(min(values), max(values), is_wide(values), tuple(sorted(set(map(float, values)))))

    def place(self, value: float) -> float:
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def colour(self, value: Any) -> str:
        if not is_number(value):
            return "#8a8a8a"
        share = ENDS[0] + (ENDS[1] - ENDS[0]) * min(1.0, max(0.0, self.place(value)))
        return str(sample_colorscale(SCALE, [share])[0])

    def add_bar(self, figure: go.Figure, title: str) -> None:
        """The scale beside the figure, with the values that there are."""
        shown = self.values if len(self.values) <= 6 else self.values[:: math.ceil(len(self.values) / 6)]
        steps = np.linspace(0, 1, 12)
        colours = sample_colorscale(SCALE, [ENDS[0] + (ENDS[1] - ENDS[0]) * s for s in steps])
        bar = {
            "title": {"text": label(title, 24), "font": {"size": TEXT}},
            "tickvals": [self.place(v) for v in shown],
            "ticktext": [number(v) for v in shown],
            "tickfont": {"size": TEXT},
            "thickness": 12,
        }
        marker = {
            "color": [0, 1],
            "cmin": 0,
            "cmax": 1,
            "colorscale": [[s, c] for s, c in zip(steps, colours, strict=True)],
            "showscale": True,
            "colorbar": bar,
        }
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, hoverinfo="skip", showlegend=False)


def _add_mean(figure: go.Figure, i: int, name: str, series: Sequence[Series], count: int) -> None:
    x, mean, low, high = (five_digits(part) for part in band(series))
    if count > 1 and x:
        add_band(figure, i, x, low, high)
    title = label(f"{name} ({count} {'run' if count == 1 else 'runs'})")
    figure.add_scatter(x=x, y=mean, name=title, mode="lines", line=line_style(i), legendgroup=str(i))


def _inner(series: Sequence[Series], log_y: bool) -> list[float] | None:
    """From where to where nearly all points lie; None where the others are not much further out."""
    parts = [finite(one)[1] for one in series]
    values = np.concatenate(parts) if parts else np.array([])
    values = values[values > 0] if log_y else values
    if len(values) < 20:
        return None
    values = np.log10(values) if log_y else values
    low, high = np.percentile(values, [2, 98])
    if high <= low or values.max() - values.min() <= 4 * (high - low):
        return None
    room = 0.08 * (high - low)
    return [float(low - room), float(high + room)]
