"""Neurons and layers of them: the linear classifier, composed linear functions, counted layers, the two passes, codes."""

from __future__ import annotations

import numpy as np

from .numbers import Measurements
from .sheet import BLUE, DASH, FAINT, GREEN, INK, ORANGE, RED, Sheet, solid, tint
from .slide import Slide

MOTORBIKE = "1100010100001101"
TRUCK = "0010000100110010"
"""The slide's codes, as far as it writes them out."""


def neuron(sheet: Sheet, numbers: Measurements) -> None:
    """A neuron, and the line that its weights and bias are."""
    for i, name in enumerate(("x₁", "x₂", "x₃")):
        y = 70 + 80 * i
        sheet.circle(70, y, 22, fill=solid(BLUE), edgecolor=BLUE, text=name)
        sheet.arrow((92, y), (222, 150 + 8 * (i - 1)))
        sheet.text(150, y + (34 - 26 * i) - 22, f"w{'₁₂₃'[i]}", color=BLUE)
    sheet.circle(258, 150, 34, fill=solid(ORANGE), edgecolor=ORANGE, text="Σ + b")
    sheet.arrow((292, 150), (342, 150))
    sheet.box(342, 122, 76, 56, "sign", colour=GREEN, size=15)
    sheet.arrow((418, 150), (470, 150))
    sheet.text(478, 150, "y = ±1", size=14, ha="left")
    sheet.text(262, 284, "y = sign(wᵀx + b)", size=17)
    axes = sheet.plot(600, 36, 300, 232, x_title="x₁", y_title="x₂")
    rng = np.random.default_rng(3)
    for sign, colour, marker in ((1, BLUE, "o"), (-1, RED, "s")):
        points = rng.normal(sign * 1.0, 0.42, (26, 2))
        axes.plot(*points.T, marker, color=colour, markersize=6, alpha=0.9)
    line = np.array([-2.4, 2.4])
    axes.plot(line, -line, color=INK)
    axes.annotate("", (0.75, 0.75), (0, 0), arrowprops={"arrowstyle": "-|>", "color": GREEN, "lw": 2})
    axes.text(0.28, 0.72, "w", color=GREEN, fontsize=15)
    axes.text(1.0, -1.9, "wᵀx + b = 0", ha="center")
    axes.set_xlim(-2.4, 2.4)
    axes.set_ylim(-2.4, 2.4)
    if found := numbers.check("perceptron separates"):
        sheet.text(262, 250, f"the perceptron separated {found} data sets of 20", color=GREEN)


def composition(sheet: Sheet, numbers: Measurements) -> None:
    """Five matrices are one, and one line does not separate the exclusive or."""
    sheet.text(52, 110, "x")
    for i in range(5):
        x = 74 + 92 * i
        sheet.arrow((x - 10, 110), (x + 12, 110))
        sheet.box(x + 12, 78, 62, 64, f"W{'₁₂₃₄₅'[i]}", size=16)
    sheet.arrow((530, 110), (556, 110))
    sheet.text(570, 110, "y")
    sheet.text(60, 226, "=", size=26)
    sheet.text(96, 226, "x")
    sheet.arrow((108, 226), (142, 226))
    sheet.box(142, 192, 330, 68, "W = W₅ W₄ W₃ W₂ W₁", colour=GREEN, size=17)
    sheet.arrow((472, 226), (530, 226))
    sheet.text(544, 226, "y")
    if found := numbers.check("five linear layers less"):
        sheet.text(307, 288, f"measured difference, relative: {found}", color=GREEN)
    axes = sheet.plot(660, 44, 240, 216, title="exclusive or: no line does it")
    for x, y in ((0, 0), (1, 1), (0, 1), (1, 0)):
        axes.plot(x, y, "o" if x == y else "s", color=BLUE if x == y else RED, markersize=15)
    axes.plot([-0.5, 1.5], [1.1, -0.1], color=INK, linestyle=DASH)
    axes.set_xlim(-0.5, 1.5)
    axes.set_ylim(-0.5, 1.5)
    axes.set_xticks([0, 1])
    axes.set_yticks([0, 1])


def counting(sheet: Sheet, numbers: Measurements) -> None:
    """The 2-layer net of the lecture: its hidden layers; He et al. count the layers with weights."""
    places = sheet.network([3, 4, 4, 2], 150, 54, 640, 176, colours=[FAINT, BLUE, BLUE, FAINT], radius=15)
    names = ("input\nnot counted", "layer 1", "layer 2", "output\nnot counted")
    for layer, name in zip(places, names, strict=True):
        counted = name.startswith("layer")
        sheet.text(layer[0][0], 266, name, size=15 if counted else 13, weight="bold" if counted else "normal")
    for i in range(3):
        middle = (places[i][0][0] + places[i + 1][0][0]) / 2
        sheet.text(middle, 22, f"weights {['W₁', 'W₂', 'W₃'][i]}", color=GREEN, weight="bold")
    hidden, weighted = numbers.check("hidden layers"), numbers.check("layers with weights")
    if hidden and weighted:
        sheet.text(480, 304, f"counted in the real net: {hidden} hidden layers, {weighted} with weights", color=GREEN)
    else:
        sheet.text(480, 304, "the lecture counts 2 layers; by its weights, as He et al. count, it has 3")


