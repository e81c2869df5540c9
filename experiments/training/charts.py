"""Confusion matrices and curves of an evaluation as PNG files, for its report: what Markdown cannot draw."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from datamodules.scene import printable
from experiments.runs.findings import CurvesFinding, Finding, MatrixFinding, chart_name

from .legend import BASE

NAMED = 40
"""Classes whose names are written at a matrix."""
COUNTED = 12
"""Classes up to which the counts are written into its cells."""
FURTHER_FONTS = ("Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "Noto Sans CJK JP", "Noto Sans")
LONGEST = 9_999
"""The largest count that is written; where there is a larger one, such as of pixels, all cells have their share of the row."""


def draw_charts(sections: Sequence[Finding], folder: Path) -> None:
    """Draws each matrix and each set of curves into a file of its own, called as
    :func:`~experiments.runs.findings.chart_name` has it."""
    with _letters():
        for place, section in enumerate(sections):
            if isinstance(section, MatrixFinding):
                _draw_matrix(section, folder / chart_name(place))
            elif isinstance(section, CurvesFinding) and section.series:
                _draw_curves(section, folder / chart_name(place))


@contextmanager
def _letters() -> Iterator[None]:
    """With fonts that have more letters than matplotlib's own, where there are any; what they lack is said by nobody."""
    import matplotlib  # as long to import as half a second of an evaluation
    from matplotlib.font_manager import fontManager

    here = {font.name for font in fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in FURTHER_FONTS if name in here)]
    with warnings.catch_warnings(), matplotlib.rc_context({"font.family": families}):
        warnings.filterwarnings("ignore", message="Glyph ")
        yield


def _draw_matrix(section: MatrixFinding, path: Path) -> None:
    from matplotlib.figure import Figure

    counts = np.array(section.rows, np.float64)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(section.names)
    side = 4.5 if size <= COUNTED else 8.0
    figure = Figure((side + 1.5, side + 0.5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if size <= NAMED:
        names = [_short(name) for name in section.names]
        axes.set_xticks(range(size), names, rotation=90 if size > 4 else 0, fontsize=8)
        axes.set_yticks(range(size), names, fontsize=8)
    if size <= COUNTED:
        for row in range(size):
            for column in range(size):
                ink = "white" if shares[row, column] > 0.5 else "black"
                text = f"{shares[row, column]:.0%}" if counts.max() > LONGEST else f"{counts[row, column]:.0f}"
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")
    figure.colorbar(image, label="share of the row", shrink=0.8)
    figure.savefig(path, metadata={"Software": None})


def _draw_curves(section: CurvesFinding, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure((6.4, 4.4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    plain = section.series[0].name == "perfectly calibrated"
    for k, line in enumerate(section.series):
        x, y = (np.array([np.nan if v is None else v for v in values], float) for values in (line.x, line.y))
        colour = (0.6, 0.6, 0.6) if plain and k == 0 else tuple(c / 255 for c in BASE[(k + 3 if plain else k) % len(BASE)])
        style = "--" if plain and k == 0 else "-" if k < len(BASE) else ":"
        axes.plot(x, y, style, color=colour, label=_short(line.name), marker="o" if plain and k else None, markersize=4)
    axes.set_xlabel(section.x)
    axes.set_ylabel(section.y)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, metadata={"Software": None})


def _short(name: str) -> str:
    """A stranger's name as plain text: matplotlib takes what stands between two $ for a formula."""
    text = printable(name).replace("$", r"\$")
    return text if len(text) <= 30 else f"{text[:29]}…"
