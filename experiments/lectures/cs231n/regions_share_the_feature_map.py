"""Fast R-CNN computes the convolutions once an image; regions cut out of the map share them, and are detected as well.

Deck “CNN, R-CNN”, key idea 1; CS231n 2017, lecture 11, “Fast R-CNN”; Girshick 2015, tables 1 and 4.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._image_time import BOUND, DEVIATIONS, TIMED, VARIANT, proposed, ratio
from ._regions import AP, FAST, RCNN, RegionStudy, fast, learns, rcnn


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the ratio of CPU times is at least half that of the operations, and the AP at most a point below R-CNN's.
    Direction only: Fast R-CNN is faster."""
    cpu = ratio(runs, "cpu", "CPU time", needs="≥ ½ of the operations", paper=146)
    flops = ratio(runs, "gflop", "operations")
    ap = runs.difference("AP, Fast R-CNN − R-CNN", FAST, RCNN, AP, needs="≥ −1 point")
    sizes = ", ".join(
        f"{name} {runs.difference('', FAST, RCNN, f'test/mAP_{size}').estimate:+.1f}"
        for name, size in (("below 32² pixels", "small"), ("up to 96²", "medium"))
    )
    shared_lr = runs.shared_lr("AP, Fast R-CNN − R-CNN", FAST, RCNN, AP)
    validity_checks = (runs.tuned(), learns(runs, FAST, RCNN), proposed(runs))
    quick = cpu.is_finite and all(c >= f / 2 for c, f in zip(cpu.by_seed, flops.by_seed, strict=True))
    return Rule(
        (cpu, ap, flops),
        validity_checks,
        shared_lr,
        also=(f"COCO's mAP by size of the object, Fast R-CNN − R-CNN: {sizes} points.",),
    ).judge(
        reproduced=quick and ap.above(-1),
        direction=cpu.above(1),
        refuted=cpu.excludes_above(1),
        because=f"Shared, the convolutions make an image {cpu.estimate:.0f} times faster ({flops.estimate:.0f} times fewer "
        f"operations; {BOUND:.0f} times fewer pixels), and AP changes by {ap.estimate:+.1f} points.",
    )


study = RegionStudy(
    claim="G14",
    says="The CNN runs once on the whole image; regions are projected onto the feature map, so that they share its features.",
    slide="Fast R-CNN",
    paper="VGG-16: 146 times faster than R-CNN at test time (213 with truncated SVD); mAP 66.9 % on VOC 2007, R-CNN 66.0 %.",
    variants={RCNN: rcnn(), TIMED: VARIANT, FAST: fast()},
    controlled="backbone and its pre-training, fully connected layers, proposals, data",
    deviations=(*DEVIATIONS, "AP is of the small networks and scenes of the training, time of the larger ones above"),
    parts=verdict,
)
