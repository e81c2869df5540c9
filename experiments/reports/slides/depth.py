"""Depth: the revolution of depth, the leaderboard, plain nets and residual ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .numbers import Measurements
from .sheet import BLUE, GREEN, ORANGE, RED, Sheet, tint
from .slide import Slide

ERAS = (
    (2010, "ILSVRC", "shallow", 28.2, 0),
    (2011, "ILSVRC", "shallow", 25.8, 0),
    (2012, "AlexNet", "8 layers", 16.4, 8),
    (2013, "ZFNet", "8 layers", 11.7, 8),
    (2014, "VGG", "19 layers", 7.3, 19),
    (2014, "GoogLeNet", "22 layers", 6.7, 22),
    (2015, "ResNet", "152 layers", 3.57, 152),
)
"""ImageNet's classification by year: the net, how deep, top-5 error in percent, and layers (He et al. 2015, slides)."""
HUMAN, BAIDU = 5.1, 4.58


def revolution(sheet: Sheet, numbers: Measurements) -> None:
    """The slide's chart: bars of error, and the line of depth over them."""
    axes = sheet.plot(60, 40, 570, 214, title="ImageNet, top-5 error in % (the papers')")
    places = np.arange(len(ERAS))
    axes.bar(places, [error for *_, error, _ in ERAS], color=BLUE, alpha=0.65, width=0.6)
    for i, (year, name, depth_, error, _) in enumerate(ERAS):
        axes.text(i, max(error, HUMAN - 0.2) + 0.6, f"{error:g}", ha="center", weight="bold")
        for row, (words, style) in enumerate(((year, {}), (name, {}), (depth_, {"color": RED, "weight": "bold"}))):
            sheet.text(60 + 570 * (i + 0.6) / 8.1, 270 + 17 * row, words, size=11.5, **style)
    axes.axhline(HUMAN, color=GREEN, linestyle="--", linewidth=1.4)
    axes.text(7.5, HUMAN + 0.5, f"human {HUMAN}", color=GREEN, ha="right")
    axes.set_ylim(0, 32)
    axes.set_xlim(-0.6, 7.5)
    axes.set_xticks([])
    depth = axes.twinx()
    depth.plot(places, [layers for *_, layers in ERAS], "o-", color=RED, linewidth=1.8, markersize=5)
    depth.set_ylim(0, 170)
    depth.axis("off")


def climbing(images: int = 1000, submissions: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Error on the public half and on the private one, by submissions, of guesses that keep what the board liked.

    Each submission is random; the final answer is the vote of those that the public half scored above chance (Blum and Hardt
    2015, "The Ladder", the boosting attack).
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (2, images))
    votes = np.zeros((2, images))
    errors = np.empty((submissions, 2))
    for i in range(submissions):
        guess = rng.integers(0, 2, (2, images))
        sign = 1 if (guess[0] == truth[0]).mean() >= 0.5 else -1
        votes += sign * (2 * guess - 1)
        errors[i] = ((votes > 0) != truth).mean(1)
    return errors[:, 0], errors[:, 1]


def leaderboard(sheet: Sheet, numbers: Measurements) -> None:
    public, private = climbing()
    axes = sheet.plot(80, 40, 330, 214, x_title="submissions", y_title="error, %", title="guesses that learn from the board")
    steps = np.arange(1, len(public) + 1)
    axes.plot(steps, 100 * public, color=BLUE, label="public half, seen by score")
    axes.plot(steps, 100 * private, "--", color=RED, label="private half: nothing was learned")
    axes.set_ylim(20, 66)
    axes.legend(loc="lower left", fontsize=12)
    sheet.text(540, 40, "ImageNet, top-5", size=15, weight="bold")
    for i, (name, error, colour) in enumerate((("human", HUMAN, GREEN), ("Baidu, 2015", BAIDU, RED))):
        y = 70 + 62 * i
        sheet.square(450, y, 170 * error / 6, 26, fill=tint(colour, 0.6), linewidth=0)
        sheet.text(456, y + 13, name, ha="left", size=13)
        sheet.text(456 + 170 * error / 6, y + 13, f"{error:g} %", ha="left", size=13, weight="bold")
    sheet.text(540, 204, "about 200 submissions\nto the test server", size=13.5, color=RED)
    sheet.text(540, 262, "simulated: 1,000 images\na half, random guesses", size=12.5)


def layers(sheet: Sheet, x: float, y: float, count: int, *, residual: bool, colour: str, height: float = 190) -> None:
    """A net as a column of as many layers; with a shortcut around every two."""
    size = height / count
    for i in range(count):
        top = y + i * size
        sheet.square(x, top, 74, size * 0.76, fill=tint(colour, 0.4), edgecolor=colour, linewidth=0.8 if count > 30 else 1.2)
        if residual and i % 2 == 0 and i + 1 < count:
            bottom = top + 1.88 * size
            sheet.arrow((x + 74, top + 0.1 * size), (x + 74, bottom), colour=ORANGE, width=1.1, bend=-0.9, mutation_scale=6)


