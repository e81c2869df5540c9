"""A window can have any place, size and shape: brute force needs tens of thousands of crops, ranked proposals fewer.

CS231n 2017, lecture 11, “Object Detection as Classification: Sliding Window”, …pdf-0061; the deck “CNN, R-CNN” names “sliding
Windows” as what was before deep learning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from experiments.studies.results import Run, Runs
from experiments.studies.study import Measured, Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part

from ._windows import both

WINDOWS, PROPOSALS = "sliding windows", "selective search"
SEEDS = 6
RECALLS = tuple(r / 20 for r in range(6, 20))
POINT, ALL, REACHED, OF_ALL = "boxes", "windows for 95 % of all objects", "recall", "recall of all objects"
CURVES = {0.5: "boxes an image for that recall at IoU 0.5", 0.7: "boxes an image for that recall at IoU 0.7"}


def search(*, seed: int, folder: Path, by: Literal["windows", "proposals"], root: str) -> Measured:
    """Grid and recall are chosen on all of train2017, and judged on this seed's images of val2017."""
    taught = both(root, "train", 0, 1, 0.5)
    recall = max((r for r in RECALLS if max(found.cost(r) for found in taught) < float("inf")), default=RECALLS[0])
    judged = {iou: both(root, "val", seed, SEEDS, iou) for iou in CURVES}
    windows, proposals = judged[0.5]
    sides = taught.windows.cost(recall)
    reached = windows.recall(sides)
    values = {"recall that was chosen": recall, REACHED: reached}
    if by == "proposals":
        values |= {POINT: proposals.cost(reached), "all": proposals.boxes[0], "recall of all boxes": proposals.recall()}
        curves = {CURVES[iou]: [(100 * r, found.proposals.cost(r)) for r in RECALLS] for iou, found in judged.items()}
    else:
        of_all = taught.windows.cost(0.95, large=False)
        values |= {POINT: _count(windows.boxes, sides), ALL: _count(windows.boxes, of_all)}
        values |= {OF_ALL: windows.recall(of_all, large=False), "recall of all boxes": windows.recall()}
        curves = {
            CURVES[iou]: [(100 * r, _count(found.windows.boxes, found.windows.cost(r))) for r in RECALLS]
            for iou, found in judged.items()
        }
    return Measured(values, {name: [(x, y) for x, y in points if y < float("inf")] for name, points in curves.items()})


def _count(boxes: tuple[float, ...], sides: float) -> float:
    """Windows of an image with so many sides; infinite where all of them were too few."""
    return boxes[int(sides) - 1] if sides <= len(boxes) else float("inf")


def parts(runs: Runs) -> dict[str, Part]:
    """a, the lecture's words: the least grid that finds 95 % of all objects of train2017 (IoU 0.5) has at least 10,000 windows
    an image. b, beyond them: the least grid that finds as many of the objects above 32² pixels as selective search can (the
    recall is chosen on train2017) has more windows than it takes ranked proposals to find as many of val2017."""
    number = runs.quantity("windows an image", WINDOWS, ALL, needs=Needs(low=1e4, absolute=True))
    more = runs.ratio("windows ÷ ranked proposals", WINDOWS, PROPOSALS, POINT, needs=Needs(low=1))
    chosen = runs.quantity("recall that was chosen", WINDOWS, "recall that was chosen", scale=100, unit="%")
    reached = runs.quantity("recall of that grid", WINDOWS, REACHED, scale=100, unit="%")
    return {
        "a": Part(
            says=study.says,
            effects=(number,),
            shown=(runs.quantity("their recall of all objects", WINDOWS, OF_ALL, scale=100, unit="%"),),
            because=f"{number.estimate:,.0f} windows an image, each of which a network would have to see.",
        ),
        "b": Part(
            says="Ranked proposals find as many objects with fewer boxes.",
            beyond=True,
            effects=(more,),
            shown=(
                chosen,
                reached,
                runs.quantity("windows", WINDOWS, POINT),
                runs.quantity("recall of all proposals", PROPOSALS, "recall of all boxes", scale=100, unit="%"),
            ),
            also=_never(runs),
            because=f"At the recall of that grid, {reached.estimate:.0f} % of the objects above 32² pixels, windows are "
            f"{more.estimate:.2g} times as many as ranked proposals.",
        ),
    }


def _never(runs: Runs) -> tuple[str, ...]:
    def missed(run: Run) -> bool:
        return run.value(POINT) == float("inf")

    count = sum(missed(run) for run in runs.of(PROPOSALS))
    return (f"in {count} of {len(runs.of(PROPOSALS))} parts of val2017 selective search never reaches that recall",)


study = Study(
    claim="G03",
    says="입력 이미지를 작은 영역으로 나누어 CNN에 넣는다. 추출할 영역의 Size를 정하기 어려워 좋은 방법이 아니다. "
    "→ Brute Force.",
    translation="The input image is divided into small regions, which are put into a CNN. It is hard to say of which size they "
    "should be, so this is no good way: brute force.",
    slide="Object Detection, …pdf-0061",
    work=Measurement(search),
    variants={WINDOWS: {"by": "windows"}, PROPOSALS: {"by": "proposals"}},
    seeds=SEEDS,
    parts=parts,
    scales={
        "cpu": Scale(
            changes={"root": "data/coco"},
            requires={"data/coco": "cocodataset.org/#download: train2017, val2017 and their instances, or a part so laid out"},
            deviations=("a seed is a sixth of val2017's images: where the sample is 25 images, 4 or 5",),
        )
    },
    controlled="images; IoU of 0.5; objects that are no crowds",
    deviations=(
        "windows have sides of 1.5 an octave from 512 pixels down, five ratios from 1 : 3 to 3 : 1, and steps of half a window",
        "a box counts as found by its overlap alone: no network looks at it",
    ),
    figure=CURVES[0.5],
    figure_axes="log-y",
    figure_x="recall of objects above 32² pixels, %",
)
