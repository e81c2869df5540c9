"""Detection over the years: the published chart of PASCAL VOC, and the same ladder on one data set."""

from __future__ import annotations

from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, RED, Sheet, tint
from .slide import Slide

WINNERS = ((2007, 17.0), (2008, 23.0), (2009, 28.0), (2010, 37.0), (2011, 41.0), (2012, 41.0))
"""The best of each year's challenge in whole percents of mAP, as Girshick's chart has them."""
DEEP = ((2013, 53.3, "R-CNN"), (2014, 62.4, "R-CNN, VGG-16"), (2015, 68.4, "Fast R-CNN"), (2015, 70.4, "Faster R-CNN"))
"""VOC 2012: Girshick et al. 2014; Girshick 2015 and Ren et al. 2015 with VGG-16, trained on VOC 2007's images too."""
VOC_2007 = {"deformable part models": 33.7, "R-CNN": 66.0, "Fast R-CNN": 66.9, "Faster R-CNN": 69.9}
"""Trained on VOC 2007's own images alone: release 5 of DPM's code, and the three papers, with VGG-16."""
MEASURE = "test/mAP_voc07"


def rungs(sheet: Sheet, numbers: Measurements) -> None:
    """The chart by year, and for each rung what is published and what was measured here."""
    axes = sheet.plot(60, 40, 400, 210, title="PASCAL VOC: mAP in % by year (the chart)")
    axes.plot(*zip(*WINNERS, strict=True), "o-", color=FAINT, label="before ConvNets")
    axes.plot([2012, *(year for year, *_ in DEEP)], [41.0, *(value for _, value, _ in DEEP)], "o-", color=BLUE)
    for (year, value, name), (right, up) in zip(DEEP, ((-10, 0), (-10, 4), (9, -12), (9, 2)), strict=True):
        side = "left" if right > 0 else "right"
        axes.annotate(f"{name} {value:g}", (year, value), (right, up), textcoords="offset points", ha=side, fontsize=12)
    axes.annotate("DPM and its kin", (2009, 28), (12, -10), textcoords="offset points", fontsize=12)
    axes.set_ylim(0, 88)
    axes.set_xlim(2006.5, 2018.6)
    axes.set_xticks(range(2007, 2016, 2))
    sheet.text(260, 290, "each year its own test set; training data differ", size=12, color=RED)
    sheet.text(716, 20, "on one data set", size=15, weight="bold")
    missing = []
    for i, (name, published) in enumerate(VOC_2007.items()):
        y, measured = 46 + 56 * i, numbers.mean(name, MEASURE)
        sheet.text(500, y, name, size=13, ha="left")
        _bar(sheet, y + 12, published, ORANGE, "VOC 2007, published")
        if measured is None:
            missing.append(name)
        else:
            _bar(sheet, y + 29, 100 * measured, GREEN, "drawn scenes, measured")
    if missing and numbers:
        sheet.text(500, 278, f"not recorded: {', '.join(missing)}", size=12, ha="left", color=RED)
    elif missing:
        sheet.text(500, 278, "green: what lectern reproduce G01 finds", size=12, ha="left", color=GREEN)


def _bar(sheet: Sheet, y: float, percent: float, colour: str, words: str) -> None:
    sheet.square(500, y, 2.4 * percent, 14, fill=tint(colour, 0.65), linewidth=0)
    sheet.text(506 + 2.4 * percent, y + 7, f"{percent:.1f} %, {words}", size=11, ha="left")


SLIDES = {
    "G01": Slide(
        rungs,
        "PASCAL VOC's mAP by year: 17 to 41 % before ConvNets, then 53 to 70 %. Beside it deformable part models, R-CNN, "
        "Fast and Faster R-CNN on one data set, published and measured.",
        height=310,
    ),
}