def passes(sheet: Sheet, numbers: Measurements) -> None:
    """Forward keeps what backward needs."""
    names = ("x", "h¹", "h²", "y", "loss")
    layers = ("W₁, ReLU", "W₂, ReLU", "W₃", "softmax, t")
    for i, name in enumerate(names):
        x = 70 + 200 * i
        sheet.circle(x, 120, 30, fill=solid(ORANGE if name == "loss" else BLUE), edgecolor=BLUE, text=name)
        if i < 4:
            sheet.arrow((x + 30, 112), (x + 170, 112), colour=BLUE, width=2.4)
            sheet.text(x + 100, 92, layers[i], color=BLUE)
            sheet.arrow((x + 172, 200), (x + 28, 200), colour=RED, width=2.4)
            sheet.text(x + 100, 222, ("∂l/∂W₁", "∂l/∂W₂", "∂l/∂W₃", "p − t")[i], color=RED)
        if 0 < i < 4:
            sheet.arrow((x, 150), (x, 190), colour=FAINT, linestyle=DASH)
    sheet.text(20, 40, "forward: computes, and keeps x, h¹, h², y", size=16, ha="left", color=BLUE, weight="bold")
    sheet.text(20, 268, "backward: the chain rule, from right to left, with what was kept", size=16, ha="left", color=RED)
    if found := numbers.check("w1", "autograd"):
        sheet.text(940, 268, f"by hand against autograd: {found}", ha="right", color=GREEN)


def codes(sheet: Sheet, numbers: Measurements) -> None:
    """The slide's two codes over the same units, and how many things n units tell apart."""
    for i, (name, code) in enumerate((("motorbike", MOTORBIKE), ("truck", TRUCK))):
        y = 70 + 96 * i
        sheet.text(20, y - 14, name, ha="left", size=15, weight="bold")
        for j, bit in enumerate(code):
            shared = MOTORBIKE[j] == TRUCK[j] == "1"
            colour = ORANGE if shared else BLUE
            fill = tint(colour, 0.75) if bit == "1" else "none"
            sheet.square(20 + 32 * j, y, 32, 32, fill=fill, edgecolor=FAINT)
            sheet.text(36 + 32 * j, y + 16, bit)
    place = 36 + 32 * next(j for j in range(16) if MOTORBIKE[j] == TRUCK[j] == "1")
    sheet.line((place, 102), (place, 166), colour=ORANGE, width=2.4)
    sheet.text(20, 232, "a unit that both use: what it stands for (a wheel) is learned once", ha="left", color=ORANGE)
    units = np.arange(1, 17)
    axes = sheet.plot(660, 40, 264, 206, x_title="units", title="things told apart")
    sheet.logarithmic(axes, y=True)
    axes.plot(units, 2.0**units, color=BLUE)
    axes.plot(units, units, color=RED, linestyle="--")
    axes.text(8.6, 2**12, "distributed: 2ⁿ", color=BLUE, ha="right")
    axes.text(15.8, 32, "one unit each: n", color=RED, ha="right")
    if numbers and (effect := numbers.effect("share")) and effect.estimate is not None:
        sheet.text(20, 270, f"{effect.name}: {effect.estimate:.3g} {effect.unit}", ha="left", color=GREEN)


SLIDES = {
    "A05": Slide(
        neuron,
        "A neuron: inputs times weights, summed, plus a bias, and the sign of it. Beside it the line that these weights draw "
        "between two classes of points.",
    ),
    "A09": Slide(
        composition,
        "Five linear layers in a row equal one matrix, their product. Beside it the four points of the exclusive or, which no "
        "line separates.",
    ),
    "A10": Slide(
        counting,
        "A net of three inputs, two hidden layers of four units and two outputs: the lecture counts its two hidden layers, "
        "others its three layers of weights.",
    ),
    "A19": Slide(
        passes,
        "The forward pass from x over h¹ and h² to y and the loss, and the backward pass in the other direction, which uses "
        "what the forward pass kept.",
        height=300,
    ),
    "A20": Slide(
        codes,
        "The slide's codes of a motorbike and a truck over the same sixteen units, one of which both use. Beside them, how "
        "many things n units tell apart: 2ⁿ where codes are distributed, n where each has a unit of its own.",
        height=290,
    ),
}
