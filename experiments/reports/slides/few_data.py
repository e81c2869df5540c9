"""Few data: transfer, tasks without labels, the curse of dimensionality, and what more data bring."""

from __future__ import annotations

import numpy as np

from .numbers import Measurements
from .scenes import scene
from .sheet import BLUE, FAINT, GREEN, ORANGE, RED, Sheet, tint
from .slide import Slide

WIDE = ("star", "circle", "square", "triangle", "ring")
NEW = ("cross",)


def transferred(sheet: Sheet, numbers: Measurements) -> None:
    """A net that was trained on many images lends its layers to a task with few."""
    for row, (title, names, classes) in enumerate(
        (("many images of other classes", WIDE, "5 classes"), ("few images of the task", NEW * 2, "new classes"))
    ):
        y = 40 + 160 * row
        sheet.text(20, y - 18, title, ha="left", size=14, weight="bold")
        for i, name in enumerate(names):
            shift = 14 * i if row == 0 else 54 * i
            sheet.image(scene(i, name=name), 20 + shift, y + (8 * i if row == 0 else 4), 50, 50)
        for j in range(3):
            sheet.box(190 + 98 * j, y + 6, 82, 68, f"layer {j + 1}", colour=BLUE, size=14)
            sheet.arrow((172 + 98 * j, y + 40), (190 + 98 * j, y + 40))
        sheet.arrow((468, y + 40), (486, y + 40))
        sheet.box(488, y + 6, 108, 68, f"head:\n{classes}", colour=GREEN if row else FAINT, size=14)
    for j in range(3):
        sheet.arrow((231 + 98 * j, 118), (231 + 98 * j, 202), colour=ORANGE, width=2.2)
    sheet.text(20, 150, "weights are copied,\nthen fine-tuned", size=13.5, color=ORANGE, ha="left")
    sheet.text(542, 160, "fresh", size=13.5, color=GREEN)


def pretexts(sheet: Sheet, numbers: Measurements) -> None:
    """Two tasks that need no labels: to give the image back, and to tell how far it was turned."""
    image = scene(3)
    sheet.text(20, 20, "an autoencoder gives the image back", ha="left", size=14, weight="bold")
    sheet.image(image, 20, 40, 92, 92)
    sheet.polygon((140, 42), (236, 66), (236, 106), (140, 130), fill=tint(BLUE, 0.25), edgecolor=BLUE)
    sheet.text(188, 86, "encoder", size=13.5)
    sheet.square(254, 66, 22, 40, fill=tint(ORANGE, 0.6), edgecolor=ORANGE)
    sheet.text(265, 126, "code", size=13, color=ORANGE)
    sheet.polygon((294, 66), (390, 42), (390, 130), (294, 106), fill=tint(FAINT, 0.25), edgecolor=FAINT)
    sheet.text(342, 86, "decoder", size=13.5)
    for start, end in ((114, 138), (238, 252), (278, 292), (392, 418)):
        sheet.arrow((start, 86), (end, 86))
    sheet.image(image, 422, 40, 92, 92)
    sheet.text(20, 164, "how far was it turned?", ha="left", size=14, weight="bold")
    for i in range(4):
        sheet.image(np.rot90(image, i), 20 + 84 * i, 184, 74, 74)
        sheet.text(57 + 84 * i, 272, f"{90 * i}°", size=13.5)
    sheet.arrow((362, 222), (398, 222))
    sheet.polygon((400, 184), (496, 204), (496, 240), (400, 260), fill=tint(BLUE, 0.25), edgecolor=BLUE)
    sheet.text(448, 222, "encoder", size=13.5)
    sheet.arrow((498, 222), (526, 222))
    sheet.text(576, 222, "0, 90, 180,\n270 degrees?", size=13)
    sheet.text(310, 302, "then the encoder is kept, and a classifier is trained on its code with few labels", size=13)


def curse(sheet: Sheet, numbers: Measurements) -> None:
    """Cells of a tenth to a side, and how far the nearest neighbour is, by the number of dimensions; computed."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (20, 2))
    sheet.text(130, 20, "1 dimension: 10 cells", size=14)
    for j in range(10):
        filled = any(int(10 * px) == j for px, _ in points)
        sheet.square(20 + 22 * j, 36, 22, 22, fill=tint(BLUE, 0.4) if filled else "none", edgecolor=FAINT)
    sheet.text(130, 84, "2 dimensions: 100 cells, 20 points", size=14)
    cells = {(int(10 * px), int(10 * py)) for px, py in points}
    for i in range(10):
        for j in range(10):
            fill = tint(BLUE, 0.4) if (i, j) in cells else "none"
            sheet.square(20 + 19 * i, 100 + 17 * j, 19, 17, fill=fill, edgecolor=FAINT, linewidth=0.7)
    sheet.text(116, 294, "d dimensions: 10ᵈ cells", size=14)
    dimensions = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256])
    shares = []
    for d in dimensions:
        cloud = rng.uniform(0, 1, (100, d))
        apart = np.linalg.norm(cloud[:, None] - cloud[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        nearest = apart.min(1)
        np.fill_diagonal(apart, 0)
        shares.append((nearest / apart.max(1)).mean())
    axes = sheet.plot(340, 50, 280, 200, x_title="dimensions", title="nearest ÷ farthest of 100 points")
    sheet.logarithmic(axes, x=True)
    axes.plot(dimensions, shares, "o-", color=RED)
    axes.set_ylim(0, 1)


def more(sheet: Sheet, numbers: Measurements) -> None:
    """A sketch: over more images a net's error falls on, and that of a classifier on fixed features levels off."""
    counts = np.logspace(2, 5, 60)
    net, fixed = 0.9 * (counts / 100) ** -0.42 + 0.01, 0.5 * (counts / 100) ** -0.3 + 0.16
    axes = sheet.plot(90, 36, 500, 216, x_title="labelled images", y_title="error", title="a sketch of the claim, not measured")
    sheet.logarithmic(axes, x=True)
    axes.plot(counts, fixed, "--", color=ORANGE, label="fixed features, linear classifier")
    axes.plot(counts, net, color=BLUE, label="ConvNet")
    axes.fill_between(counts, net, fixed, where=net < fixed, color=GREEN, alpha=0.15)
    axes.text(3e4, 0.12, "the gap grows", color=GREEN, ha="center")
    axes.set_yticks([])
    axes.legend(loc="upper right")


SLIDES = {
    "C06": Slide(
        transferred,
        "Above, a net that is trained on many images of other classes; below, a net that begins with its layers, has a fresh "
        "head and is fine-tuned on few images.",
        has_panel=True,
        height=300,
    ),
    "C07": Slide(
        pretexts,
        "Two tasks that need no labels: an autoencoder that gives the image back from a small code, and a net that tells by "
        "how much the image was turned.",
        has_panel=True,
    ),
    "C08": Slide(
        curse,
        "Twenty points fill most cells of a line and few of a square; and the nearest of 100 points is nearly as far as the "
        "farthest when there are many dimensions, computed.",
        has_panel=True,
    ),
    "C09": Slide(
        more,
        "A sketch of the claim: over more labelled images the error of a ConvNet falls further than that of a linear "
        "classifier on fixed features.",
        has_panel=True,
    ),
}
