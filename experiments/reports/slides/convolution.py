"""The filter that slides, the volume that comes of it, pooling, and the fully connected layer at the end: all computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, PINK, RED, SKY, Sheet, solid, tint
from .slide import Slide

MapValues = NDArray[np.float64]
FILTER = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]])


def numbered(height: int, width: int, seed: int = 2) -> MapValues:
    """Small whole numbers, the same ones each time."""
    return np.random.default_rng(seed).integers(0, 4, (height, width)).astype(float)


def slid(image: MapValues, kernel: MapValues, stride: int) -> MapValues:
    """The convolution (as nets have it, without turning the kernel), by ``torch.nn.functional``."""
    import torch
    import torch.nn.functional as F

    found: MapValues = F.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None], stride=stride)[0, 0].numpy()
    return found


def sliding(sheet: Sheet, numbers: Measurements) -> None:
    """A 3 × 3 filter on 7 × 7 pixels, by steps of one and of two."""
    image = numbered(7, 7)
    for i, stride in enumerate((1, 2)):
        x, size = 24 + 480 * i, 30
        out = slid(image, FILTER, stride)
        sheet.text(x + 220, 20, f"stride S = {stride}", size=16, weight="bold")
        sheet.grid(x, 44, size, image, colour=FAINT)
        for j, colour in enumerate((ORANGE, GREEN)):
            sheet.square(x + j * stride * size, 44, 3 * size, 3 * size, edgecolor=colour, linewidth=3.2, zorder=4)
        sheet.text(x + 105, 272, "W₁ = 7, F = 3", size=14)
        side = 200 / 7 if stride == 1 else 36
        left = x + 268
        sheet.arrow((x + 220, 140), (left - 8, 140))
        sheet.grid(left, 44 + (30 if stride == 2 else 0), side, out)
        for j, colour in enumerate((ORANGE, GREEN)):
            sheet.square(
                left + j * side, 44 + (30 if stride == 2 else 0), side, side, edgecolor=colour, linewidth=3.2, zorder=4
            )
        sheet.text(left + 76, 272, f"W₂ = (7 − 3) / {stride} + 1 = {out.shape[1]}", size=14, weight="bold", color=BLUE)
    if found := numbers.check("columns for W = 32"):
        sheet.text(480, 302, f"computed for W₁ = 32, F = 5, S = 1: {found}", color=GREEN, size=14)
    else:
        sheet.text(480, 302, "W₂ = (W₁ − F) / S + 1, H₂ likewise, and as deep as there are filters: D₂ = K", size=14)


def stacking(sheet: Sheet, numbers: Measurements) -> None:
    """K filters on one volume: K feature maps, stacked along depth."""
    colours = (BLUE, ORANGE, GREEN, PINK, RED, SKY)
    sheet.volume(50, 92, 170, 170, 40, FAINT)
    sheet.text(135, 286, "32 × 32 × 3", size=15)
    sheet.volume(110, 140, 40, 40, 40, ORANGE)
    sheet.text(130, 206, "5 × 5 × 3", color=ORANGE)
    for k, colour in enumerate(colours):
        y = 46 + 42 * k
        sheet.arrow((178, 142), (352, y + 8), colour=FAINT, width=1)
        sheet.box(356, y - 8, 108, 32, f"filter {k + 1}", colour=colour)
        x, top = 560 + 40 * k, 130 - 16 * k
        sheet.polygon(
            (x, top), (x + 34, top - 26), (x + 34, top + 124), (x, top + 150), fill=solid(colour), edgecolor=colour, zorder=3
        )
    sheet.arrow((476, 152), (540, 152), width=2.2)
    sheet.text(690, 300, "28 × 28 × 6: each slice is a feature map, by one filter everywhere", size=14)
    if found := numbers.check("depth of the output"):
        sheet.text(560, 40, f"computed depth: {found}", color=GREEN, weight="bold", size=14)


def pooling(sheet: Sheet, numbers: Measurements) -> None:
    """Windows of 2 × 2 of a map, and the greatest, the mean and the least of each, by torch."""
    import torch
    import torch.nn.functional as F

    image = np.array([[1.0, 3, 2, 0], [5, 7, 1, 1], [0, 2, 8, 4], [2, 0, 4, 4]])
    maps = torch.tensor(image)[None, None]
    found = {"max": F.max_pool2d(maps, 2), "average": F.avg_pool2d(maps, 2), "min": -F.max_pool2d(-maps, 2)}
    colours = (BLUE, ORANGE, GREEN, PINK)
    fills = [[tint(colours[i // 2 * 2 + j // 2], 0.3) for j in range(4)] for i in range(4)]
    sheet.text(124, 22, "a feature map", size=15)
    sheet.grid(24, 50, 50, image, fills=fills)
    sheet.text(124, 276, "windows of 2 × 2, stride 2", size=14)
    small = [[tint(colours[2 * i + j], 0.3) for j in range(2)] for i in range(2)]
    for i, (name, values) in enumerate(found.items()):
        y = 36 + 92 * i
        sheet.arrow((232, 150), (392, y + 36), width=1.4)
        sheet.grid(484, y, 36, values[0, 0].numpy(), fills=small)
        sheet.text(472, y + 36, name, ha="right", size=16, weight="bold")
    sheet.text(520, 316, "half as wide, half as high", size=13)


def flattening(sheet: Sheet, numbers: Measurements) -> None:
    """Maps in one column, times a matrix: scores, and their softmax."""
    rng = np.random.default_rng(4)
    maps = rng.integers(0, 5, (2, 3, 3)).astype(float)
    weights = rng.normal(0, 0.16, (4, 18))
    scores = weights @ maps.reshape(-1)
    chances = np.exp(scores) / np.exp(scores).sum()
    for i, values in enumerate(maps):
        sheet.grid(30, 40 + 124 * i, 34, values, colour=(BLUE, ORANGE)[i])
    sheet.text(82, 292, "two feature maps", size=14)
    sheet.arrow((148, 152), (232, 152))
    sheet.text(190, 134, "vectorise", size=13)
    column = maps.reshape(-1)
    for i, value in enumerate(column):
        sheet.square(
            240, 12 + 15 * i, 26, 15, fill=tint((BLUE, ORANGE)[i // 9], 0.1 + 0.12 * value), edgecolor=FAINT, linewidth=0.8
        )
        for k in range(4):
            sheet.line((266, 19.5 + 15 * i), (420, 62 + 60 * k), colour=FAINT, width=0.6, alpha=0.6, zorder=1)
    for k in range(4):
        sheet.circle(434, 62 + 60 * k, 15, fill=solid(BLUE), edgecolor=BLUE)
        sheet.text(484, 62 + 60 * k, f"y{'₁₂₃₄'[k]} = {scores[k]:.2f}", size=13, ha="center")
        sheet.square(640, 50 + 60 * k, 230 * chances[k], 24, fill=tint(GREEN, 0.7), linewidth=0)
        sheet.text(646 + 230 * chances[k], 62 + 60 * k, f"p = {chances[k]:.2f}", ha="left", size=13)
    sheet.text(340, 304, "fully connected", size=14)
    sheet.arrow((530, 152), (630, 152))
    sheet.text(580, 134, "softmax", size=13)
    sheet.text(760, 304, "probabilities that sum to 1", size=14)
    if found := numbers.check("vectorise and multiply"):
        sheet.text(760, 22, f"less a full-size convolution: {found}", color=GREEN, size=14)


SLIDES = {
    "B08": Slide(
        sliding,
        "A filter of 3 × 3 slides over 7 × 7 pixels, its first two places marked, by steps of one and of two; beside each the "
        "output, computed, with 5 and 3 columns as the formula has it.",
    ),
    "B10": Slide(
        stacking,
        "An image as a volume, six filters that look at the same part of it, and their six feature maps, stacked along depth.",
    ),
    "B18": Slide(
        pooling,
        "A map of 4 × 4 numbers in four windows, and the greatest, the mean and the least number of each, computed.",
        has_panel=True,
        height=330,
    ),
    "B20": Slide(
        flattening,
        "Two feature maps, laid out as one column, a fully connected layer to four scores, and their softmax, computed.",
    ),
}