def _column(sheet: Sheet, x: float, title: str, count: int, error: str, *, residual: bool, colour: str) -> None:
    sheet.text(x + 37, 24, title, size=14.5, weight="bold")
    layers(sheet, x, 44, count, residual=residual, colour=colour)
    if error:
        sheet.text(x + 37, 254, error, size=16, weight="bold", color=GREEN)


def _errors(numbers: Measurements, names: Sequence[str]) -> list[str]:
    return [numbers.of(name, name=numbers.shown) for name in names]


def plain(sheet: Sheet, numbers: Measurements) -> None:
    """Two plain nets, and the curves that He et al. saw."""
    found = _errors(numbers, ("plain-20", "plain-56"))
    _column(sheet, 60, "plain, 20 layers", 20, found[0], residual=False, colour=BLUE)
    _column(sheet, 260, "plain, 56 layers", 56, found[1], residual=False, colour=RED)
    if any(found):
        sheet.text(197, 280, "measured training error", size=13, color=GREEN)
    _curves(sheet, ((20, BLUE, 0.062, 1.0), (56, RED, 0.105, 1.7)), "plain nets: a sketch of He et al.'s figure 1")


def _curves(sheet: Sheet, nets: Sequence[tuple[int, str, float, float]], title: str) -> None:
    axes = sheet.plot(520, 44, 390, 200, title=title, x_title="training", y_title="training error")
    t = np.linspace(0, 1, 200)
    for i, (count, colour, end, slow) in enumerate(nets):
        drop = np.where(t < 0.5, 1.0, 0.55)
        curve = (end / 0.55 + 0.3 * np.exp(-7 * t / slow)) * drop
        axes.plot(t, curve, color=colour, linestyle=("-", "--", ":")[i], label=f"{count} layers")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(loc="upper right")


def block(sheet: Sheet, x: float, *, residual: bool) -> None:
    """Two layers; with the identity around them, F(x) + x."""
    sheet.text(x + 80, 22, "residual net" if residual else "plain net", size=16, weight="bold")
    sheet.text(x + 80, 48, "x", size=15)
    sheet.arrow((x + 80, 58), (x + 80, 78))
    for i in range(2):
        sheet.box(x, 80 + 72 * i, 160, 40, "weight layer", colour=BLUE, size=14)
        if i == 0:
            sheet.arrow((x + 80, 120), (x + 80, 150))
            sheet.text(x + 94, 136, "ReLU", ha="left", size=12.5)
    if residual:
        sheet.arrow((x + 80, 192), (x + 80, 208))
        sheet.line((x + 80, 66), (x + 200, 66), (x + 200, 222), colour=ORANGE, width=2.2)
        sheet.arrow((x + 200, 222), (x + 94, 222), colour=ORANGE, width=2.2)
        sheet.text(x + 208, 144, "identity", ha="left", size=14, color=ORANGE)
        sheet.circle(x + 80, 222, 13, text="+", edgecolor=ORANGE)
        sheet.arrow((x + 80, 235), (x + 80, 262))
        sheet.text(x + 80, 280, "H(x) = F(x) + x", size=15)
    else:
        sheet.arrow((x + 80, 192), (x + 80, 262))
        sheet.text(x + 80, 280, "H(x)", size=15)


def shortcut(sheet: Sheet, numbers: Measurements) -> None:
    block(sheet, 50, residual=False)
    block(sheet, 320, residual=True)


def deeper(sheet: Sheet, numbers: Measurements) -> None:
    """Residual nets of 8, 20 and 56 layers."""
    names = list(numbers.variants)
    for i, count in enumerate((8, 20, 56)):
        ours = [name for name in names if str(count) in name.replace(",", " ").replace("-", " ").split()]
        long = [name for name in ours if name.endswith("×")] or ours
        title = f"{count} layers"
        _column(sheet, 70 + 180 * i, title, count, numbers.of(*long) if long else "", residual=True, colour=BLUE)
    sheet.text(288, 286, "“deeper ResNets have lower training error, and also lower test error”", size=13)


SLIDES = {
    "D07": Slide(
        revolution,
        "The winners of ImageNet from 2010 to 2015: their top-5 error falls from 28.2 to 3.57 percent, their depth grows from "
        "shallow to 152 layers; a person has 5.1 percent.",
        has_panel=True,
    ),
    "D08": Slide(
        leaderboard,
        "A simulation: random guesses that keep what the public leaderboard liked have a falling public error and learn "
        "nothing. Beside it the slide's figures: human 5.1 percent, Baidu 4.58 percent.",
        has_panel=True,
    ),
    "D09": Slide(
        plain,
        "Two plain nets as columns of 20 and 56 layers, and a sketch of their training curves: the deeper one stays above.",
        height=300,
    ),
    "D10": Slide(
        shortcut,
        "A block of two layers, as in a plain net, and the same block with the identity around it, whose output is F(x) + x.",
        has_panel=True,
        height=304,
    ),
    "D11": Slide(
        deeper,
        "Residual nets of 8, 20 and 56 layers, each with a shortcut around every two of them.",
        has_panel=True,
        height=304,
    ),
}
