"""Activation functions with their gradients, from the modules themselves, and what follows from their shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..wording import number
from .numbers import Measurements
from .sheet import BLUE, DASH, FAINT, GREEN, INK, ORANGE, RED, Sheet
from .slide import Slide

REACH = 5.0


def curve(name: str, **arguments: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x from −5 to 5, ``torch.nn``'s function of it, and its gradient by autograd."""
    import torch  # seconds, which other pictures do without
    from torch import nn

    x = torch.linspace(-REACH, REACH, 401, requires_grad=True)
    y = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU, "leaky ReLU": nn.LeakyReLU}[name](**arguments)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return x.detach().numpy(), y.detach().numpy(), slope.numpy()


def _drawn(axes: Axes, name: str, colour: str, low: float, high: float, **arguments: float) -> None:
    x, y, slope = curve(name, **arguments)
    axes.axhline(0, color=FAINT, linewidth=1)
    axes.axvline(0, color=FAINT, linewidth=1)
    axes.plot(x, y, color=colour, label=name)
    axes.plot(x, slope, color=ORANGE, linestyle="--", label="its gradient")
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(low, high)
    axes.legend(loc="upper left", handlelength=1.4)


def squashing(sheet: Sheet, numbers: Measurements) -> None:
    left = sheet.plot(60, 40, 380, 230, title="sigmoid: 1 / (1 + e⁻ˣ)")
    _drawn(left, "sigmoid", BLUE, -0.25, 1.25)
    left.annotate("at most ¼", (0, 0.25), (1.7, 0.45), arrowprops={"arrowstyle": "->", "color": INK}, va="center")
    right = sheet.plot(540, 40, 380, 230, title="tanh(x) = 2σ(2x) − 1: centred at zero")
    _drawn(right, "tanh", RED, -1.3, 1.3)
    right.annotate("at most 1", (0, 1), (1.4, 0.72), arrowprops={"arrowstyle": "->", "color": INK}, va="center")
    if found := numbers.check("tanh x − (2σ(2x) − 1)"):
        sheet.text(730, 306, f"greatest difference computed: {found}", color=GREEN)


def saturation(sheet: Sheet, numbers: Measurements) -> None:
    left = sheet.plot(60, 40, 380, 230, title="where it is flat, no gradient passes")
    _drawn(left, "sigmoid", BLUE, -0.15, 1.5)
    for low, high in ((-REACH, -3), (3, REACH)):
        left.axvspan(low, high, color=RED, alpha=0.13, linewidth=0)
        left.text((low + high) / 2, 0.5, "saturated", color=RED, ha="center", rotation=90, va="center")
    depth = np.arange(1, 9)
    right = sheet.plot(560, 40, 360, 230, title="what is left of a gradient, at best", x_title="layers passed")
    sheet.logarithmic(right, y=True)
    right.plot(depth, np.ones(8), "o-", color=GREEN, label="ReLU: 1ⁿ")
    right.plot(depth, 0.25**depth, "s--", color=BLUE, label="sigmoid: (¼)ⁿ")
    right.legend(loc="lower left")
    slopes = [
        f"{number(math.exp(value))} ({name})"
        for name in ("sigmoid", "relu")
        if (value := numbers.mean(name, "slope")) is not None
    ]
    if slopes:
        sheet.text(250, 300, f"measured, what a layer leaves of it: {', '.join(slopes)}", color=GREEN)


