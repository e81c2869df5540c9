"""Training: the loss and its gradient, mini-batches, momentum, schedules, forgetting, and the stages of a net."""

from __future__ import annotations

import numpy as np

from ..wording import number
from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, PINK, RED, Sheet, tint
from .slide import Slide


def forgetting(sheet: Sheet, numbers: Measurements) -> None:
    """A weight without a gradient of its own, by steps of decay: (1 − γλ)ᵗ."""
    axes = sheet.plot(80, 30, 560, 240, x_title="steps t without a gradient", y_title="what is left of a weight")
    steps = np.arange(0, 2501)
    for rate, colour, style in ((0.03, BLUE, "-"), (0.1, ORANGE, "--"), (0.3, RED, ":")):
        half = np.ceil(np.log(0.5) / np.log(1 - 0.01 * rate))
        axes.plot(steps, (1 - 0.01 * rate) ** steps, style, color=colour, label=f"λ = {rate}: half after {half:.0f} steps")
        axes.plot([half], [0.5], "o", color=colour)
    axes.axhline(0.5, color=FAINT, linewidth=1)
    axes.legend(loc="upper right")
    sheet.text(676, 60, "w ← (1 − γλ) w − γ ∂l/∂w", ha="left", size=17)
    sheet.text(676, 100, "γ = 0.01 is the learning rate", ha="left")
    for i, written in enumerate(("0.03", "0.1", "0.3")):
        if found := numbers.check("half-life", f"λ = {written}"):
            sheet.text(676, 150 + 26 * i, f"measured, λ = {written}: {found} steps", ha="left", color=GREEN, weight="bold")


def softmax(sheet: Sheet, numbers: Measurements) -> None:
    """Four scores, their probabilities, the target, and the gradient p − t."""
    scores = np.array([2.0, 1.0, 0.1, -1.2])
    chances = np.exp(scores) / np.exp(scores).sum()
    target = np.array([0, 1, 0, 0])
    heads = ("scores y", "softmax p = eʸ / Σ eʸ", "target t (1 of K)", "gradient p − t")
    for j, head in enumerate(heads):
        sheet.text(150 + 228 * j, 22, head, size=15, weight="bold")
        if j:
            sheet.arrow((10 + 228 * j, 148), (42 + 228 * j, 148))
    for k in range(4):
        y = 60 + 52 * k
        sheet.text(30, y, f"class {k + 1}", size=13)
        for j, (column, colour) in enumerate(((scores, FAINT), (chances, BLUE), (target, GREEN), (chances - target, ORANGE))):
            middle, value = 150 + 228 * j, float(column[k])
            span = 60 * value / (2.0 if j == 0 else 1.0)
            sheet.square(min(middle, middle + span), y - 12, abs(span), 24, fill=tint(colour, 0.65), linewidth=0)
            sheet.line((middle, y - 16), (middle, y + 16), colour=FAINT, width=1)
            side = 8 if value >= 0 else -8
            ha = "left" if value >= 0 else "right"
            sheet.text(middle + span + side, y, f"{value:.2f}".replace("-", "−"), size=13, ha=ha)
    loss = -np.log(chances[1])
    sheet.text(480, 284, f"loss l = −Σ t log p = −log {chances[1]:.2f} = {loss:.2f}", size=17)
    if found := numbers.check("gradient less"):
        sheet.text(926, 284, f"less autograd: {found}", size=13, ha="right", color=GREEN)


def batches(sheet: Sheet, numbers: Measurements) -> None:
    """Means of |S| gradients around the mean of all, and their variance."""
    rng = np.random.default_rng(0)
    single = rng.normal((1.0, 0.55), 1.6, (4096, 2))
    whole = single.mean(0)
    for i, size in enumerate((1, 16, 128)):
        axes = sheet.plot(40 + 190 * i, 44, 160, 190, title=f"|S| = {size}")
        for _ in range(36):
            mean = single[rng.choice(4096, size, replace=False)].mean(0)
            axes.plot([0, mean[0]], [0, mean[1]], color=BLUE, alpha=0.35, linewidth=1.4)
        axes.annotate("", whole, (0, 0), arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 2.6})
        axes.set_xlim(-2.4, 3.6)
        axes.set_ylim(-2.6, 3.2)
        axes.set_xticks([])
        axes.set_yticks([])
    sheet.text(300, 262, "blue: gradients of mini-batches; red: the gradient of all examples", size=13.5)
    sizes = 2 ** np.arange(0, 11)
    found = [single[rng.integers(0, 4096, (200, n))].mean(1).var(0).sum() for n in sizes]
    axes = sheet.plot(680, 44, 240, 190, x_title="|S|", title="their variance: ∝ 1 / |S|")
    sheet.logarithmic(axes, x=True, y=True)
    axes.plot(sizes, found, "o-", color=BLUE, markersize=5)
    slope = numbers.mean("gradients", "slope")
    if slope is not None:
        sheet.text(800, 292, f"slope measured on a real net: {number(slope)}", color=GREEN, weight="bold")


