"""Faster R-CNN makes its own proposals: four losses, each of which it needs, the same AP, and several times less time.

CS231n 2017, lecture 11, “Faster R-CNN: Make CNN do proposals!”; deck “CNN, R-CNN”, “Faster R-CNN”; Ren et al. 2015.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Variant
from experiments.studies.verdict import Effect, Rule, Verdict

from ._image_time import DEVIATIONS, TIMED, VARIANT, proposed, total
from ._regions import AP, FAST, FASTER, WITHOUT, RegionStudy, fast, faster, learns


def verdict(runs: Runs) -> Verdict:
    """Reproduced: with selective search Fast R-CNN takes at least 5 times the time, the AP of Faster R-CNN is at most half a
    point below, and each of its losses is missed. Direction only: it is faster."""
    pairs = zip(total(runs, "Fast R-CNN"), total(runs, "Faster R-CNN"), strict=True)
    time = Effect(
        "CPU time, search and Fast R-CNN / Faster R-CNN", tuple(a / b for a, b in pairs), "x", needs="≥ 5 x", paper=11.5
    )
    ap = runs.difference("AP, Faster R-CNN − Fast R-CNN", FASTER, FAST, AP, needs="≥ −0.5 points")
    lost = {
        loss: runs.difference(f"AP that is lost without {loss}", FASTER, variant, AP, needs="> 0")
        for loss, variant in WITHOUT.items()
    }
    recall = "; ".join(
        f"{name} {100 * runs.quantity('', variant, 'proposals/recall50').estimate:.1f} % of the objects in "
        f"{runs.quantity('', variant, 'proposals/count').estimate:.0f} boxes"
        for name, variant in (("the RPN finds", FASTER), ("selective search", FAST))
    )
    shared_lr = runs.shared_lr("AP, Faster R-CNN − Fast R-CNN", FASTER, FAST, AP)
    validity_checks = (runs.tuned(), learns(runs, FASTER, FAST), proposed(runs))
    missed = [loss for loss, effect in lost.items() if effect.above(0)]
    return Rule((time, ap, *lost.values()), validity_checks, shared_lr, also=(f"At an IoU of 0.5 {recall}.",)).judge(
        reproduced=time.above(1) and time.estimate >= 5 and ap.above(-0.5) and len(missed) == len(lost),
        direction=time.above(1),
        refuted=time.excludes_above(1),
        because=f"Proposing by a network on the same maps makes an image {time.estimate:.1f} times faster than selective "
        f"search and Fast R-CNN; AP changes by {ap.estimate:+.1f} points, and leaving out a loss costs "
        + ", ".join(f"{effect.estimate:.1f} ({loss})" for loss, effect in lost.items())
        + " points.",
    )


study = RegionStudy(
    claim="G18",
    says="The network makes its region proposals itself, by an RPN; four losses: two of the RPN, two of the RoIs.",
    slide="Faster R-CNN",
    paper="198 ms an image, 10 ms of it proposals; VOC 2007 69.9 %, with VOC 2012 73.2 %, with COCO 78.8 % (VGG-16).",
    variants={
        FASTER: faster(),
        **{variant: Variant(faster(loss), lr_of=FASTER) for loss, variant in WITHOUT.items()},
        TIMED: VARIANT,
        FAST: fast(),
    },
    controlled="pre-trained backbone, width of the head, data, order, steps",
    deviations=(
        "the RPN has been trained on the scenes' own classes, which selective search does not know",
        "what lacks a loss takes the rate of the whole",
        *DEVIATIONS,
    ),
    parts=verdict,
)
