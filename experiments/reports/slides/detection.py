"""Detection: R-CNN, Fast R-CNN and Faster R-CNN, as chains of what they do, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..wording import number
from .numbers import Measurements
from .proposals import boxes_of, framed
from .scenes import scene
from .sheet import BLUE, DASH, FAINT, GREEN, ORANGE, PINK, RED, SKY, Sheet, tint
from .slide import Slide

ChainBox = tuple[str, str]
"""What a box of a chain says, and its colour."""
SECONDS = (("R-CNN", 49.0), ("SPP-net", 4.3), ("Fast R-CNN", 2.3), ("Faster R-CNN", 0.2))
"""An image at test time, with its proposals: the slide's chart."""


def chain(
    sheet: Sheet, steps: Sequence[ChainBox], x: float, y: float, width: float, height: float = 62, size: float = 13
) -> None:
    """Boxes from left to right, each giving to the next."""
    gap = 22.0
    wide = (width - gap * (len(steps) - 1)) / len(steps)
    for i, (words, colour) in enumerate(steps):
        left = x + i * (wide + gap)
        sheet.box(left, y, wide, height, words, colour=colour, size=size)
        if i + 1 < len(steps):
            sheet.arrow((left + wide, y + height / 2), (left + wide + gap, y + height / 2))


def rcnn(sheet: Sheet, numbers: Measurements) -> None:
    framed(sheet, 20, 66, 130, boxes_of())
    sheet.text(85, 216, "1. image with\n2. ~2,000 proposals", size=12.5)
    sheet.arrow((154, 130), (186, 130))
    for i in range(3):
        sheet.box(
            188 + 7 * i,
            98 + 7 * i,
            70,
            54,
            "" if i < 2 else "warped",
            colour=SKY,
            size=12,
            facecolor="none" if i < 2 else tint(SKY, 0.4),
        )
    sheet.arrow((274, 130), (300, 130))
    sheet.box(302, 90, 100, 80, "3. CNN\nfor each", colour=BLUE, size=14)
    for y, words, colour in ((66, "4. SVM for\neach class", GREEN), (150, "box\nregression", ORANGE)):
        sheet.arrow((402, 130), (436, y + 27))
        sheet.box(438, y, 104, 54, words, colour=colour, size=13)
    sheet.text(556, 93, "“star”", ha="left", size=15)
    sheet.text(556, 177, "four offsets", ha="left", size=13)


def pretrained(sheet: Sheet, numbers: Measurements) -> None:
    chain(
        sheet,
        (
            ("1. pre-train\nImageNet: classes,\nmany images", BLUE),
            ("2. fine-tune\nVOC: regions,\nfew images", ORANGE),
            ("3. train\nlinear SVMs on\nits features", GREEN),
        ),
        20,
        60,
        610,
        110,
        15,
    )
    sheet.text(325, 30, "data with boxes are few: the features come from a task that has many", size=14)
    sheet.text(325, 206, "the same weights go on from step to step", size=13, color=BLUE)


def multi_stage(sheet: Sheet, numbers: Measurements) -> None:
    steps = (
        ("1. fine-tune CNN\nlog loss", BLUE),
        ("features\nto disk", FAINT),
        ("2. SVMs\nhinge loss", GREEN),
        ("3. box regressors\nsquared loss", ORANGE),
    )
    chain(sheet, steps, 20, 70, 610, 90, 14)
    sheet.text(325, 36, "three trainings, each after the other", size=15, weight="bold")
    sheet.text(325, 194, "no gradient of the SVMs or of the regressors reaches the CNN", size=14, color=RED)


def storage(sheet: Sheet, numbers: Measurements) -> None:
    gigabytes = 2000 * 4096 * 4 * 5011 / 1e9
    factors = (("2,000", "proposals"), ("4,096", "features"), ("4", "bytes"), ("5,011", "images"))
    for i, (count, what) in enumerate(factors):
        x = 30 + 160 * i
        sheet.box(x, 56, 120, 76, f"{count}\n{what}", colour=BLUE, size=17)
        sheet.text(x + 140, 94, "×" if i < 3 else "=", size=22)
    sheet.box(690, 46, 230, 96, f"{gigabytes:.0f} GB\non disk", colour=ORANGE, size=21)
    sheet.text(480, 26, "VOC 2007, features of every proposal of every image", size=14)
    if found := numbers.check("GB of VOC"):
        sheet.text(805, 168, f"computed: {found} GB", size=14, color=GREEN, weight="bold")