def wall(sheet: Sheet, numbers: Measurements) -> None:
    """Nets of 1 to 8 hidden layers, and where the lecture says that sigmoid nets end."""
    errors = {depth: _of_depth(numbers, depth) for depth in (1, 2, 3, 4, 6, 8)}
    for i, depth in enumerate(errors):
        x = 70 + 140 * i
        for layer in range(depth):
            colour = BLUE if depth <= 3 else RED
            sheet.box(x, 214 - 24 * layer, 96, 19, colour=colour)
        sheet.text(x + 48, 252, f"{depth} hidden", size=14)
        if errors[depth]:
            sheet.text(x + 48, 276, errors[depth], color=GREEN, weight="bold")
    sheet.line((474, 20), (474, 264), colour=RED, width=2.2, linestyle=DASH)
    sheet.text(484, 24, "“not able to train more than 2 or 3 layers”", ha="left", color=RED, size=15)
    sheet.text(66, 24, "sigmoid nets that train", ha="left", color=BLUE, size=15)
    if any(errors.values()):
        sheet.text(
            480, 304, "below each: the measured training error with sigmoids and the classic initialisation", color=GREEN
        )


def _of_depth(numbers: Measurements, depth: int) -> str:
    names = list(numbers.record.variants) if numbers.record else []
    ours = [name for name in names if name.startswith("sigmoid") and str(depth) in name.replace(",", " ").split()]
    plain = [name for name in ours if not any(word in name for word in ("matched", "long", "10×", "Xavier"))]
    return numbers.of(*(plain or ours))


def directions(sheet: Sheet, numbers: Measurements) -> None:
    """Two weights of a neuron: the quadrants that its gradients can lie in, and the way to where it should be."""
    for i, (title, closed) in enumerate((("inputs all positive (sigmoid)", True), ("inputs of both signs (centred)", False))):
        axes = sheet.plot(60 + 470 * i, 42, 380, 226, title=title, x_title="w₁", y_title="w₂")
        axes.axhline(0, color=FAINT, linewidth=1)
        axes.axvline(0, color=FAINT, linewidth=1)
        quadrants = ((0, 0), (-1, -1)) if closed else ((0, 0), (-1, -1), (-1, 0), (0, -1))
        for x, y in quadrants:
            axes.fill([x, x + 1, x + 1, x], [y, y, y + 1, y + 1], color=GREEN, alpha=0.16, linewidth=0)
        way: Sequence[tuple[float, float]] = (
            [(0, 0), (0.3, 0.05), (0.27, -0.28), (0.55, -0.24), (0.52, -0.56), (0.8, -0.52), (0.78, -0.8)]
            if closed
            else [(0, 0), (0.78, -0.8)]
        )
        axes.plot(*zip(*way, strict=True), "o-", color=BLUE, markersize=5)
        axes.plot(0.78, -0.8, "*", color=ORANGE, markersize=20, zorder=5)
        axes.text(0.04, 0.86, "gradients point here" if closed else "gradients point anywhere", color=GREEN)
        axes.set_xlim(-1, 1)
        axes.set_ylim(-1, 1)
        axes.set_xticks([])
        axes.set_yticks([])
    shares = [
        f"{name} {100 * v:.3g} %" for name in ("sigmoid", "sigmoid − ½") if (v := numbers.mean("signs", name)) is not None
    ]
    if shares:
        sheet.text(480, 306, f"neurons whose gradient has one sign, measured: {', '.join(shares)}", color=GREEN)


def rectified(sheet: Sheet, numbers: Measurements) -> None:
    left = sheet.plot(60, 40, 380, 230, title="ReLU: max(0, x)")
    _drawn(left, "ReLU", BLUE, -1, 5)
    left.text(2.6, 0.35, "never saturates for x > 0", color=ORANGE, ha="center", va="center")
    work = {
        "ReLU": "one comparison",
        "leaky ReLU": "a comparison, a product",
        "sigmoid": "an exponential, a quotient",
        "tanh": "exponentials, a quotient",
    }
    sheet.text(540, 42, "what each element costs", ha="left", size=16, weight="bold")
    for i, (name, cost) in enumerate(work.items()):
        y = 66 + 50 * i
        sheet.box(540, y, 120, 38, name, colour=BLUE if name == "ReLU" else ORANGE)
        sheet.text(680, y + 19, cost, ha="left")
    if (effect := numbers.effect("tanh")) and effect.estimate is not None:
        sheet.text(540, 290, f"counted, {effect.name}: {number(effect.estimate)} ×", ha="left", color=GREEN, weight="bold")


