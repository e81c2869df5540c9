"""Regions with phrases, as a file of Visual Genome has them: read by the data module, merged by the metric of H02."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame

WIDTH, HEIGHT = 360, 270
"""The image's pixels, which are units of the drawing: regions are drawn at their own size."""
LEFT, TOP = 40, 70
COLOURS = (BLUE, ORANGE, GREEN, PINK)


def phrases() -> Iterator[Frame]:
    """H02: region by region what is read, then which two are one object, then which data sets have phrases."""
    from datamodules import COCO, VOC, COCOCaptions, VisualGenome
    from datamodules.base import DataModule
    from datamodules.visual_genome import words
    from experiments.lectures.cs231n.dense_captioning_needs_a_phrase_a_region import REGIONS
    from lightning_modules import DenseCaptioning
    from lightning_modules.metrics.dense_captions import iou, merged

    for count in range(1, len(REGIONS) + 1):
        sheet = _image("regions of one image, as they are written")
        for k, region in enumerate(REGIONS[:count]):
            found = words(str(region["phrase"]))
            _box(sheet, _corners(region), COLOURS[k], stroke=5 if k == count - 1 else 2)
            said = " ".join(found) if found else "no word: left out"
            sheet.square(440, 90 + 62 * k, 22, 22, fill=COLOURS[k], strength=0.9, edge="")
            sheet.text(476, 101 + 62 * k, said, anchor="start")
        region = REGIONS[count - 1]
        x, y, x2, y2 = _corners(region)
        read = words(str(region["phrase"]))
        yield frame(
            sheet,
            f"“{region['phrase']}” at x {x:g}, y {y:g}, {x2 - x:g} × {y2 - y:g} pixels: corners {x:g}, {y:g}, {x2:g}, {y2:g}; "
            + (f"{len(read)} words." if read else "it has no word and is not read."),
        )
    kept = [region for region in REGIONS if words(str(region["phrase"]))]
    boxes = np.array([_corners(region) for region in kept], np.float64)
    objects, references = merged(boxes, [" ".join(words(str(region["phrase"]))) for region in kept])
    sheet = _image("regions that overlap by more than 0.7 are one object")
    for k, (box, of_one) in enumerate(zip(objects, references, strict=True)):
        _box(sheet, box, COLOURS[k], stroke=4)
        sheet.square(440, 90 + 90 * k, 22, 22, fill=COLOURS[k], strength=0.9, edge="")
        sheet.text(476, 101 + 90 * k, "\n".join(of_one), anchor="start")
    overlap = float(iou(boxes, boxes)[0, 1])
    yield frame(
        sheet, f"The first two overlap by {overlap:.2f}: {len(kept)} regions are {len(objects)} objects, one with two phrases."
    )
    sheet = Drawing(400)
    sheet.text(480, 24, "what a data set provides of each region", weight="bold")
    enough = []
    kinds: tuple[type[DataModule], ...] = (VisualGenome, VOC, COCO, COCOCaptions)
    for row, kind in enumerate(kinds):
        sheet.text(60, 80 + 70 * row, kind.__name__, anchor="start", weight="bold")
        for column, field in enumerate(sorted(DenseCaptioning.needs - {"image"})):
            has = field in kind.provides
            sheet.square(330 + 210 * column, 58 + 70 * row, 190, 44, fill=GREEN if has else GREY, strength=0.45 if has else 0.1)
            sheet.text(425 + 210 * column, 80 + 70 * row, field if has else f"no {field}", size=18)
        if kind.provides >= DenseCaptioning.needs:
            enough.append(kind.__name__)
            sheet.square(40, 52 + 70 * row, 880, 56, edge=RED, stroke=4)
    yield frame(sheet, f"Dense captioning can be trained on {' and '.join(enough)} alone of these four.")


def _corners(region: Mapping[str, object]) -> tuple[float, float, float, float]:
    x, y, width, height = (float(str(region[key])) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _image(title: str) -> Drawing:
    sheet = Drawing(400)
    sheet.text(480, 24, title, weight="bold")
    sheet.square(LEFT, TOP, WIDTH, HEIGHT)
    return sheet


def _box(sheet: Drawing, box: tuple[float, float, float, float], colour: str, *, stroke: float) -> None:
    x, y, x2, y2 = map(float, box)
    sheet.square(LEFT + x, TOP + y, x2 - x, y2 - y, fill=colour, strength=0.2, edge=colour, stroke=stroke)


MOVING = {
    "H02": MovingPicture(phrases, "Regions and their phrases, read one after another, merged, and which data sets have them."),
}
