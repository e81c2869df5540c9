"""The sheet that a slide's picture is drawn on: lines, boxes, networks, volumes and axes, and the SVG that comes of it.

Matplotlib draws. Coordinates are those of the SVG's view box: 960 units wide, y downwards, text of 13 units. The colour of the
text and of plain lines is the page's own (``currentColor``), the background is transparent, and the colours are those of
:mod:`experiments.reports.style`: a picture is read on white, on black and on paper.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from ..style import COLOURS
from .trimming import trimmed

WIDTH = 960
INK = "#0a0b0c"
"""Stands for the page's own colour until the SVG is written: no other colour of a picture is this one."""
FAINT = "#808080"
DARK = "#16181b"
"""Text on a light filling."""
BLUE, RED, GREEN, PINK, ORANGE, SKY = COLOURS[:6]
DASH = (0, (4, 3))
OUR_FONT = "DejaVu Sans"
"""Matplotlib measures with it; browsers have a narrower one."""

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "text.parse_math": False,
    "font.family": OUR_FONT,
    "font.size": 13,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "axes.unicode_minus": True,
    "axes.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "lines.linewidth": 2.4,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 13,
    "path.simplify_threshold": 0.3,
}
_DRAWING = Lock()
"""Matplotlib's settings are the whole process's, and a dashboard draws in several threads."""

Spot = tuple[float, float]


class settings:
    """The settings of pictures, while one is drawn, by one thread at a time."""

    def __enter__(self) -> None:
        _DRAWING.acquire()
        self._kept = mpl.rc_context(_SETTINGS)  # type: ignore[arg-type]
        self._kept.__enter__()

    def __exit__(self, *error: object) -> None:
        try:
            self._kept.__exit__(None, None, None)
        finally:
            _DRAWING.release()


