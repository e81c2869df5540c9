"""Where objects may be: every window, a root with its parts, proposed regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .numbers import Measurements
from .scenes import mask, scene
from .sheet import BLUE, DASH, FAINT, ORANGE, RED, SKY, Sheet
from .slide import Slide


def boxes_of(index: int = 3) -> list[tuple[float, float, float, float]]:
    """Boxes about the scene's object and beside it, as shares of the side: x, y, width, height; the last is its own."""
    rows, columns = np.flatnonzero(mask(index).any(1)), np.flatnonzero(mask(index).any(0))
    top, left = rows[0] / 64, columns[0] / 64
    high, wide = (rows[-1] + 1) / 64 - top, (columns[-1] + 1) / 64 - left
    rng = np.random.default_rng(2)
    found = []
    for _ in range(16):
        w, h = rng.uniform(0.15, 0.7, 2)
        found.append((rng.uniform(0, 1 - w), rng.uniform(0, 1 - h), w, h))
    return [*found, (left, top, wide, high)]


def framed(sheet: Sheet, x: float, y: float, side: float, boxes: Sequence[tuple[float, float, float, float]]) -> None:
    """The scene with boxes on it, the last of them marked."""
    sheet.image(scene(3), x, y, side, side)
    for i, (left, top, wide, high) in enumerate(boxes):
        last = i == len(boxes) - 1
        colour, width = (ORANGE, 3.0) if last else (SKY, 1.2)
        place = (x + left * side, y + top * side, wide * side, high * side)
        sheet.square(*place, edgecolor=colour, linewidth=width, zorder=5)


def windows(sheet: Sheet, numbers: Measurements) -> None:
    """Windows of three sizes at each place of a grid."""
    for i, size in enumerate((0.25, 0.4, 0.6)):
        x = 24 + 210 * i
        steps = np.arange(0, 1 - size + 1e-9, size / 2)
        grid = [(a, b, size, size) for b in steps for a in steps]
        framed(sheet, x, 44, 190, grid)
        sheet.text(x + 95, 256, f"{len(grid)} windows of {size:.0%}".replace("%", " % of the side"), size=13)
    sheet.text(330, 22, "a window at each place, in each size and each shape", size=15, weight="bold")
    sheet.text(330, 286, "every window is classified: most of them for nothing", size=14, color=RED)


def parts(sheet: Sheet, numbers: Measurements) -> None:
    """A root, its parts, and the springs that hold them."""
    sheet.box(180, 26, 200, 270, colour=ORANGE, linewidth=2.6)
    sheet.text(280, 14, "root filter", color=ORANGE, size=14)
    places = {
        "head": (240, 40, 80, 56),
        "left arm": (190, 106, 66, 84),
        "right arm": (304, 106, 66, 84),
        "legs": (230, 202, 100, 86),
    }
    for name, (x, y, width, height) in places.items():
        middle = (x + width / 2, y + height / 2)
        sheet.line((280, 150), middle, colour=FAINT, width=1.6, linestyle=DASH)
        sheet.box(x, y, width, height, name, colour=BLUE, size=12.5)
    sheet.circle(280, 150, 6, fill=ORANGE, edgecolor=ORANGE)
    sheet.text(410, 90, "score of a place =", ha="left", size=15)
    for i, words in enumerate(("root at that place", "+ each part where it fits best", "− how far it had to move")):
        sheet.text(420, 126 + 32 * i, words, ha="left", size=15, color=(ORANGE, BLUE, FAINT)[i])
    sheet.text(410, 240, "the filters are of HOG", ha="left", size=13)


def proposals(sheet: Sheet, numbers: Measurements) -> None:
    """A sketch of what a proposer returns: many boxes, of which few are on the object."""
    sheet.text(120, 20, "image", size=15)
    sheet.image(scene(3), 24, 40, 200, 200)
    sheet.arrow((232, 140), (282, 140))
    sheet.text(390, 20, "about 2,000 regions (a few drawn)", size=15)
    framed(sheet, 290, 40, 200, boxes_of())
    sheet.text(510, 110, "orange: one that\nfits the object", ha="left", color=ORANGE)
    sheet.text(510, 176, "most are noise,\nbut few objects\nare missed", ha="left")
    sheet.text(330, 272, "segments that are alike are merged, and each merged one is a region", size=13.5)


SLIDES = {
    "G03": Slide(windows, "A scene with windows of three sizes at every place of a grid.", has_panel=True, height=304),
    "G04": Slide(
        parts,
        "A root filter with the filters of its parts, each held by a spring: a place's score is the root's and each part's "
        "where it fits best, less how far the part had to move.",
        has_panel=True,
    ),
    "G05": Slide(
        proposals,
        "A scene and a sketch of its proposals: many boxes, one of which fits the object.",
        has_panel=True,
        height=290,
    ),
}