def _ratio(sheet: Sheet, numbers: Measurements, x: float, y: float) -> None:
    if (effect := numbers.effect("R-CNN")) and effect.estimate is not None:
        words = f"measured, {effect.name}: {number(effect.estimate)}{' ×' if effect.unit == 'x' else f' {effect.unit}'}"
        sheet.text(x, y, words, size=14, color=GREEN, weight="bold")


def slow(sheet: Sheet, numbers: Measurements) -> None:
    """The CNN once for each region, and once for the image."""
    sheet.text(24, 22, "R-CNN: the CNN runs for each of 2,000 regions", ha="left", size=15, weight="bold")
    for i in range(5):
        sheet.square(30, 46 + 30 * i, 26, 22, fill=tint(SKY, 0.5))
        sheet.arrow((60, 57 + 30 * i), (92, 57 + 30 * i), mutation_scale=9)
        sheet.box(94, 46 + 30 * i, 90, 22, "CNN", colour=BLUE, size=11.5)
        sheet.arrow((186, 57 + 30 * i), (216, 57 + 30 * i), mutation_scale=9)
        sheet.text(240, 57 + 30 * i, "class", size=11.5)
    sheet.text(138, 206, "…", size=20)
    sheet.text(138, 234, "47 s an image with VGG16", size=14, color=RED)
    sheet.text(520, 22, "run once, it would cost one pass", ha="left", size=15, weight="bold")
    sheet.image(scene(3), 520, 66, 96, 96)
    sheet.arrow((620, 114), (656, 114))
    sheet.box(658, 78, 120, 72, "CNN, once", colour=BLUE, size=15)
    sheet.arrow((778, 114), (812, 114))
    sheet.text(864, 114, "all regions", size=14)
    _ratio(sheet, numbers, 480, 262)


def shared_features(sheet: Sheet, numbers: Measurements) -> None:
    """Fast R-CNN: one pass, and each region's part of the map."""
    framed(sheet, 20, 60, 120, boxes_of()[-4:])
    sheet.arrow((144, 120), (172, 120))
    sheet.box(174, 80, 100, 80, "CNN,\nonce", colour=BLUE, size=15)
    sheet.arrow((274, 120), (300, 120))
    sheet.grid(302, 66, 13, np.random.default_rng(0).random((8, 8)), texts=False)
    left, top, wide, high = boxes_of()[-1]
    sheet.square(302 + 104 * left, 66 + 104 * top, 104 * wide, 104 * high, edgecolor=ORANGE, linewidth=3, zorder=5)
    sheet.text(354, 190, "feature map,\nregion projected", size=12.5)
    sheet.arrow((412, 120), (440, 120))
    sheet.box(442, 90, 76, 60, "RoIPool", colour=ORANGE, size=13.5)
    sheet.arrow((518, 120), (540, 120))
    sheet.box(542, 90, 60, 60, "FC", colour=GREEN, size=14)
    sheet.text(310, 30, "proposals share what is computed once", size=15, weight="bold")


