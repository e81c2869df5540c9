"""The figure of a verdict's effects: each number with its interval, against the range that the claim needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.studies.record import EffectRecord

from .style import COLOURS, GRID, TEXT, dress, label, wrapped

NEEDED = "rgba(0,158,115,0.22)"
NONE = "rgba(128,128,128,0.28)"
SYMBOLS = {"": "circle-open", ">": "triangle-right-open", "<": "triangle-left-open", "?": "x-thin-open"}
ROWS = 12
"""Of the figure at most; the table below it has all."""
SEEDS = 60
"""Of a row at most, likewise."""
PLOT, LINE, LEGEND = 84, 18, 110
"""Heights in pixels: of a row without its texts, of a line of text, of the legend."""


def intervals(effects: Sequence[EffectRecord], seeds: Sequence[Sequence[int]] = ()) -> go.Figure:
    """Each number with its 95 % interval and every seed, against the range that the claim needs and the paper's figure.

    One row a number, each on an axis of its own that names it and its unit; that of a ratio is logarithmic.

    Args:
        effects: the numbers.
        seeds: for each, which seed its numbers are of; empty where that is not known.
    """
    drawn = list(effects[:ROWS])
    rows = max(1, len(drawn))
    titles = [wrapped(_title(effect)) for effect in drawn]
    lines = max((title.count("<br>") + 1 for title in titles), default=1)
    gap = (lines + 3.2) * LINE
    inside = rows * PLOT + (rows - 1) * gap
    figure = make_subplots(rows=rows, cols=1, vertical_spacing=gap / inside if rows > 1 else 0)
    shown: set[str] = set()
    for i, (effect, title) in enumerate(zip(drawn, titles, strict=True)):
        _row(figure, effect, title, list(seeds[i]) if i < len(seeds) else [], i + 1, shown)
    dress(figure)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, zeroline=False, title_standoff=4)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    top, bottom = 2 * LINE, (lines + 1) * LINE + LEGEND
    figure.update_layout(height=inside + top + bottom, margin={"l": 12, "r": 12, "t": top, "b": bottom})
    figure.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom", "font": {"size": TEXT}})
    return figure


def needed(effect: EffectRecord) -> tuple[float, float] | None:
    """What the claim needs of it, infinite where that is open; None where it needs nothing."""
    return (effect.needs.low, effect.needs.high) if effect.needs else None


def no_effect(effect: EffectRecord) -> float | None:
    """Where there would be none: 0, of ratios 1, or what the need says; None for a threshold without a baseline."""
    if effect.needs and (effect.needs.null is not None or effect.needs.absolute):
        return effect.needs.null
    return 1.0 if effect.unit == "x" else 0.0


def _title(effect: EffectRecord) -> str:
    unit = {"x": "ratio, ×", "": ""}.get(effect.unit, effect.unit)
    return label(f"{effect.name}{f' ({unit})' if unit else ''}", 120)


def _row(figure: go.Figure, effect: EffectRecord, title: str, own: list[int], row: int, shown: set[str]) -> None:
    is_log = effect.unit == "x"

    def drawable(value: float | None) -> bool:
        return value is not None and math.isfinite(value) and (value > 0 or not is_log)

    numbers = [(v, b, own[i] if i < len(own) else None) for i, (v, b) in enumerate(_with_bounds(effect)) if drawable(v)]
    null, band = no_effect(effect), needed(effect)
    margin = effect.needs.margin if effect.needs else None
    low, high = _range([v for v, _, _ in numbers], effect, [null, *(band or ())], is_log)

    def add(name: str, **trace: Any) -> None:
        figure.add_scatter(**trace, name=name, legendgroup=name, showlegend=name not in shown, row=row, col=1)
        shown.add(name)

    def box(name: str, left: float, right: float, colour: str) -> None:
        left, right = max(left, low), min(right, high)
        if left < right:
            corners = {"x": [left, right, right, left], "y": [-1, -1, 1, 1], "fill": "toself", "fillcolor": colour}
            add(name, **corners, mode="lines", line={"width": 0}, hoverinfo="skip")

    if band:
        box("what the claim needs", *band, NEEDED)
    if null is not None and margin is not None:
        box("counts as no effect", null - margin, null + margin, NONE)
    if null is not None and low <= null <= high:
        line = {"color": "rgba(128,128,128,0.9)", "width": 1.5, "dash": "dot"}
        add("no effect", x=[null, null], y=[-1, 1], mode="lines", line=line, hoverinfo="skip")
    add(
        "each seed, by its number",
        x=[v for v, _, _ in numbers],
        y=[-0.4] * len(numbers),
        mode="markers+text",
        text=["" if seed is None else str(seed) for _, _, seed in numbers],
        textposition=_in_turn([v for v, _, _ in numbers]),
        textfont={"size": TEXT},
        marker={"symbol": [SYMBOLS[b] for _, b, _ in numbers], "size": 9, "color": COLOURS[0], "line": {"width": 1.5}},
        hovertemplate="%{x:.4g}<extra>seed %{text}</extra>",
    )
    if effect.estimate is not None and drawable(effect.estimate):
        mean = effect.estimate
        ends = effect.interval if effect.interval and all(map(drawable, effect.interval)) else (mean, mean)
        error = {"array": [ends[1] - mean], "arrayminus": [mean - ends[0]]}
        add(
            "mean with its 95 % interval",
            x=[mean],
            y=[0.55],
            mode="markers",
            marker={"size": 11, "color": COLOURS[0]},
            error_x=error | {"thickness": 3, "width": 7, "color": COLOURS[0]},
            hovertemplate=f"%{{x:.4g}} [{ends[0]:.4g}, {ends[1]:.4g}]<extra>mean</extra>",
        )
    if drawable(effect.paper):
        add(
            "the paper's figure",
            x=[effect.paper],
            y=[0.55],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": COLOURS[4], "line": {"width": 1, "color": "#555"}},
            hovertemplate="%{x:.4g}<extra>paper</extra>",
        )
    axis = figure.layout[f"xaxis{row}" if row > 1 else "xaxis"]
    if is_log:
        ticks = log_ticks(low, high)
        axis.update(type="log", range=[math.log10(low), math.log10(high)], tickvals=ticks)
        axis.ticktext = [f"{tick:g} ×" for tick in ticks]
    else:
        axis.range = [low, high]
    axis.title = {"text": title, "font": {"size": TEXT}}
    _heading(figure, effect, row)


def _in_turn(values: Sequence[float]) -> list[str]:
    """Where each number's name stands: below it and above it in turn, so that neighbours leave each other room."""
    places = ["bottom center"] * len(values)
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        places[i] = ("bottom center", "top center")[rank % 2]
    return places


