"""Who is connected with whom: fully, locally, with shared weights; and what one neuron of a convolution sees."""

from __future__ import annotations

from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, PINK, RED, SKY, Sheet, Spot, solid
from .slide import Slide

UNITS = 6
PIXELS = 8
KINDS = ("fully connected", "locally connected", "convolution")
OF_FIELD = (RED, GREEN, BLUE)
"""The colours of a filter's three weights."""
OWN = (BLUE, RED, GREEN, PINK, ORANGE, SKY)
"""A colour for each unit, whose weights nobody else has."""


def connections(sheet: Sheet, kind: str, x: float, y: float, width: float, height: float) -> None:
    """A row of hidden units above a row of pixels, each line a weight; a colour is one weight, or one unit's own."""
    pixels = [(x + width * (j + 0.5) / PIXELS, y + height) for j in range(PIXELS)]
    units = [(x + width * (j + 1.5) / PIXELS, y) for j in range(UNITS)]
    for i, unit in enumerate(units):
        seen = range(PIXELS) if kind == KINDS[0] else range(i, i + 3)
        for j in seen:
            colour = FAINT if kind == KINDS[0] else OWN[i] if kind == KINDS[1] else OF_FIELD[j - i]
            _weight(sheet, pixels[j], unit, colour, thin=kind == KINDS[0])
    for px, py in pixels:
        sheet.square(px - 11, py - 2, 22, 22, fill=solid(FAINT), zorder=3)
    for i, (ux, uy) in enumerate(units):
        sheet.circle(ux, uy, 12, fill=solid(OWN[i] if kind == KINDS[1] else BLUE))


def _weight(sheet: Sheet, start: Spot, end: Spot, colour: str, *, thin: bool) -> None:
    sheet.line(start, end, colour=colour, width=0.9 if thin else 2.4, zorder=1)


def _counted(sheet: Sheet, kind: str, lines: tuple[str, ...], found: str) -> None:
    connections(sheet, kind, 30, 46, 480, 190)
    sheet.text(270, 20, "hidden units", size=14)
    sheet.text(270, 282, "pixels", size=14)
    for i, line in enumerate(lines):
        sheet.text(560, 70 + 36 * i, line, size=17, ha="left", weight="bold" if i == len(lines) - 1 else "normal")
    if found:
        sheet.text(560, 90 + 36 * len(lines), f"computed: {found}", size=17, ha="left", color=GREEN, weight="bold")


def fully(sheet: Sheet, numbers: Measurements) -> None:
    lines = ("200 × 200 pixels", "40,000 hidden units", "each sees every pixel", "40,000 × 40,000 = 1.6 billion weights")
    _counted(sheet, KINDS[0], lines, numbers.check("weights of the layer"))


def locally(sheet: Sheet, numbers: Measurements) -> None:
    lines = (
        "200 × 200 pixels",
        "40,000 hidden units",
        "each sees 10 × 10, with weights of its own",
        "40,000 × 100 = 4 million weights",
    )
    _counted(sheet, KINDS[1], lines, numbers.check("weights of 40,000"))


def shared(sheet: Sheet, numbers: Measurements) -> None:
    lines = (
        "100 filters of 10 × 10",
        "each is slid over the whole image",
        "lines of one colour: one weight",
        "100 × 100 = 10,000 weights",
    )
    _counted(sheet, KINDS[2], lines, numbers.check("weights of 100 filters"))


def sharing(sheet: Sheet, numbers: Measurements) -> None:
    """All three side by side."""
    names = list(numbers.record.variants) if numbers.record else []
    words = ("all pixels, all weights", "a field, own weights", "a field, one filter")
    for i, (kind, about, prefix) in enumerate(zip(KINDS, words, ("fc", "local", "conv"), strict=True)):
        x = 24 + 316 * i
        sheet.text(x + 140, 22, kind, size=16, weight="bold")
        connections(sheet, kind, x, 56, 280, 150)
        sheet.text(x + 140, 250, about)
        ours = [name for name in names if name.startswith(prefix) and "shuffled" not in name]
        if ours and (error := numbers.of(ours[-1], name="test/error")):
            sheet.text(x + 140, 276, f"test error {error}", size=15, weight="bold", color=GREEN)
            sheet.text(x + 140, 298, ours[-1], size=12)


def field(sheet: Sheet, numbers: Measurements) -> None:
    """A neuron that sees all of the image's volume, and one that sees a part of it in all its depth."""
    for i, (title, weights) in enumerate(
        (
            ("before: fully connected", "32 × 32 × 3 = 3,072 weights"),
            ("now: a neuron of a convolution", "5 × 5 × 3 = 75 weights"),
        )
    ):
        x = 50 + 440 * i
        sheet.text(x + 180, 22, title, size=16, weight="bold")
        sheet.volume(x, 74, 190, 190, 34, FAINT)
        sheet.text(x + 95, 284, "32", size=14)
        sheet.text(x - 16, 168, "32", size=14)
        sheet.text(x + 214, 272, "3", size=14)
        neuron = (x + 340, 160)
        if i == 0:
            corners = [(x, 74), (x + 214, 57), (x + 214, 247), (x, 264)]
            sheet.volume(x, 74, 190, 190, 34, BLUE)
        else:
            sheet.volume(x + 60, 120, 32, 32, 34, ORANGE)
            sheet.text(x + 64, 172, "5 × 5", color=ORANGE, weight="bold")
            corners = [(x + 84, 103), (x + 116, 103), (x + 116, 135), (x + 92, 152)]
        for corner in corners:
            sheet.line(corner, neuron, colour=(BLUE, ORANGE)[i], width=1.4)
        sheet.circle(*neuron, 20, fill=solid((BLUE, ORANGE)[i]), edgecolor=(BLUE, ORANGE)[i])
        sheet.text(x + 330, 236, weights, size=13, weight="bold")
    for words, x in (("a fully connected neuron", 390), ("a neuron of a 5 × 5", 830)):
        if found := numbers.check(words):
            sheet.text(x, 262, f"computed: {found}", color=GREEN, weight="bold", size=14)
    sheet.text(480, 312, "local in space, full in depth", size=15, color=ORANGE)


SLIDES = {
    "B03": Slide(
        fully,
        "Hidden units above pixels, every unit connected with every pixel: on 200 × 200 pixels 40,000 units have 1.6 billion "
        "weights.",
        height=300,
    ),
    "B04": Slide(
        locally,
        "Hidden units above pixels, each connected with the few pixels below it by weights of its own: 4 million on the same "
        "image.",
        height=300,
    ),
    "B05": Slide(
        shared,
        "Hidden units above pixels, each connected with the pixels below it by the same three weights: 100 filters have "
        "10,000.",
        height=300,
    ),
    "B06": Slide(
        sharing,
        "Three nets side by side: fully connected, locally connected with weights of its own at each place, and a convolution, "
        "whose weights are the same everywhere.",
        height=316,
    ),
    "B09": Slide(
        field,
        "An image of 32 × 32 pixels and 3 channels as a volume: a fully connected neuron sees all of it, a neuron of a "
        "convolution 5 × 5 pixels of it in all three channels.",
        height=330,
    ),
}