def descent(momentum: float, lr: float, steps: int) -> np.ndarray:
    """Where ``torch.optim.SGD`` goes on a ravine, ten times as steep in y as in x: (steps + 1, 2)."""
    import torch

    w = torch.tensor([-4.0, 1.2], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr, momentum=momentum)
    way = [w.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (w[0] ** 2 + 20 * w[1] ** 2)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        way.append(w.detach().numpy().copy())
    return np.array(way)


def ravine(sheet: Sheet, numbers: Measurements) -> None:
    """The same ravine with and without momentum, each at a good rate of its own."""
    x, y = np.meshgrid(np.linspace(-4.6, 2, 60), np.linspace(-1.6, 1.6, 60))
    for i, (title, momentum, lr, colour) in enumerate(
        (("plain", 0.0, 0.092, RED), ("with momentum, κ = 0.7", 0.7, 0.06, BLUE))
    ):
        way = descent(momentum, lr, 60)
        far = np.linalg.norm(way, axis=1)
        needed = int(np.flatnonzero(far > 0.04)[-1]) + 1
        axes = sheet.plot(
            40 + 465 * i, 44, 420, 200, title=f"{title}: {needed} steps to 1 % of the way" if needed <= 60 else title
        )
        axes.contour(x, y, 0.5 * (x**2 + 20 * y**2), levels=[0.3, 1, 2.5, 5, 9, 15], colors=[FAINT], linewidths=0.9, alpha=0.7)
        axes.plot(*way.T, "o-", color=colour, markersize=4, linewidth=1.6)
        axes.plot(0, 0, "*", color=ORANGE, markersize=18, zorder=5)
        axes.set_xticks([])
        axes.set_yticks([])
    sheet.text(480, 276, "Δ ← κΔ + ∇L,   w ← w − γΔ", size=17)
    if (effect := numbers.effect("steps")) and effect.estimate is not None:
        sheet.text(
            480, 304, f"measured, {effect.name}: {number(effect.estimate)}{' ×' if effect.unit == 'x' else ''}", color=GREEN
        )


def schedules(sheet: Sheet, numbers: Measurements) -> None:
    """Learning rates over a training: constant, in steps, and a cosine with a warm-up."""
    t = np.linspace(0, 1, 401)
    steps = np.where(t < 0.5, 1, np.where(t < 0.75, 0.1, 0.01))
    cosine = np.where(t < 0.05, t / 0.05, 0.5 * (1 + np.cos(np.pi * (t - 0.05) / 0.95)))
    axes = sheet.plot(80, 30, 540, 240, x_title="share of the training", y_title="learning rate, of the first")
    for name, values, colour, style in (
        ("constant", np.ones_like(t), FAINT, "-"),
        ("steps", steps, BLUE, "--"),
        ("cosine", cosine, ORANGE, "-"),
    ):
        axes.plot(t, values, style, color=colour, label=name)
    axes.legend(loc="lower left")
    axes.set_ylim(0, 1.12)


def stages(sheet: Sheet, numbers: Measurements) -> None:
    """Image → [Conv – ReLU] → (Pool) → [Conv – ReLU] → (Pool) → FC → Softmax."""
    colours = {"Conv": BLUE, "ReLU": ORANGE, "Pool": GREEN, "FC": PINK, "Softmax": RED}
    row = ("Conv", "ReLU", "Pool", "Conv", "ReLU", "Pool", "FC", "Softmax")
    size = 120.0
    x = 20.0
    sheet.square(x, 120 - size / 2, 22, size, fill=tint(FAINT, 0.3))
    sheet.text(x + 11, 204, "image", size=13)
    x += 22
    for name in row:
        sheet.arrow((x, 120), (x + 22, 120))
        x += 22
        size = size * 0.62 if name == "Pool" else 30 if name in ("FC", "Softmax") else size
        width = {"Conv": 54, "ReLU": 44, "Pool": 46, "FC": 34, "Softmax": 62}[name]
        height = 110 if name in ("FC", "Softmax") else max(44, size)
        sheet.box(x, 120 - height / 2, width, height, name, colour=colours[name], size=12.5)
        x += width
    meaning = {"Conv": "1. convolution", "ReLU": "2. nonlinearity", "Pool": "3. pooling", "FC": "4. fully connected"}
    for i, (name, words) in enumerate(meaning.items()):
        sheet.circle(36 + 152 * i, 246, 8, fill=tint(colours[name], 0.6), edgecolor=colours[name])
        sheet.text(50 + 152 * i, 246, words, ha="left", size=13)


SLIDES = {
    "A11": Slide(
        forgetting,
        "A weight that no gradient holds, over steps of weight decay, for three strengths λ: half is left after ln 2 / (γλ).",
    ),
    "B14": Slide(
        softmax,
        "Four scores, the probabilities that softmax makes of them, the target with a one at its class, and their difference, "
        "which is the gradient of the cross-entropy; all computed.",
        height=310,
    ),
    "B15": Slide(
        batches,
        "Gradients of mini-batches of 1, 16 and 128 examples around the gradient of all of them, simulated, and their "
        "variance, which falls as one over the size of the batch.",
        height=316,
    ),
    "B16": Slide(
        ravine,
        "The way of stochastic gradient descent through a ravine, without momentum in zigzags and with momentum, by torch's "
        "own optimiser.",
        height=324,
    ),
    "B17": Slide(
        schedules,
        "Three learning rates over a training: constant, falling to a tenth at a half and at three quarters, and a cosine.",
        has_panel=True,
    ),
    "B19": Slide(
        stages,
        "A typical net of the lecture: convolution and ReLU, pooling, the same again, a fully connected layer, softmax.",
        has_panel=True,
        height=270,
    ),
}