def roi_pool(sheet: Sheet, numbers: Measurements) -> None:
    """A region of a map of numbers, in 2 × 2 bins, by torchvision."""
    import torch
    from torchvision.ops import roi_pool as pool

    image = np.random.default_rng(6).integers(0, 10, (8, 8)).astype(float)
    left, top, right, bottom = 1, 2, 6, 7
    found = pool(torch.tensor(image)[None, None], [torch.tensor([[left, top, right, bottom]], dtype=torch.float64)], 2)[0, 0]
    size = 29.0
    sheet.text(140, 20, "a feature map of 8 × 8", size=14.5)
    sheet.grid(24, 40, size, image, colour=FAINT)
    x, y, wide, high = 24 + left * size, 40 + top * size, (right - left + 1) * size, (bottom - top + 1) * size
    sheet.square(x, y, wide, high, edgecolor=ORANGE, linewidth=3.4, zorder=5)
    sheet.line((x + wide / 2, y), (x + wide / 2, y + high), colour=ORANGE, width=2.4, zorder=5)
    sheet.line((x, y + high / 2), (x + wide, y + high / 2), colour=ORANGE, width=2.4, zorder=5)
    sheet.text(140, 292, "orange: a region of 6 × 6, in four bins", color=ORANGE, size=13.5)
    sheet.arrow((272, 156), (380, 156), width=2.2)
    sheet.text(326, 136, "greatest of each", size=13)
    sheet.grid(396, 98, 58, found.numpy(), colour=ORANGE)
    sheet.text(454, 240, "always 2 × 2", size=14.5)


def one_network(sheet: Sheet, numbers: Measurements) -> None:
    sheet.text(160, 22, "R-CNN: three models", size=15, weight="bold")
    for i, (words, colour) in enumerate((("CNN", BLUE), ("SVMs", GREEN), ("box regressors", ORANGE))):
        sheet.box(60, 46 + 70 * i, 200, 50, words, colour=colour, size=15, linestyle=DASH)
    sheet.arrow((280, 142), (330, 142), width=2.4)
    sheet.text(500, 22, "Fast R-CNN: one network", size=15, weight="bold")
    sheet.box(344, 104, 110, 76, "CNN +\nRoIPool", colour=BLUE, size=15)
    for y, words, colour in ((60, "softmax", GREEN), (174, "box regression", ORANGE)):
        sheet.arrow((454, 142), (488, y + 25))
        sheet.box(490, y, 136, 50, words, colour=colour, size=14)
    sheet.text(340, 270, "the loss is the sum of both, and trains all of it at once", size=14)


def faster(sheet: Sheet, numbers: Measurements) -> None:
    sheet.image(scene(3), 20, 96, 100, 100)
    sheet.arrow((124, 146), (150, 146))
    sheet.box(152, 108, 96, 76, "CNN", colour=BLUE, size=16)
    sheet.arrow((248, 130), (296, 84))
    sheet.arrow((248, 160), (372, 200))
    sheet.box(298, 50, 150, 62, "region proposal\nnetwork", colour=PINK, size=14)
    sheet.arrow((396, 112), (416, 176))
    sheet.text(414, 140, "proposals", size=12.5, ha="left")
    sheet.box(374, 178, 84, 56, "RoIPool", colour=ORANGE, size=14)
    sheet.arrow((458, 206), (490, 206))
    sheet.box(492, 178, 60, 56, "FC", colour=GREEN, size=14)
    for i, words in enumerate(("1. object or not", "2. box offsets")):
        sheet.arrow((448, 80), (500, 60 + 34 * i), mutation_scale=9)
        sheet.text(506, 60 + 34 * i, words, ha="left", size=13, color=RED)
    for i, words in enumerate(("3. class", "4. box")):
        sheet.arrow((552, 206), (580, 190 + 34 * i), mutation_scale=9)
        sheet.text(584, 190 + 34 * i, words, ha="left", size=13, color=RED)
    sheet.text(320, 274, "four losses, one network, no proposals from outside", size=14.5, weight="bold")


SYSTEMS = ("DPM", *(name for name, _ in SECONDS), "SSD", "YOLO")
"""All detectors of the last slides, as the verdicts on G19 and G01 name their seconds an image."""


def seconds_an_image(numbers: Measurements) -> tuple[dict[str, float], str]:
    """CPU-seconds of one photograph, proposals included, and which claim's verdict they are of.

    G01 has all detectors on the same photographs. Without it, those that G19's own verdict has, and an empty name.
    """
    for claim, own in (("G01", numbers.beside("G01")), ("", numbers)):
        found = {system: own.mean("an image's time", f"total/{system}") for system in SYSTEMS}
        if known := {system: seconds for system, seconds in found.items() if seconds is not None and seconds > 0}:
            return known, claim
    return {}, ""


