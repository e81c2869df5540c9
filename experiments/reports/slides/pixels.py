"""Pixels: what their values mean, how alike neighbours are, and what happens when the object moves or turns."""

from __future__ import annotations

import numpy as np

from .numbers import Measurements
from .scenes import digit, grey, scene
from .sheet import BLUE, FAINT, GREEN, ORANGE, RED, Sheet
from .slide import Slide


def moved(sheet: Sheet, numbers: Measurements) -> None:
    """The same scene as it is, shifted and turned."""
    image = scene(3)
    kinds = {"as trained": image, "shifted by 8 pixels": np.roll(image, (6, 8), (0, 1)), "turned by 90°": np.rot90(image)}
    for i, (name, pixels) in enumerate(kinds.items()):
        x = 24 + 212 * i
        sheet.image(pixels, x, 44, 170, 170)
        sheet.text(x + 85, 24, name, size=15, weight="bold")
    sheet.text(236 + 85, 246, "position: nearly\nthe same to a CNN", size=13.5, color=BLUE)
    sheet.text(448 + 85, 246, "orientation: another\nimage to it", size=13.5, color=RED)


def values(sheet: Sheet, numbers: Measurements) -> None:
    """From 0 to 255, as a file of 8 bits has it, and a digit with its stored numbers."""
    sheet.text(300, 22, "a grey pixel of 8 bits", size=16, weight="bold")
    sheet.image(np.linspace(0, 1, 256)[None], 30, 50, 540, 70)
    for value in (0, 64, 128, 192, 255):
        sheet.text(30 + 540 * value / 255, 140, value, size=14)
    sheet.text(30, 166, "black", ha="left", size=15, weight="bold", color=BLUE)
    sheet.text(570, 166, "white", ha="right", size=15, weight="bold", color=BLUE)
    sheet.text(300, 204, "the slide has it the other way round: “0: white, 255: black”", size=15, color=RED)
    sheet.text(300, 240, "MNIST stores ink as 255, so its digits are white on black", size=14)
    if found := numbers.lines:
        sheet.text(300, 272, f"computed: {found[0]}"[:84], size=12.5, color=GREEN)
    seven = digit(7)
    sheet.image(seven, 640, 44, 128, 128)
    for i, row in enumerate(seven):
        for j, value in enumerate(row):
            sheet.text(794 + 19.5 * j, 52 + 16 * i, round(255 * value), size=8.5)
    sheet.text(704, 192, "a digit …", size=14)
    sheet.text(864, 192, "… as it is stored", size=14)


def correlation(distances: range = range(33)) -> np.ndarray:
    """Of two pixels of drawn scenes this far apart, along rows: over scenes of six classes, without each scene's mean."""
    names = ("star", "circle", "square", "triangle", "cross", "ring")
    images = [grey(scene(i, name=name, clutter=0.5, noise=0.02)) for i, name in enumerate(names)]
    flat = np.stack([image - image.mean() for image in images])
    variance = (flat**2).mean()
    return np.array([(flat[:, :, : 64 - d] * flat[:, :, d:]).mean() / variance for d in distances])


def neighbours(sheet: Sheet, numbers: Measurements) -> None:
    sheet.text(150, 20, "near pixels are alike, far ones are not", size=15)
    sheet.image(scene(3), 40, 44, 220, 220)
    for x, y, colour, far in ((140, 130, BLUE, 10), (90, 222, ORANGE, 150)):
        sheet.line((x, y), (x + far, y), colour=colour, width=2.4, zorder=5)
        for place in (x, x + far):
            sheet.circle(place, y, 5, fill=colour, edgecolor="white", zorder=6)
    axes = sheet.plot(346, 44, 270, 206, x_title="distance, pixels", title="correlation in drawn scenes")
    found = correlation()
    axes.plot(range(len(found)), found, color=BLUE)
    axes.axhline(0, color=FAINT, linewidth=1)
    axes.plot([1], [found[1]], "o", color=ORANGE, markersize=9)
    axes.text(2.4, found[1], f"neighbours: {found[1]:.2f}", va="center", color=ORANGE)
    axes.set_ylim(min(-0.2, float(found.min())), 1.08)


SLIDES = {
    "B01": Slide(
        moved,
        "A drawn scene as it is, shifted by some pixels, and turned by a quarter: the first two are nearly the same to a "
        "convolutional net, the third is not.",
        has_panel=True,
        height=284,
    ),
    "B02": Slide(
        values,
        "Grey values from 0, which is black, to 255, which is white; and a written digit beside the numbers that are stored "
        "for it.",
        height=290,
    ),
    "B07": Slide(
        neighbours,
        "A drawn scene with two pixels that are near and two that are far from each other, and the correlation of grey values "
        "over their distance, computed on drawn scenes.",
        has_panel=True,
        height=310,
    ),
}
