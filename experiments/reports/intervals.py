"""The figure of a verdict's effects: each number with its interval, against the range that the claim needs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.studies.record import EffectRecord

from .style import COLOURS, GRID, dress, label, wrapped

NEEDED = "rgba(0,158,115,0.22)"


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


def intervals(effects: Sequence[EffectRecord]) -> go.Figure:
    """Each number with its 95 % interval and every seed, against the range that the claim needs and the paper's figure.

    One row a number, each on an axis of its own, since they differ in unit.
    """
    rows = max(1, len(effects))
    figure = make_subplots(rows=rows, cols=1, vertical_spacing=min(0.5, 0.66 / rows) if rows > 1 else 0)
    shown: set[str] = set()
    for i, effect in enumerate(effects):
        _row(figure, effect, i + 1, shown)
    dress(figure)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, zeroline=False, automargin=True)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    top = 30 + 18 * max((title.text.count("<br>") for title in figure.layout.annotations[:1]), default=1)
    figure.update_layout(height=47 + top + 125 * rows, margin={"l": 12, "r": 12, "t": top, "b": 80})
    figure.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom"})
    return figure


def _row(figure: go.Figure, effect: EffectRecord, row: int, shown: set[str]) -> None:
    seeds = [(v, b) for v, b in _with_bounds(effect) if math.isfinite(v)]
    one = 1.0 if effect.unit == "x" else 0.0
    needed = margin(effect.needs)
    known = [v for v, _ in seeds] + [v for v in (effect.estimate, effect.paper, *(effect.interval or ())) if v is not None]
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
    if effect.estimate is not None:
        low_, high_ = effect.interval or (effect.estimate, effect.estimate)
        add(
            "mean with its 95 % interval",
            x=[effect.estimate],
            y=[0.25],
            mode="markers",
            marker={"size": 11, "color": COLOURS[0]},
            error_x={
                "array": [high_ - effect.estimate],
                "arrayminus": [effect.estimate - low_],
                "thickness": 3,
                "width": 7,
                "color": COLOURS[0],
            },
            hovertemplate="%{x:.4g}<extra>mean</extra>",
        )
    if effect.paper is not None:
        add(
            "the paper's figure",
            x=[effect.paper],
            y=[0.25],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": COLOURS[4], "line": {"width": 1, "color": "#555"}},
            hovertemplate="%{x:.4g}<extra>paper</extra>",
        )
    axis = figure.layout[f"xaxis{row}" if row > 1 else "xaxis"]
    axis.range = [low, high]
    axis.ticksuffix = " ×" if effect.unit == "x" else ""
    y_axis = figure.layout[f"yaxis{row}" if row > 1 else "yaxis"]
    unit = {"x": "times", "": ""}.get(effect.unit, effect.unit)
    needs = f"; needed: {effect.needs}" if effect.needs else ""
    title = label(f"{effect.name}{f' ({unit})' if unit else ''}{needs}", 120)
    figure.add_annotation(
        x=0,
        xref="paper",
        y=y_axis.domain[1] if y_axis.domain else 1,
        yref="paper",
        yshift=2,
        text=wrapped(title),
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        align="left",
        font={"size": 13},
    )


def _with_bounds(effect: EffectRecord) -> list[tuple[float, str]]:
    bounds = effect.bounds or ("",) * len(effect.by_seed)
    return list(zip(effect.by_seed, bounds, strict=False))