def _range(values: list[float], effect: EffectRecord, bounds: list[float | None], is_log: bool) -> tuple[float, float]:
    """From where to where the axis reaches: all numbers, no effect and the need's ends, and some room beside them."""
    known = [*values, effect.estimate, effect.paper, *(effect.interval or ()), *bounds]
    found = [v for v in known if v is not None and math.isfinite(v) and (v > 0 or not is_log)] or [1.0]
    if is_log:
        low, high = math.log(min(found)), math.log(max(found))
        room = 0.08 * (high - low) or 0.1
        return math.exp(max(low - room, -700.0)), math.exp(min(high + room, 700.0))
    low, high = min(found), max(found)
    room = 0.08 * (high - low) or 1.0
    return (low - room, high + room) if math.isfinite(high - low) else (low, high)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis, three at least where there are as many, and not many more."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    if len(decades) > 7:
        return [10.0**k for k in decades[:: max(1, len(decades) // 6)] if low <= 10.0**k <= high]
    found: list[float] = []
    for digits in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(n / 10 for n in range(10, 100))):
        found = [digit * 10.0**k for k in decades for digit in digits if low <= digit * 10.0**k <= high]
        if len(found) >= 3:
            break
    return found[:: max(1, math.ceil(len(found) / 8))]


def _heading(figure: go.Figure, effect: EffectRecord, row: int) -> None:
    """Above a row: what is needed, and where that leaves the number."""
    words = effect.needs.words if effect.needs else ""
    text = f"needed: {words}" if words else "decides nothing"
    y_axis = figure.layout[f"yaxis{row}" if row > 1 else "yaxis"]
    figure.add_annotation(
        x=0,
        xref="paper",
        y=y_axis.domain[1] if y_axis.domain else 1,
        yref="paper",
        yshift=2,
        text=label(f"{text} · {effect.level}" if effect.level else text, 70),
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        align="left",
        font={"size": TEXT},
    )


def _with_bounds(effect: EffectRecord) -> list[tuple[float, str]]:
    bounds = effect.bounds or ("",) * len(effect.by_seed)
    return list(zip(effect.by_seed, bounds, strict=False))[:SEEDS]