def short_text(text: object, length: int = 150) -> str:
    """On one line, without control characters; one that is too long loses its middle."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return plain if len(plain) <= length else f"{plain[: length // 2 - 1]}…{plain[-length // 2 :]}"


class Sheet:
    """An empty sheet of ``height`` units (with ``below`` more under it); only inside :class:`settings`."""

    def __init__(self, height: float, below: float = 0) -> None:
        self.height = height
        self.total = height + below
        self.left = 0.0
        """Where the view begins."""
        self.figure = Figure((WIDTH / 72, self.total / 72), facecolor="none")
        self.canvas: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.canvas.set_xlim(0, WIDTH)
        self.canvas.set_ylim(self.total, 0)
        self.canvas.axis("off")

    # Single marks.

    def text(self, x: float, y: float, text: object, *, size: float = 13, ha: str = "center", **style: Any) -> None:
        """A line of text about its middle; several, set apart by newlines, below each other."""
        lines = str(text).split("\n")
        for i, line in enumerate(lines):
            place = y + (i - (len(lines) - 1) / 2) * size * 1.3
            options: dict[str, Any] = {"ha": ha, "va": "center_baseline", "fontsize": size, "clip_on": False} | style
            self.canvas.text(x, place, short_text(line), **options)

    def line(self, *points: Spot, colour: str = INK, width: float = 1.6, **style: Any) -> None:
        xs, ys = zip(*points, strict=True)
        self.canvas.add_artist(Line2D(xs, ys, color=colour, linewidth=width, **style))

    def arrow(self, start: Spot, end: Spot, *, colour: str = INK, width: float = 1.6, bend: float = 0, **style: Any) -> None:
        """From ``start`` to ``end``, bent to one side by a part of its length."""
        way = f"arc3,rad={bend}"
        options: dict[str, Any] = {
            "arrowstyle": "-|>",
            "mutation_scale": 13,
            "shrinkA": 0,
            "shrinkB": 0,
            "connectionstyle": way,
        } | style
        self.canvas.add_artist(FancyArrowPatch(start, end, color=colour, linewidth=width, **options))

    def box(
        self, x: float, y: float, width: float, height: float, text: object = "", *, colour: str = BLUE, **style: Any
    ) -> None:
        """A box with rounded corners, faintly filled; ``size`` is its text's."""
        size = style.pop("size", 13)
        options: dict[str, Any] = {
            "facecolor": (*mpl.colors.to_rgb(colour), 0.16),
            "edgecolor": colour,
            "linewidth": 1.6,
        } | style
        shape = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=5", mutation_aspect=1, **options)
        self.canvas.add_artist(shape)
        if str(text):
            self.text(x + width / 2, y + height / 2, text, size=size)

    def square(self, x: float, y: float, width: float, height: float, *, fill: Any = "none", **style: Any) -> None:
        """A rectangle with sharp corners."""
        options: dict[str, Any] = {"edgecolor": INK, "linewidth": 1.2} | style
        self.canvas.add_artist(Rectangle((x, y), width, height, facecolor=fill, **options))

    def circle(self, x: float, y: float, radius: float, *, fill: Any = "none", text: object = "", **style: Any) -> None:
        options: dict[str, Any] = {"edgecolor": INK, "linewidth": 1.6, "zorder": 3} | style
        self.canvas.add_artist(Circle((x, y), radius, facecolor=fill, **options))
        if str(text):
            # A filled circle is light on every page.
            self.text(x, y, text, zorder=4, color=INK if fill == "none" else DARK)

    def polygon(self, *points: Spot, fill: Any = "none", **style: Any) -> None:
        options: dict[str, Any] = {"edgecolor": INK, "linewidth": 1.2} | style
        self.canvas.add_artist(Polygon(points, facecolor=fill, **options))

    # What pictures of networks are made of.

    def volume(self, x: float, y: float, width: float, height: float, depth: float, colour: str = BLUE) -> None:
        """A box in space, its front face at (x, y), ``depth`` units going up to the right."""
        dx, dy = depth * 0.7, -depth * 0.5
        faces = (
            (((x, y), (x + width, y), (x + width, y + height), (x, y + height)), 0.22),
            (((x, y), (x + dx, y + dy), (x + width + dx, y + dy), (x + width, y)), 0.10),
            (
                ((x + width, y), (x + width + dx, y + dy), (x + width + dx, y + height + dy), (x + width, y + height)),
                0.34,
            ),
        )
        for corners, strength in faces:
            self.polygon(*corners, fill=tint(colour, strength), edgecolor=colour)

    def network(
        self, layers: Sequence[int], x: float, y: float, width: float, height: float, *, radius: float = 11, **style: Any
    ) -> list[list[Spot]]:
        """Units of fully connected layers, from left to right: where each of them stands.

        ``colours`` has a colour for each layer; ``dropped`` the units (layer, number) that are crossed out.
        """
        colours, dropped = style.get("colours", [BLUE] * len(layers)), style.get("dropped", ())
        step = width / max(1, len(layers) - 1)
        places = []
        for i, count in enumerate(layers):
            gap = min(height / max(1, count), 4.2 * radius)
            places.append([(x + i * step, y + height / 2 + (j - (count - 1) / 2) * gap) for j in range(count)])
        for i in range(len(layers) - 1):
            for j, start in enumerate(places[i]):
                for k, end in enumerate(places[i + 1]):
                    if (i, j) not in dropped and (i + 1, k) not in dropped:
                        self.line(start, end, colour=FAINT, width=0.9, alpha=0.7, zorder=1)
        for i, layer in enumerate(places):
            for j, (px, py) in enumerate(layer):
                if (i, j) in dropped:
                    self.circle(px, py, radius, edgecolor=FAINT, linestyle=":")
                    for sign in (-1, 1):
                        a, b = radius * 0.6, sign * radius * 0.6
                        self.line((px - a, py - b), (px + a, py + b), colour=RED, width=1.8)
                else:
                    self.circle(px, py, radius, fill=solid(colours[i]), edgecolor=colours[i])
        return places

    def grid(
        self, x: float, y: float, size: float, values: Iterable[Iterable[float]], *, texts: bool = True, **style: Any
    ) -> None:
        """A table of numbers as squares of ``size`` units, the darker the greater (or as ``fills`` says, row by row)."""
        rows = [list(row) for row in values]
        flat = [float(v) for row in rows for v in row]
        low, high = min(flat), max(flat)
        fills = style.pop("fills", None)
        colour = style.pop("colour", BLUE)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                share = (float(value) - low) / (high - low) if high > low else 0.5
                fill = fills[i][j] if fills else tint(colour, 0.05 + 0.5 * share)
                self.square(x + j * size, y + i * size, size, size, fill=fill, edgecolor=FAINT, linewidth=0.8)
                if texts:
                    self.text(x + (j + 0.5) * size, y + (i + 0.5) * size, f"{value:g}", size=size * 0.42)

    def image(self, pixels: ArrayLike, x: float, y: float, width: float, height: float, **style: Any) -> None:
        """(H, W) grey from 0 to 1 (or as ``vmin`` and ``vmax`` say), or (H, W, 3), with a thin frame."""
        options: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "none", "zorder": 2} | style
        self.canvas.imshow(pixels, aspect="auto", extent=(x, x + width, y + height, y), **options)
        self.square(x, y, width, height, edgecolor=FAINT, linewidth=0.8, zorder=2)

    # Axes.

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        return self.figure.add_axes((x / WIDTH, 1 - (y + height) / self.total, width / WIDTH, height / self.total))

    def plot(
        self, x: float, y: float, width: float, height: float, *, title: str = "", x_title: str = "", y_title: str = ""
    ) -> Axes:
        """Axes for curves, whose frame stands at these units; their titles lie outside."""
        axes = self.axes(x, y, width, height)
        axes.set_title(title, pad=8)
        axes.set_xlabel(x_title)
        axes.set_ylabel(y_title)
        axes.grid(color=FAINT, alpha=0.25, linewidth=0.8)
        axes.set_axisbelow(True)
        return axes

    def logarithmic(self, axes: Axes, *, x: bool = False, y: bool = False) -> None:
        """Logarithmic axes, with their ticks in words that need no typesetting."""
        for is_log, name, axis in ((x, "x", axes.xaxis), (y, "y", axes.yaxis)):
            if is_log:
                axes.set(**{f"{name}scale": "log"})
                axis.set_major_formatter(power_of_ten)
                axis.set_minor_formatter(NullFormatter())

    def svg(self, says: str, salt: str) -> str:
        """The picture as one ``<svg>``, which says in words what it shows; ``salt`` keeps its names apart from others'."""
        out = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": salt}), warnings.catch_warnings():
            # Text stays text, and is drawn with the reader's fonts: that ours has no Korean only makes its width a guess.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            self.figure.savefig(out, format="svg", dpi=144, facecolor="none", metadata={"Date": None})
        return trimmed(out.getvalue(), says, INK, f"{self.left:g} 0 {WIDTH} {self.total:g}")


def tint(colour: str, strength: float) -> tuple[float, float, float, float]:
    """The colour, that lets the page through."""
    red, green, blue = mpl.colors.to_rgb(colour)
    return red, green, blue, strength


def solid(colour: str) -> tuple[float, float, float]:
    """A light form of the colour that lets nothing through: lines may end behind it."""
    red, green, blue = (0.55 + 0.45 * part for part in mpl.colors.to_rgb(colour))
    return red, green, blue


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float, _: object = None) -> str:
    """A tick of a logarithmic axis: ``100``, ``10⁵``, ``10⁻³``."""
    exponent = round(math.log10(value)) if value > 0 else 0
    return f"{value:g}" if -2 <= exponent <= 3 else f"10{str(exponent).translate(_RAISED)}"
