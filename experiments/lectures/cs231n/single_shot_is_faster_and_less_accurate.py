"""Detectors without region proposals are faster than those with, and less accurate.

CS231n 2017, lecture 11, “Detection without Proposals: YOLO / SSD”. Redmon et al. 2016, table 1: YOLO 63.4 % mAP at 45 images a
second, Faster R-CNN 73.2 % at 7. SSD512 already contradicts it (Liu et al. 2016: 76.8 %).
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Needs, Part

from ._detectors import AP75, COST, DRAWN, FASTER, GFLOP, SECONDS, SSD, YOLO, DetectorStudy, finds

PROPOSALS = "Faster R-CNN"
SAYS = "Region Proposals을 활용하는 방법보다 정확도가 낮은 대신, 속도가 빠르다."


def parts(runs: Runs) -> dict[str, Part]:
    """a: YOLO takes fewer operations for an image than Faster R-CNN, and its mAP at an IoU of 0.75 is lower (direction), by at
    least 2 points (reproduced). b: the same of SSD. CPU time is shown and decides nothing."""

    def part(name: str, paper: float | None) -> Part:
        faster = runs.ratio(f"operations of an image, Faster R-CNN / {name}", PROPOSALS, name, GFLOP, needs=Needs(low=1))
        lower = runs.difference(
            f"mAP75, Faster R-CNN − {name}", PROPOSALS, name, AP75, needs=Needs(low=2, margin=1), paper=paper
        )
        time = runs.ratio(f"CPU time of an image, Faster R-CNN / {name}", PROPOSALS, name, SECONDS)
        return Part(
            says=SAYS,
            effects=(lower, faster),
            shown=(time,),
            validity_checks=(runs.tuned(name, PROPOSALS), finds(runs, PROPOSALS)),
            shared_lr=runs.shared_lr(lower.name, PROPOSALS, name, AP75),
            because=f"Faster R-CNN takes {faster.estimate:.2f} times the operations of {name}, and its mAP75 is "
            f"{lower.estimate:+.1f} points from {name}'s.",
        )

    return {"a": part("YOLO", 9.8), "b": part("SSD", -3.6)}


study = DetectorStudy(
    claim="G23",
    says=SAYS,
    translation="They are less accurate than the methods with region proposals, but faster.",
    slide="YOLO & SSD, …pdf-0084",
    paper="VOC 2007 mAP: YOLO 63.4 %, 45 images a second; Faster R-CNN 73.2 %, 7 a second; SSD512 76.8 %.",
    variants={"YOLO": YOLO, "SSD": SSD, PROPOSALS: FASTER},
    controlled="backbone, images, order, steps, thresholds of score and overlap, number of tries of the rate",
    scales={"cpu": Scale(COST, deviations=(DRAWN, "three convolutions of 16 to 64 features"))},
    deviations=("mAP at an IoU of 0.75: at 0.5, which the papers have, all come near 100 % on drawn scenes",),
    parts=parts,
)