def race(sheet: Sheet, numbers: Measurements) -> None:
    """Krizhevsky's ratio of six, and the steps that were measured."""
    left = sheet.plot(60, 40, 330, 230, title="ReLU and tanh")
    for name, colour, style in (("ReLU", BLUE, "-"), ("tanh", RED, "--")):
        x, y, _ = curve(name)
        left.plot(x, y, style, color=colour, label=name)
    left.set_xlim(-3, 3)
    left.set_ylim(-1.5, 3)
    left.legend(loc="upper left")
    value = "steps to trainset/error 0.25"
    steps = {name: numbers.mean(name, value) for name in ("relu", "tanh", "sigmoid")}
    known = {name: count for name, count in steps.items() if count is not None}
    title = "optimizer steps to 25 % training error" if known else "steps to 25 % training error, in the paper's ratio"
    axes = sheet.plot(540, 40, 360, 230, title=title)
    bars = known or {"relu": 1.0, "tanh": 6.0}
    for i, (name, count) in enumerate(bars.items()):
        axes.barh(i, count, color=BLUE if name == "relu" else RED, alpha=0.75, height=0.6)
        axes.text(count, i, f" {number(round(count))}{'' if known else ' ×'}", va="center", weight="bold")
    axes.set_yticks(range(len(bars)), ["ReLU" if name == "relu" else name for name in bars])
    axes.set_xlim(0, max(bars.values()) * 1.18)
    axes.invert_yaxis()


def dying(sheet: Sheet, numbers: Measurements) -> None:
    left = sheet.plot(60, 40, 380, 230, title="ReLU: a unit below zero learns no more")
    _drawn(left, "ReLU", BLUE, -1, 5)
    left.axvspan(-REACH, 0, color=RED, alpha=0.13, linewidth=0)
    left.text(-2.5, 1.2, "gradient 0:\ndead", color=RED, ha="center", fontsize=15)
    right = sheet.plot(540, 40, 380, 230, title="leaky ReLU: a small slope is left (here 0.1)")
    _drawn(right, "leaky ReLU", GREEN, -1, 5, negative_slope=0.1)
    for x, names in ((250, ("relu, 10×", "relu")), (730, ("leaky, 10×", "leaky, 0.01"))):
        if (dead := numbers.of(*names, name="units/dead")) != "":
            share = numbers.mean(names[0], "units/dead")
            words = f"{100 * share:.3g} %" if share is not None else dead
            sheet.text(x, 304, f"units that died at 10 × the best rate: {words}", color=GREEN, weight="bold")


SLIDES = {
    "A12": Slide(
        squashing,
        "The sigmoid and the hyperbolic tangent with their gradients: the one lies between 0 and 1 and is at most ¼ steep, the "
        "other lies between −1 and 1, is centred at zero and at most 1 steep.",
    ),
    "A13": Slide(
        saturation,
        "The sigmoid and its gradient, which is almost none where the function is flat. Beside it what is left of a gradient "
        "after n layers at best: (¼)ⁿ with sigmoids, all of it with ReLU.",
    ),
    "A14": Slide(
        wall,
        "Nets of one to eight hidden layers, and the wall behind the third that the lecture speaks of.",
    ),
    "A15": Slide(
        directions,
        "The plane of two weights of a neuron. With inputs that are all positive a gradient has one sign in all weights, and "
        "the way to the optimum is a zigzag; with centred inputs it can go straight.",
    ),
    "A16": Slide(
        rectified,
        "ReLU with its gradient, which is 1 for all positive inputs, and what the activation functions cost for each element.",
    ),
    "A17": Slide(
        race,
        "ReLU and tanh, and the optimizer steps that each needs to 25 % training error; six times as many with tanh in "
        "Krizhevsky's figure.",
    ),
    "A18": Slide(
        dying,
        "ReLU, whose gradient is zero below zero, so that a unit that is always there has died; and leaky ReLU, where a small "
        "slope is left.",
    ),
}
