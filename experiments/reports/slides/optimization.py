"""Optimisation and scaling: minima, devices, workers, optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..wording import number
from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, PINK, RED, Sheet, tint
from .slide import Slide


def minima(sheet: Sheet, numbers: Measurements) -> None:
    """A sketch: the minima of a small net lie at different heights, those of a large one at nearly the same."""
    from scipy.interpolate import CubicSpline

    x = np.linspace(0, 1, 400)
    for i, (title, spread, colour) in enumerate(
        (("narrow net: minima differ", 1.0, RED), ("wide net: nearly the same", 0.12, BLUE))
    ):
        axes = sheet.plot(40 + 310 * i, 40, 270, 200, title=title, y_title="loss" if i == 0 else "")
        heights = 0.5 + spread * CubicSpline(np.linspace(0, 1, 6), [0.1, -0.2, 0.22, -0.2, 0.2, 0.0])(x)
        loss = heights + 0.26 * np.cos(2 * np.pi * 5 * x)
        axes.plot(x, loss, color=colour)
        for place in (0.1, 0.3, 0.5, 0.7, 0.9):
            near = np.flatnonzero(np.abs(x - place) < 0.06)
            least = near[loss[near].argmin()]
            axes.plot(x[least], loss[least] + 0.045, "o", color=ORANGE, markersize=10)
        axes.set_ylim(-0.2, 1.25)
        axes.set_xticks([])
        axes.set_yticks([])
    sheet.text(330, 272, "a sketch; “the same” is said of the loss, not of the function that is found", size=13)


def devices(sheet: Sheet, numbers: Measurements) -> None:
    """Few large cores, and many small ones."""
    sheet.text(120, 22, "CPU: few large cores", size=15, weight="bold")
    for i in range(4):
        sheet.box(30 + 94 * (i % 2), 46 + 94 * (i // 2), 84, 84, "core", colour=BLUE, size=15)
    sheet.text(430, 22, "GPU: thousands of small ones", size=15, weight="bold")
    for i in range(18):
        for j in range(10):
            sheet.square(270 + 18 * i, 46 + 18 * j, 14, 14, fill=tint(GREEN, 0.5), edgecolor=GREEN, linewidth=0.7)
    sheet.text(330, 262, "a layer is one product of matrices: every entry can be computed at once", size=13.5)


def workers(sheet: Sheet, numbers: Measurements) -> None:
    """Workers with a shard of the data each, and the parameters that they share."""
    sheet.box(180, 20, 280, 56, "parameters  w", colour=ORANGE, size=17)
    for i in range(4):
        x = 30 + 150 * i
        middle = x + 60
        target = 220 + 66 * i
        sheet.arrow((middle - 8, 156), (target - 8, 78), colour=BLUE, width=1.8)
        sheet.arrow((target + 8, 78), (middle + 8, 156), colour=FAINT, width=1.8)
        sheet.box(x, 158, 120, 50, f"worker {i + 1}", colour=BLUE, size=15)
        sheet.arrow((middle, 246), (middle, 210))
        sheet.square(x + 16, 248, 88, 26, fill=tint(FAINT, 0.25))
        sheet.text(middle, 261, f"data {i + 1}", size=13)
    sheet.text(112, 112, "gradients", size=13.5, color=BLUE)
    sheet.text(552, 112, "weights", size=13.5)
    sheet.text(
        320, 298, "at once: the mean of all gradients is that of one large batch · asynchronous: some are stale", size=12.5
    )


OPTIMIZERS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("SGD", {"lr": 0.09}, RED, "-"),
    ("SGD", {"lr": 0.05, "momentum": 0.7}, BLUE, "-"),
    ("SGD", {"lr": 0.05, "momentum": 0.7, "nesterov": True}, GREEN, "--"),
    ("RMSprop", {"lr": 0.12}, PINK, "-."),
    ("Adam", {"lr": 0.35, "betas": (0.8, 0.99)}, ORANGE, ":"),
)


def _name(kind: str, options: dict[str, Any]) -> str:
    if options.get("nesterov"):
        return "Nesterov"
    return "momentum" if "momentum" in options else kind


def optimizers(sheet: Sheet, numbers: Measurements) -> None:
    """Five of torch's optimisers on one ravine, each with a rate that suits it."""
    import torch

    x, y = np.meshgrid(np.linspace(-4.6, 1.6, 60), np.linspace(-1.7, 1.7, 60))
    axes = sheet.plot(30, 36, 590, 230)
    axes.contour(x, y, 0.5 * (x**2 + 20 * y**2), levels=[0.3, 1, 2.5, 5, 9, 15, 22], colors=[FAINT], linewidths=0.9, alpha=0.7)
    for kind, options, colour, style in OPTIMIZERS:
        w = torch.tensor([-4.2, 1.3], requires_grad=True)
        optimizer = getattr(torch.optim, kind)([w], **options)
        way = [w.detach().numpy().copy()]
        for _ in range(24):
            optimizer.zero_grad()
            (0.5 * (w[0] ** 2 + 20 * w[1] ** 2)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            way.append(w.detach().numpy().copy())
        axes.plot(*np.array(way).T, style, marker="o", markersize=3.4, color=colour, linewidth=1.8, label=_name(kind, options))
    axes.plot(0, 0, "*", color=ORANGE, markersize=18, zorder=5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(loc="lower left", ncols=5, fontsize=12, bbox_to_anchor=(-0.02, -0.2), columnspacing=1.2, handlelength=1.8)
    if (effect := numbers.effect("Adam")) and effect.estimate is not None:
        sheet.text(
            330, 316, f"measured, {effect.name}: {number(effect.estimate)}{' ×' if effect.unit == 'x' else ''}", color=GREEN
        )


SLIDES = {
    "D12": Slide(
        minima,
        "A sketch of two losses with five minima each: those of a narrow net lie at different heights, those of a wide net at "
        "nearly the same.",
        has_panel=True,
        height=290,
    ),
    "D13": Slide(
        devices,
        "A processor with few large cores, and a graphics processor with many small ones.",
        has_panel=True,
        height=284,
    ),
    "D14": Slide(
        workers,
        "Four workers, each with a part of the data, send gradients to the parameters that they share and get weights back.",
        has_panel=True,
    ),
    "D15": Slide(
        optimizers,
        "Five optimisers of torch on their way through a ravine: plain descent in zigzags, with momentum, with Nesterov's, "
        "RMSprop and Adam.",
        has_panel=True,
        height=330,
    ),
}
