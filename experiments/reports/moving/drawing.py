"""What a step of a moving picture is drawn on: an SVG that is written as it is drawn, in milliseconds and a few kilobytes.

Coordinates are those of the view box: 960 units wide, y downwards. Text has 20 units, so that a picture as wide as a page on a
projector has letters of 24 pixels and more. Text has the page's own colour (``currentColor``) and fillings let the page
through: a picture is read on white, on black and on paper. Colours are those of :mod:`experiments.reports.style`. A slide's
picture is drawn by Matplotlib (:mod:`experiments.reports.slides.sheet`), which takes ten times as long: too long for a picture
that grows beside a training.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..style import COLOURS

WIDTH = 960
BLUE, RED, GREEN, PINK, ORANGE, SKY = COLOURS[:6]
GREY = "#808080"
SERIES = (BLUE, RED, GREEN, PINK, GREY)
DASHES = ("", "9 5", "3 4", "12 4 3 4", "6 6")
Coordinates = tuple[float, float]


class Drawing:
    """An empty drawing of ``height`` units."""

    def __init__(self, height: float = 430) -> None:
        self.height = height
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, text: object, *, size: float = 20, anchor: str = "middle", weight: str = "normal"
    ) -> None:
        """A line of text about its middle; several, set apart by newlines, below each other."""
        lines = str(text).split("\n")
        for i, line in enumerate(lines):
            place = y + (i - (len(lines) - 1) / 2) * size * 1.3
            self._parts.append(
                f'<text x="{_n(x)}" y="{_n(place)}" font-size="{_n(size)}" text-anchor="{anchor}" font-weight="{weight}" '
                f'dominant-baseline="central">{escape(line)}</text>'
            )

    def square(
        self, x: float, y: float, width: float, height: float, *, fill: str = "", strength: float = 0.25, edge: str = GREY,
        stroke: float = 1.2,
    ) -> None:  # fmt: skip
        """A rectangle; its filling has ``strength`` from 0 to 1 and lets the page through, without ``edge`` it has no frame."""
        style = f'fill="{fill}" fill-opacity="{_n(strength)}"' if fill else 'fill="none"'
        frame = f' stroke="{edge}" stroke-width="{_n(stroke)}"' if edge else ""
        self._parts.append(f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" {style}{frame}/>')

    def line(
        self, *points: Coordinates, colour: str = "currentColor", width: float = 2, dash: str = "", opacity: float = 1
    ) -> None:
        places = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        more = (f' stroke-dasharray="{dash}"' if dash else "") + (f' stroke-opacity="{_n(opacity)}"' if opacity < 1 else "")
        self._parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{more}/>')

    def arrow(self, start: Coordinates, end: Coordinates, *, colour: str = "currentColor", width: float = 2) -> None:
        way = np.subtract(end, start)
        length = float(np.hypot(*way)) or 1.0
        along, across = way / length, np.array([-way[1], way[0]]) / length
        back = np.asarray(end) - 12 * along
        self.line(start, (float(back[0]), float(back[1])), colour=colour, width=width)
        self.polygon(end, *((float(x), float(y)) for x, y in (back + 5 * across, back - 5 * across)), fill=colour, strength=1)

    def polygon(self, *points: Coordinates, fill: str, strength: float = 0.25, edge: str = "") -> None:
        places = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        frame = f' stroke="{edge}" stroke-width="1.5"' if edge else ""
        self._parts.append(f'<polygon points="{places}" fill="{fill}" fill-opacity="{_n(strength)}"{frame}/>')

    def circle(self, x: float, y: float, radius: float, *, fill: str = "", strength: float = 0.3, edge: str = GREY) -> None:
        style = f'fill="{fill}" fill-opacity="{_n(strength)}"' if fill else 'fill="none"'
        self._parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {style} stroke="{edge or "none"}" stroke-width="1.6"/>'
        )

    def grid(
        self, x: float, y: float, size: float, values: ArrayLike, *, colour: str = BLUE, texts: bool = True,
        marks: Mapping[tuple[int, int], str] | None = None, digits: int = 3,
    ) -> None:  # fmt: skip
        """A table (rows, columns) of numbers as squares of ``size`` units, the darker the greater; ``marks`` frames cells."""
        table = np.atleast_2d(np.asarray(values, float))
        low, high = float(table.min()), float(table.max())
        for (i, j), value in np.ndenumerate(table):
            share = (float(value) - low) / (high - low) if high > low else 0.5 * (high != 0)
            self.square(x + j * size, y + i * size, size, size, fill=colour, strength=0.04 + 0.46 * share, stroke=0.8)
            if texts:
                written = f"{value:.{digits}g}".replace("-", "−")
                letters = size * min(0.42, 1.5 / len(written))
                self.text(x + (j + 0.5) * size, y + (i + 0.5) * size, written, size=letters)
        for (i, j), mark in (marks or {}).items():
            self.square(x + j * size, y + i * size, size, size, edge=mark, stroke=3.5)

    def image(self, pixels: ArrayLike, x: float, y: float, width: float, height: float) -> None:
        """(H, W) grey or (H, W, 3), from 0 to 1 or uint8, each pixel a square, with a thin frame."""
        from PIL import Image

        values: NDArray[np.float64] = np.asarray(pixels, float) / (255 if np.asarray(pixels).dtype == np.uint8 else 1)
        out = io.BytesIO()
        Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8)).save(out, format="png")
        link = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
        self._parts.append(
            f'<image x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" preserveAspectRatio="none" '
            f'style="image-rendering: pixelated" href="{link}"/>'
        )
        self.square(x, y, width, height, stroke=0.8)

    def bars(self, x: float, y: float, width: float, values: Mapping[str, float], *, most: float = 0, unit: str = "") -> None:
        """A bar for each name, below each other, 46 units apart; the longest is as wide as ``most``, or the greatest value."""
        greatest = most or max(map(abs, values.values()), default=1.0) or 1.0
        for i, (name, value) in enumerate(values.items()):
            top = y + 46 * i
            self.text(x, top, name, anchor="start", size=19)
            written = f"{round(value, 9) + 0.0:,.4g}".replace("-", "−") if abs(value) < 10_000 else f"{value:,.0f}"
            self.text(x + width, top, f"{written} {unit}".strip(), anchor="end", size=19, weight="bold")
            self.square(x, top + 13, width, 9, fill=GREY, strength=0.15, edge="")
            length = max(1.5, width * min(1.0, abs(value) / greatest))
            self.square(x, top + 13, length, 9, fill=SERIES[i % len(SERIES)], strength=0.85, edge="")

    def curves(
        self, x: float, y: float, width: float, height: float, lines: Mapping[str, Sequence[Coordinates]], *, x_title: str = "",
        y_title: str = "", limits: tuple[float, float, float, float] | None = None, log_y: bool = False, log_x: bool = False,
    ) -> None:  # fmt: skip
        """Curves in a frame, their names at its right; what lies beyond ``limits`` (x, x, y, y) is drawn at the frame."""
        shown = {
            name: [(_log(a, log_x), _log(b, log_y)) for a, b in points if np.isfinite((a, b)).all()]
            for name, points in lines.items()
        }
        spots = [spot for points in shown.values() for spot in points]
        box = limits or _limits(spots)
        left, right, low, high = (_log(v, log) for v, log in zip(box, (log_x, log_x, log_y, log_y), strict=True))
        if not limits:
            left, right, low, high = box
        self.square(x, y, width, height)
        for share in (0, 0.5, 1):
            tick_y, tick_x = low + share * (high - low), left + share * (right - left)
            self.line(
                (x, y + height * (1 - share)), (x + width, y + height * (1 - share)), colour=GREY, width=0.8, opacity=0.35
            )
            self.text(x - 8, y + height * (1 - share), _tick(tick_y, log_y), anchor="end", size=18)
            self.text(x + width * share, y + height + 16, _tick(tick_x, log_x), size=18)
        self.text(x + width / 2, y + height + 42, x_title, size=18)
        self.text(x, y - 18, y_title, size=18, anchor="start")
        for i, (name, points) in enumerate(shown.items()):
            places = [
                (
                    x + width * float(np.clip((a - left) / ((right - left) or 1), 0, 1)),
                    y + height * (1 - float(np.clip((b - low) / ((high - low) or 1), 0, 1))),
                )
                for a, b in points
            ]
            colour, dash = SERIES[i % len(SERIES)], DASHES[i % len(DASHES)]
            if len(places) > 1:
                self.line(*places, colour=colour, width=3, dash=dash)
            if places:
                self.circle(*places[-1], 4, fill=colour, strength=1, edge=colour)
            if not name:
                continue
            self.line((x + width + 14, y + 14 + 30 * i), (x + width + 44, y + 14 + 30 * i), colour=colour, width=4, dash=dash)
            self.text(x + width + 52, y + 14 + 30 * i, name, anchor="start", size=18)

    def svg(self, says: str) -> str:
        """The picture as one ``<svg>``, which says in words what it shows."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(" ".join(says.split()))}" '
            f'viewBox="0 0 {WIDTH} {_n(self.height)}" fill="currentColor" style="font-family: system-ui, sans-serif">'
        )
        return f"{head}\n" + "\n".join(self._parts) + "\n</svg>"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _log(value: float, is_log: bool) -> float:
    return float(np.log10(max(value, 1e-12))) if is_log else float(value)


def _tick(value: float, is_log: bool) -> str:
    number = 10**value if is_log else value
    return (f"{number:,.0f}" if 1000 <= abs(number) < 1e6 else f"{number:.3g}").replace("-", "−")


def _limits(spots: Iterable[Coordinates]) -> tuple[float, float, float, float]:
    xs, ys = zip(*(list(spots) or [(0.0, 0.0)]), strict=True)
    room = 0.05 * ((max(ys) - min(ys)) or 1)
    return min(xs), max(max(xs), min(xs) + 1e-9), min(ys) - room, max(ys) + room
