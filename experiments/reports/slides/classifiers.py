"""Classifiers of points: the greatest margin, the kernel's decision line, and functions that are learned themselves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from .numbers import Measurements
from .sheet import BLUE, DASH, FAINT, GREEN, INK, ORANGE, RED, Sheet
from .slide import Slide

CLASSES = ((1, BLUE, "o"), (-1, RED, "s"))


def margin(sheet: Sheet, numbers: Measurements) -> None:
    """A separating line that is any, and the one of the greatest margin, both computed."""
    from sklearn.svm import SVC  # only here

    rng = np.random.default_rng(11)
    points = np.r_[rng.normal((1.3, 1.2), 0.55, (22, 2)), rng.normal((-1.2, -1.3), 0.55, (22, 2))]
    classes = np.repeat([1, -1], 22)
    machine = SVC(kernel="linear", C=1e6).fit(points, classes)
    best = np.append(machine.coef_[0], machine.intercept_)
    other = _perceptron(points, classes)
    for i, (name, line) in enumerate((("a line that separates (perceptron)", other), ("the support vector machine's", best))):
        axes = sheet.plot(60 + 460 * i, 44, 400, 236, title=name)
        width = _margin(line, points, classes)
        _points(axes, points, classes)
        _line(axes, line, 0, color=INK)
        for sign in (-1, 1):
            _line(axes, line, sign * width, color=GREEN, linestyle=DASH, linewidth=1.6)
        axes.text(-2.85, -2.75, f"margin {width:.2f}", color=GREEN, fontsize=15, weight="bold")
        if i:
            axes.plot(*points[machine.support_].T, "o", markersize=15, markerfacecolor="none", markeredgecolor=ORANGE)
        axes.set_xlim(-3, 3)
        axes.set_ylim(-3, 3)
    sheet.text(490, 318, "dashed: the widest strip without a point; circled: the support vectors, which alone decide it")


def _perceptron(points: np.ndarray, classes: np.ndarray) -> np.ndarray:
    padded, weights = np.c_[points, np.ones(len(points))], np.zeros(3)
    for i in list(range(len(points))) * 50:
        if classes[i] * (padded[i] @ weights) <= 0:
            weights = weights + classes[i] * padded[i]
    return weights


def _margin(line: np.ndarray, points: np.ndarray, classes: np.ndarray) -> float:
    return float((classes * (points @ line[:2] + line[2])).min() / np.linalg.norm(line[:2]))


def _points(axes: Axes, points: np.ndarray, classes: np.ndarray, size: float = 6) -> None:
    for sign, colour, marker in CLASSES:
        axes.plot(*points[classes == sign].T, marker, color=colour, markersize=size)


def _line(axes: Axes, line: np.ndarray, away: float, **style: object) -> None:
    """Where wᵀx + b is ``away`` times the length of w."""
    ends = np.array([-4.0, 4.0])
    level = away * np.linalg.norm(line[:2])
    axes.plot(ends, (level - line[2] - line[0] * ends) / line[1], **style)  # type: ignore[arg-type]


def kernels(sheet: Sheet, numbers: Measurements) -> None:
    """The study's own problems, its line and its kernel, fitted to 200 points of each."""
    from experiments.lectures.cnn import kernels_make_linear_predictors_nonlinear as own

    steps = np.linspace(-1.05, 1.05, 50)
    field = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    column = 0
    for problem, draw in own.PROBLEMS.items():
        points, classes = draw(np.random.default_rng(0), own.TRAIN)
        for name, kernel in ((own.LINE, own.linear), (own.KERNEL, own.radial(3.0))):
            gram = kernel(points, points)
            alpha = np.linalg.solve(gram + 0.01 * np.eye(len(gram)), classes)
            values = (kernel(field, points) @ alpha).reshape(50, 50)
            axes = sheet.plot(36 + 236 * column, 44, 200, 200, title=f"{problem}: {'a line' if name == own.LINE else name}")
            axes.contourf(steps, steps, values, levels=[-99, 0, 99], colors=[RED, BLUE], alpha=0.2)
            axes.contour(steps, steps, values, levels=[0], colors=[INK], linewidths=2)
            _points(axes, points[:90], classes[:90], size=3.4)
            axes.set_xticks([-1, 0, 1])
            axes.set_yticks([-1, 0, 1])
            axes.set_title(axes.get_title(), fontsize=13)
            if (accuracy := numbers.mean(name, problem)) is not None:
                sheet.text(136 + 236 * column, 286, f"{100 * accuracy:.1f} % right", color=GREEN, size=15, weight="bold")
            column += 1


def learned(sheet: Sheet, numbers: Measurements) -> None:
    """Fixed functions with learned weights, and functions that are learned as well."""
    rows = (
        ("kernel trick", ("x", "φ(x)\nfixed", "w", "y"), (FAINT, FAINT, BLUE, FAINT)),
        ("deep learning", ("x", "h₁(w₁ᵀx + b₁)", "h₂(w₂ᵀh₁ + b₂)", "w", "y"), (FAINT, BLUE, BLUE, BLUE, FAINT)),
    )
    for i, (name, boxes, colours) in enumerate(rows):
        y = 60 + 130 * i
        sheet.text(24, y + 35, name, ha="left", size=16, weight="bold")
        x = 190.0
        for j, (text, colour) in enumerate(zip(boxes, colours, strict=True)):
            width = 60 if len(text) < 3 else 170
            sheet.box(x, y, width, 70, text, colour=colour, size=15, linestyle=DASH if "fixed" in text else "-")
            x += width
            if j < len(boxes) - 1:
                sheet.arrow((x, y + 35), (x + 44, y + 35))
                x += 44
    sheet.text(190, 30, "blue: learned from data; dashed: chosen by hand, and kept", ha="left", color=BLUE)


SLIDES = {
    "A06": Slide(
        margin,
        "Two classes of points with a line between them: any that separates, here the perceptron's, and that of the support "
        "vector machine, whose strip without points is the widest.",
        height=334,
    ),
    "A07": Slide(
        kernels,
        "Two problems that no line solves, the exclusive or and a disc within a ring: on each the decision line of a linear "
        "predictor, and that of the same predictor behind a radial kernel.",
        height=304,
    ),
    "A08": Slide(
        learned,
        "Above, a fixed function φ of the input whose outputs are weighed by learned weights; below, layers of functions whose "
        "own parameters are learned as well.",
        height=290,
    ),
}
