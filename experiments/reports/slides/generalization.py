"""What improves generalisation: augmentation, dropout, weight decay, sparsity, several tasks at once."""

from __future__ import annotations

import numpy as np

from .numbers import Measurements
from .scenes import mask, scene
from .sheet import BLUE, DASH, FAINT, GREEN, ORANGE, PINK, RED, Sheet, tint
from .slide import Slide


def augmented(sheet: Sheet, numbers: Measurements) -> None:
    """A scene, and what augmentation makes of it."""
    from scipy.ndimage import rotate

    image = scene(3)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 0.12, image.shape), 0, 1)
    kinds = {
        "flip": image[:, ::-1],
        "shift": np.roll(image, (5, -7), (0, 1)),
        "noise": noisy,
        "turn": np.clip(rotate(image, 14, reshape=False, mode="reflect", order=1), 0, 1),
        "crop": np.kron(image[10:42, 8:40], np.ones((2, 2, 1))),
        "light": np.clip(image * 1.45, 0, 1),
    }
    sheet.image(image, 24, 90, 140, 140)
    sheet.text(94, 252, "one image", size=15)
    for i, (name, pixels) in enumerate(kinds.items()):
        x, y = 270 + 124 * (i % 3), 28 + 144 * (i // 3)
        sheet.image(pixels, x, y, 108, 108)
        sheet.text(x + 54, y + 122, name, size=14)
    sheet.arrow((176, 160), (256, 160), width=2.4)
    sheet.text(94, 274, "the same label for all", size=13, color=BLUE)


def dropped(sheet: Sheet, numbers: Measurements) -> None:
    """The same net whole, and with half of its hidden units gone for one step."""
    rng = np.random.default_rng(3)
    layers = [4, 6, 6, 3]
    gone = [(i, j) for i in (1, 2) for j in rng.permutation(6)[:3]]
    for i, (title, missing) in enumerate((("without dropout", []), ("with dropout, p = ½, at one step", gone))):
        sheet.text(150 + 326 * i, 22, title, size=15, weight="bold")
        sheet.network(layers, 40 + 326 * i, 44, 220, 220, radius=13, dropped=missing)
    sheet.text(313, 294, "each step drops other units, along with their connections; tests use all of them", size=13)


def norms(sheet: Sheet, numbers: Measurements) -> None:
    """Where a loss touches the ball of each norm: L1 at a corner, where a weight is zero."""
    x, y = np.meshgrid(np.linspace(-1.6, 2.4, 120), np.linspace(-1.6, 2.4, 120))
    best = np.array([0.7, 1.7])
    loss = (x - best[0]) ** 2 * 0.9 + (y - best[1]) ** 2 * 1.6
    t = np.linspace(0, 2 * np.pi, 721)
    for i, (name, power, colour) in enumerate(
        (("L2: all weights shrink", 2, BLUE), ("L1: some weights become zero", 1, ORANGE))
    ):
        axes = sheet.plot(40 + 310 * i, 40, 262, 240, title=name)
        radius = (np.abs(np.cos(t)) ** power + np.abs(np.sin(t)) ** power) ** (-1 / power)
        ball = np.stack([radius * np.cos(t), radius * np.sin(t)], 1)
        values = (ball[:, 0] - best[0]) ** 2 * 0.9 + (ball[:, 1] - best[1]) ** 2 * 1.6
        touch = ball[values.argmin()]
        axes.contour(x, y, loss, levels=sorted({0.12, 0.5, float(values.min()), 2.0, 3.4}), colors=[FAINT], linewidths=1)
        axes.fill(*ball.T, color=colour, alpha=0.3)
        axes.plot(*touch, "o", color=RED, markersize=10, zorder=5)
        axes.plot(*best, "*", color=GREEN, markersize=15)
        axes.axhline(0, color=FAINT, linewidth=1)
        axes.axvline(0, color=FAINT, linewidth=1)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(name, fontsize=13.5)
    sheet.text(330, 306, "star: the least loss alone; dot: with the norm held, computed", size=13)


def sparse(sheet: Sheet, numbers: Measurements) -> None:
    """Codes of several images over the same hidden units: dense ones, and sparse ones."""
    rng = np.random.default_rng(1)
    for i, (title, share, colour) in enumerate(
        (("dense: most units answer", 0.75, BLUE), ("sparse: few units answer", 0.15, ORANGE))
    ):
        x = 60 + 310 * i
        sheet.text(x + 126, 22, title, size=15, weight="bold")
        on = rng.random((8, 14)) < share
        strength = on * rng.uniform(0.35, 0.9, on.shape)
        for r in range(8):
            for c in range(14):
                fill = tint(colour, float(strength[r, c])) if on[r, c] else "none"
                sheet.square(x + 18 * c, 48 + 24 * r, 18, 24, fill=fill, edgecolor=FAINT, linewidth=0.7)
        sheet.text(x + 126, 262, f"{100 * on.mean():.0f} % of the units are on", size=13.5)
    sheet.text(36, 144, "images", size=13.5, rotation=90)
    sheet.text(340, 290, "a row is an image's code, a column a hidden unit", size=13)


def several(sheet: Sheet, numbers: Measurements) -> None:
    """One backbone, three heads, and a sum of losses."""
    image, object_ = scene(3), mask(3)
    rows, columns = np.flatnonzero(object_.any(1)), np.flatnonzero(object_.any(0))
    sheet.image(image, 20, 92, 116, 116)
    sheet.arrow((140, 150), (168, 150))
    sheet.box(170, 104, 150, 92, "backbone,\nshared", colour=BLUE, size=15)
    for i, (name, colour) in enumerate((("class", GREEN), ("box", ORANGE), ("mask", PINK))):
        y = 46 + 104 * i
        sheet.arrow((320, 150), (372, y + 18))
        sheet.box(374, y, 80, 38, f"{name} head", colour=colour, size=12.5)
        sheet.arrow((454, y + 19), (482, y + 19))
        if name == "class":
            sheet.text(522, y + 19, "“star”", size=16)
            continue
        sheet.image(image if name == "box" else object_.astype(float), 486, y - 24, 84, 84)
        if name == "box":
            left, top = 486 + 84 * columns[0] / 64, y - 24 + 84 * rows[0] / 64
            wide, high = 84 * (columns[-1] - columns[0]) / 64, 84 * (rows[-1] - rows[0]) / 64
            sheet.square(left, top, wide, high, edgecolor=ORANGE, linewidth=2.6, zorder=9)
    sheet.text(156, 238, "L = L(class) + λ L(box) + μ L(mask)", size=14)
    sheet.arrow((270, 262), (60, 262), colour=RED, linestyle=DASH)
    sheet.text(164, 282, "all three gradients train the backbone", size=13, color=RED)


SLIDES = {
    "C01": Slide(
        augmented,
        "A drawn scene, and six images that augmentation makes of it: flipped, shifted, with noise, turned, cropped, lighter.",
        has_panel=True,
    ),
    "C02": Slide(
        dropped,
        "A net as it is, and the same net at a step with dropout: half of its hidden units are crossed out, and their "
        "connections are gone.",
        has_panel=True,
    ),
    "C03": Slide(
        norms,
        "Contours of a loss with the ball of the L2 norm and with that of the L1 norm: the L2 ball is touched at its side, the "
        "L1 ball at a corner, where a weight is zero.",
        has_panel=True,
        height=326,
    ),
    "C04": Slide(
        sparse,
        "Codes of eight images over fourteen hidden units: dense ones, in which most units are on, and sparse ones, in which "
        "few are.",
        has_panel=True,
        height=310,
    ),
    "C05": Slide(
        several,
        "A drawn scene, a shared backbone, and three heads: for the class, for the box, which is drawn around the object, and "
        "for the mask.",
        has_panel=True,
    ),
}
