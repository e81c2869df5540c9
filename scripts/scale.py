"""How costs grow with the data: images, objects, classes, pixels, workers and ranks; one table and one picture.

Exit code 1 where a cost grows faster than the number it depends on, over the last step of its axis.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from experiments.reports.style import GRID, line_style, marker_style
from scripts.scale_costs import AXES

PICTURE = Path(__file__).parents[1] / "docs" / "scale.png"
SLACK = 1.15
"""A cost may grow by the number to this power before it counts as more than linear: what a measurement is worth."""


class Curve(NamedTuple):
    """One cost along an axis."""

    axis: str
    cost: str
    unit: str
    values: tuple[int, ...]
    costs: tuple[float, ...]

    @property
    def power(self) -> float:
        """p, where the cost grows as value ** p over the last step of the axis; nan where that begins at 0, or is none."""
        if len(self.values) < 2:
            return math.nan
        (x0, x1), (y0, y1) = self.values[-2:], self.costs[-2:]
        return math.log(y1 / y0) / math.log(x1 / x0) if x0 > 0 and min(y0, y1) > 0 else math.nan


def _measured(axis: int, cost: str, value: int) -> float:
    return AXES[axis].costs[cost][1](value)


def measure(number: int, most: int) -> list[Curve]:
    """Every cost along an axis; each figure in a process of its own, so that none inherits what another left on the heap.

    Args:
        number: of the axis in ``AXES``.
        most: values above it are left out.
    """
    axis = AXES[number]
    torch.set_num_threads(1)  # before the first fork: threads do not come along
    values = tuple(v for v in axis.values if v <= most)
    curves = []
    for cost, (unit, _) in axis.costs.items():
        figures = []
        for value in values:
            with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
                figures.append(pool.submit(_measured, number, cost, value).result())
        # Of a square's side the cost is that of its pixels.
        numbers = tuple(v * v for v in values) if axis.title == "pixels" else values
        curves.append(Curve(axis.title, cost, unit, numbers, tuple(figures)))
        print(row(curves[-1]), flush=True)
    return curves


def row(curve: Curve) -> str:
    """A line of the table."""
    figures = ", ".join(f"{number(v)}: {c:.3g}" for v, c in zip(curve.values, curve.costs, strict=True))
    power = "" if math.isnan(curve.power) else f"{curve.power:.2f}"
    return f"| {curve.axis} | {curve.cost} | {figures} {curve.unit} | {power} |"


def number(value: int) -> str:
    """With its thousands apart."""
    return f"{value:,}"


def worse_than_linear(curves: Sequence[Curve]) -> list[Curve]:
    """Those that grow faster than their number; more processes on the same work are no growth."""
    return [c for c in curves if c.axis not in ("workers", "ranks") and c.power > SLACK]


def figure(curves: Sequence[Curve]) -> go.Figure:
    """A panel an axis; costs relative to the first of their curve, and dotted what grows as its number does."""
    titles = list(dict.fromkeys(c.axis for c in curves))
    panels = make_subplots(
        rows=-(-len(titles) // 2), cols=2, subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.12
    )
    for place, title in enumerate(titles):
        row, column = 1 + place // 2, 1 + place % 2
        own = [c for c in curves if c.axis == title]
        logarithmic = title not in ("workers", "ranks")
        for i, curve in enumerate(own):
            relative = [c / curve.costs[0] for c in curve.costs]
            name = f"{curve.cost} ({curve.costs[0]:.2g} {curve.unit} at {number(curve.values[0])})"
            panels.add_scatter(
                x=list(curve.values), y=relative, name=name, row=row, col=column, line=line_style(i), marker=marker_style(i, 7),
                mode="lines+markers", legend=f"legend{place + 1}" if place else "legend",
            )  # fmt: skip
        if logarithmic:
            x = own[0].values
            panels.add_scatter(
                x=[x[0], x[-1]], y=[1, x[-1] / x[0]], row=row, col=column, mode="lines", showlegend=False,
                line={"color": "#777", "dash": "dot", "width": 1},
            )  # fmt: skip
        kind = "log" if logarithmic else "linear"
        panels.update_xaxes(type=kind, gridcolor=GRID, zeroline=False, row=row, col=column, dtick=1)
        panels.update_yaxes(
            type=kind, gridcolor=GRID, zeroline=False, row=row, col=column, rangemode="tozero", dtick=1 if logarithmic else None
        )
        domain = [panels.layout[f"{a}axis{place + 1 if place else ''}"].domain for a in "xy"]
        corner = {"x": domain[0][0] + 0.01, "y": domain[1][1] - 0.005, "xanchor": "left", "yanchor": "top"}
        panels.update_layout({f"legend{place + 1 if place else ''}": corner | {"bgcolor": "rgba(255,255,255,.7)"}})
    panels.update_layout(
        template="none", paper_bgcolor="white", plot_bgcolor="white", width=1200, height=420 * -(-len(titles) // 2),
        font={"size": 12, "family": "system-ui, sans-serif"}, margin={"l": 50, "r": 20, "t": 70, "b": 40},
        title={"text": "Cost relative to the first value; dotted: as the number grows", "x": 0.02},
    )  # fmt: skip
    return panels


def draw(curves: Sequence[Curve], path: Path) -> None:
    """The picture as a PNG; Chromium renders it."""
    from playwright.sync_api import sync_playwright

    from scripts.screenshots import keep

    chromium = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
    panels = figure(curves)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "scale.html"
        panels.write_html(page_file, include_plotlyjs=True, config={"staticPlot": True})
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": panels.layout.width + 16, "height": panels.layout.height + 16})
        page.goto(page_file.as_uri())
        page.locator(".js-plotly-plot").wait_for()
        keep(page, path)
        browser.close()


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table and draws the picture."""
    parser = argparse.ArgumentParser(prog="scripts/scale", description=__doc__)
    names = [axis.title for axis in AXES]
    parser.add_argument("axes", nargs="*", help=f"which of {', '.join(map(repr, names))}; all of them where none is named")
    parser.add_argument("--most", type=int, default=10**9, help="leave larger values out")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the picture goes; needs Chromium")
    parser.add_argument("--no-picture", action="store_true", help="print the table alone")
    options = parser.parse_args(arguments)
    if unknown := set(options.axes) - set(names):
        parser.error(f"no such axis: {', '.join(sorted(unknown))}")
    print("| of | cost | figures | grows as its number to the power of |\n|---|---|---|---|")
    chosen = [i for i, axis in enumerate(AXES) if not options.axes or axis.title in options.axes]
    curves = [curve for i in chosen for curve in measure(i, options.most)]
    if not options.no_picture:
        draw(curves, options.picture)
    faults = worse_than_linear(curves)
    for curve in faults:
        print(f"scale: {curve.cost} grows as the number of {curve.axis} to the power of {curve.power:.2f}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
