"""What filters look for and how far they see: Gabor filters, growing receptive fields, and maps of what a net looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .numbers import Measurements
from .scenes import mask, scene
from .sheet import BLUE, FAINT, ORANGE, Sheet, tint
from .slide import Slide


def field_of(kernels: Sequence[int]) -> int:
    """Pixels, to a side, that a unit sees behind convolutions of these sizes with stride 1."""
    return 1 + sum(kernel - 1 for kernel in kernels)


def pyramid(sheet: Sheet, x: float, y: float, width: float, kernels: Sequence[int], colour: str, gap: float = 62) -> None:
    """A unit at the top, and all that it sees, layer by layer, down to the pixels at the bottom."""
    wide = field_of(kernels)
    size = width / (wide + 2)
    seen = 1
    counts = []
    for kernel in (*reversed(kernels), 1):
        counts.append(seen)
        seen += kernel - 1
    for i, count in enumerate(counts):
        cells = wide + 2 - 2 * (len(counts) - 1 - i) * 0
        for j in range(cells):
            inside = abs(j - (cells - 1) / 2) <= (count - 1) / 2
            fill = tint(colour, 0.55) if inside else tint(FAINT, 0.1)
            sheet.square(x + j * size, y + i * gap, size, size * 0.8, fill=fill, edgecolor=FAINT, linewidth=0.7)
        if i + 1 < len(counts):
            middle = x + cells * size / 2
            for sign in (-1, 1):
                start = (middle + sign * count * size / 2, y + i * gap + size * 0.8)
                end = (middle + sign * counts[i + 1] * size / 2, y + (i + 1) * gap)
                sheet.line(start, end, colour=colour, width=1.4)


def stacked(sheet: Sheet, numbers: Measurements) -> None:
    """Filters of a first layer, as Gabor functions are, and the field that grows from layer to layer."""
    from skimage.filters import gabor_kernel

    sheet.text(150, 20, "simple filters: Gabor functions", size=15)
    for i, frequency in enumerate((0.12, 0.2)):
        for j in range(4):
            kernel = np.real(gabor_kernel(frequency, theta=np.pi * j / 4, sigma_x=3, sigma_y=3, n_stds=3))
            middle = kernel.shape[0] // 2
            tile = kernel[middle - 7 : middle + 8, middle - 7 : middle + 8]
            span = np.abs(tile).max()
            sheet.image(tile, 20 + 68 * j, 44 + 76 * i, 60, 60, vmin=-span, vmax=span)
    sheet.text(150, 222, "stacked, they see more and more:", size=14)
    sheet.text(150, 246, "layer n of 3 × 3 filters sees 2n + 1 pixels", size=14)
    pyramid(sheet, 330, 60, 300, (3, 3, 3), BLUE)
    for i, words in enumerate(("layer 3: 1", "layer 2: 3", "layer 1: 5", f"pixels: {field_of((3, 3, 3))}")):
        sheet.text(480, 50 + 62 * i, words, size=12)
    sheet.text(480, 294, "receptive field of one unit of layer 3", size=14, color=BLUE)


def occlusion(sheet: Sheet, numbers: Measurements) -> None:
    """A square that slides over a scene, and how much of the object it hides at each place, computed from the mask."""
    image, object_ = scene(3), mask(3)
    side = 16
    places = ((4, 4), (24, 24), (44, 10))
    sheet.text(150, 20, "a grey square hides a part of the image …", size=14)
    for i, (top, left) in enumerate(places):
        hidden = image.copy()
        hidden[top : top + side, left : left + side] = 0.5
        sheet.image(hidden, 20 + 122 * i, 44, 112, 112)
        share = object_[top : top + side, left : left + side].sum() / object_.sum()
        sheet.text(76 + 122 * i, 172, f"hides {100 * share:.0f} % of it", size=12)
    steps = range(0, 64 - side + 1, 4)
    shares = np.array([[object_[y : y + side, x : x + side].sum() / object_.sum() for x in steps] for y in steps])
    sheet.text(500, 20, "… where it hides the object, the score falls", size=14)
    sheet.image(shares, 430, 44, 140, 140, vmax=shares.max(), cmap="cividis")
    sheet.text(500, 204, "share of the object hidden, by place", size=12)
    rows = (
        "occlusion: hide a part, see how the score changes",
        "deconvnet, guided backpropagation, gradient: from the score back to pixels",
        "activation maximisation: an image that excites a unit most",
    )
    for i, row in enumerate(rows):
        sheet.circle(28, 236 + 28 * i, 5, fill=BLUE, edgecolor=BLUE)
        sheet.text(42, 236 + 28 * i, row, ha="left", size=13.5)


def stacks(sheet: Sheet, numbers: Measurements) -> None:
    """Two 3 × 3 convolutions see what one of 5 × 5 sees, with fewer weights."""
    for i, (kernels, colour) in enumerate((((3, 3), BLUE), ((5,), ORANGE))):
        x = 24 + 330 * i
        sheet.text(x + 140, 22, "VGG: two of 3 × 3" if i == 0 else "one of 5 × 5", size=16, weight="bold")
        pyramid(sheet, x, 50, 280, kernels, colour, gap=72 if i == 0 else 144)
        sheet.text(x + 140, 254, f"sees {field_of(kernels)} × {field_of(kernels)} pixels", size=15)
        weights = sum(kernel**2 for kernel in kernels)
        less = f", {100 * (1 - weights / 25):.0f} % less" if weights < 25 else ""
        sheet.text(x + 140, 280, f"{weights} C² weights{less}", size=15, weight="bold", color=colour)
    sheet.text(310, 316, "and one bend more between them", size=13)


SLIDES = {
    "B12": Slide(
        stacked,
        "Eight Gabor functions, which is what simple filters of a first layer look like, and a unit behind three layers of "
        "3 × 3 filters, which sees seven pixels.",
        has_panel=True,
    ),
    "B13": Slide(
        occlusion,
        "A scene with a grey square at three places, and how much of the object the square hides at every place: there a net "
        "that looks at the object has a lower score.",
        has_panel=True,
    ),
    "D04": Slide(
        stacks,
        "Two convolutions of 3 × 3 on top of each other see 5 × 5 pixels with 18 C² weights, one of 5 × 5 with 25 C².",
        has_panel=True,
        height=334,
    ),
}