def speeds(sheet: Sheet, numbers: Measurements) -> None:
    """The slide's chart, and beside it all detectors of the last slides as they were measured here."""
    sheet.text(20, 20, "seconds an image at test time (the slide's chart)", ha="left", size=14, weight="bold")
    for i, (name, seconds) in enumerate(SECONDS):
        y = 48 + 54 * i
        sheet.text(108, y + 17, name, ha="right", size=14)
        sheet.square(120, y, max(3.0, 280 * seconds / 49), 34, fill=tint((RED, ORANGE, BLUE, GREEN)[i], 0.6), linewidth=0)
        sheet.text(128 + max(3.0, 280 * seconds / 49), y + 17, f"{seconds:g}", ha="left", size=15, weight="bold")
    _ratio(sheet, numbers, 240, 284)
    found, source = seconds_an_image(numbers)
    if found:
        _measured_seconds(sheet, found, source)


def _measured_seconds(sheet: Sheet, found: Mapping[str, float], source: str) -> None:
    """A bar for each detector in the chart's order, and the names of those that no verdict has."""
    sheet.text(520, 20, "measured: CPU-seconds of a photograph", ha="left", size=14, weight="bold", color=GREEN)
    for i, name in enumerate(name for name in SYSTEMS if name in found):
        y, wide = 40 + 30 * i, max(3.0, 300 * found[name] / max(found.values()))
        sheet.text(590, y + 11, name, ha="right", size=13)
        sheet.square(600, y, wide, 22, fill=tint(GREEN, 0.6), linewidth=0)
        sheet.text(606 + wide, y + 11, f"{found[name]:.2g}", ha="left", size=13, weight="bold")
    if missing := [name for name in SYSTEMS if name not in found]:
        words = f"not recorded: {', '.join(missing)} (lectern reproduce G01)"
        sheet.text(500, 268, words, ha="left", size=12, color=RED)
    if source:
        sheet.text(500, 286, f"measured for {source}, on the same photographs", ha="left", size=12, color=GREEN)


SLIDES = {
    "G06": Slide(
        rcnn,
        "R-CNN: an image, about 2,000 proposals, each warped and put through the CNN, then a support vector machine for each "
        "class and box regression.",
        has_panel=True,
        height=260,
    ),
    "G07": Slide(
        pretrained,
        "A CNN is trained on ImageNet's classes, fine-tuned on the regions of VOC, and gives its features to linear SVMs.",
        has_panel=True,
        height=230,
    ),
    "G09": Slide(
        multi_stage,
        "R-CNN's trainings after each other: the CNN with a log loss, features to disk, SVMs, box regressors.",
        has_panel=True,
        height=220,
    ),
    "G10": Slide(storage, "2,000 proposals times 4,096 features times 4 bytes times 5,011 images: 164 GB.", height=186),
    "G11": Slide(slow, "R-CNN runs its CNN for each of 2,000 regions; beside it, one pass for the image.", height=280),
    "G14": Slide(
        shared_features,
        "Fast R-CNN: one pass of the CNN gives a feature map, from which each region's part is pooled.",
        has_panel=True,
        height=226,
    ),
    "G15": Slide(
        roi_pool,
        "A map of 8 × 8 numbers with a region of 6 × 6 in four bins, and the greatest number of each bin, computed.",
        has_panel=True,
        height=310,
    ),
    "G16": Slide(
        one_network,
        "R-CNN's three models beside Fast R-CNN's one network with a softmax and a box regression in parallel.",
        has_panel=True,
        height=292,
    ),
    "G18": Slide(
        faster,
        "Faster R-CNN: a CNN, a region proposal network on its map, RoIPool, and four losses: two of the proposals and two of "
        "the regions.",
        has_panel=True,
        height=296,
    ),
    "G19": Slide(
        speeds,
        "Seconds an image at test time: R-CNN 49, SPP-net 4.3, Fast R-CNN 2.3, Faster R-CNN 0.2; and what was measured here, "
        "of these, deformable part models, SSD and YOLO, as far as there are verdicts.",
        height=300,
        also=("G01",),
    ),
}
