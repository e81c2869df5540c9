"""What accuracy costs: the grid of detectors of CS231n's lecture, with the points that nothing dominates joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, RED, Sheet, short_text
from .slide import Slide

MEASURE = "test/mAP"
COSTS = (("image/gflop", "GFLOP an image", 1.0, "GFLOP"), ("image/cpu_seconds", "CPU-ms an image", 1000.0, "ms"))
"""Each cost's name in the record, the axis' title, the factor to its unit, and that unit."""
MARKS = (("YOLO", ORANGE, "s"), ("SSD", GREEN, "^"), ("Faster R-CNN", BLUE, "o"))
COMMAND = "lectern reproduce G24"


class GridPoint(NamedTuple):
    """A detector of the grid."""

    number: int
    """As it stands at its mark, from 1."""
    name: str
    accuracy: float
    """mAP, from 0 to 1."""
    costs: tuple[float, ...]
    """In the units of :data:`COSTS`."""


def grid(numbers: Measurements) -> tuple[list[GridPoint], list[str]]:
    """The points of a record, and the names of the variants of which it lacks a number."""
    points, missing = list[GridPoint](), list[str]()
    for name in numbers.record.variants if numbers.record else ():
        accuracy = numbers.mean(name, MEASURE)
        costs = [numbers.mean(name, cost) for cost, *_ in COSTS]
        known = [
            factor * value for value, (_, _, factor, _) in zip(costs, COSTS, strict=True) if value is not None and value > 0
        ]
        if accuracy is None or len(known) < len(COSTS):
            missing.append(name)
        else:
            points.append(GridPoint(len(points) + 1, name, accuracy, tuple(known)))
    return points, missing


def undominated(points: Sequence[GridPoint], cost: int) -> list[GridPoint]:
    """Those that none beats, the cheapest first: no other is at least as accurate and costs no more, one of both strictly."""

    def beats(other: GridPoint, point: GridPoint) -> bool:
        better = (other.accuracy - point.accuracy, point.costs[cost] - other.costs[cost])
        return min(better) >= 0 and max(better) > 0

    kept = [point for point in points if not any(beats(other, point) for other in points)]
    return sorted(kept, key=lambda point: (point.costs[cost], point.accuracy))


def mark(name: str) -> tuple[str, str]:
    """Colour and symbol of a detector's architecture."""
    return next(((colour, symbol) for family, colour, symbol in MARKS if name.startswith(family)), (FAINT, "D"))


def pareto(sheet: Sheet, numbers: Measurements) -> None:
    """Accuracy against operations and against CPU time, and below it who is who."""
    points, missing = grid(numbers)
    if not points:
        sheet.text(480, 60, "accuracy against what an image costs: each detector a point", size=16, weight="bold")
        sheet.text(480, 100, f"nothing was measured yet; {COMMAND} makes the grid", size=14, color=RED)
        return
    for cost, (_, title, _, _) in enumerate(COSTS):
        _plot(sheet, 62 + 474 * cost, points, cost, title)
    _key(sheet, points)
    if missing:
        sheet.text(20, sheet.height - 12, f"not recorded: {', '.join(missing)}", size=12, ha="left", color=RED)


def _plot(sheet: Sheet, x: float, points: Sequence[GridPoint], cost: int, title: str) -> None:
    axes = sheet.plot(x, 34, 400, 236, x_title=title, y_title="mAP, %")
    best = undominated(points, cost)
    axes.plot([p.costs[cost] for p in best], [100 * p.accuracy for p in best], color=RED, linewidth=1.6, zorder=2)
    for point in points:
        colour, symbol = mark(point.name)
        place = (point.costs[cost], 100 * point.accuracy)
        axes.plot(*place, symbol, color=colour, markersize=9, markeredgewidth=0, alpha=0.9, zorder=3)
        weight = "bold" if point in best else "normal"
        axes.annotate(f"{point.number}", place, (6, 5), textcoords="offset points", fontsize=11.5, weight=weight)
    axes.margins(0.1, 0.14)
    axes.set_xlim(left=0)


COLUMNS = 2


def _key(sheet: Sheet, points: Sequence[GridPoint]) -> None:
    sheet.text(20, 326, "joined, and in bold: no other point is both as cheap and as accurate", size=13, ha="left", color=RED)
    rows = -(-len(points) // COLUMNS)
    best = {point.number for cost in range(len(COSTS)) for point in undominated(points, cost)}
    for i, point in enumerate(points):
        x, y = 20 + 474 * (i // rows), 350 + 19 * (i % rows)
        costs = ", ".join(f"{value:.3g} {unit}" for value, (*_, unit) in zip(point.costs, COSTS, strict=True))
        words = f"{point.number}  {short_text(point.name, 32)}: {100 * point.accuracy:.1f} %, {costs}"
        sheet.square(x, y - 5, 10, 10, fill=mark(point.name)[0], linewidth=0)
        sheet.text(x + 18, y, words, size=12, ha="left", weight="bold" if point.number in best else "normal")


SLIDES = {
    "G24": Slide(
        pareto,
        "Each detector of the grid as a point: its mAP against the operations and against the CPU time that an image takes. A "
        "line joins the points that no other one beats in both.",
        height=490,
    ),
}
