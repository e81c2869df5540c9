"""SPP-net shares its convolutions and cannot fine-tune them; trained through the pooling, the same network detects more.

CS231n 2017, lecture 11, “R-CNN vs SPP vs Fast R-CNN”; He et al. 2014; Girshick 2015, section 4.5 and table 5.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict

from ._regions import AP, FAST, FROZEN, PYRAMID, RegionStudy, fast, frozen, learns


def verdict(runs: Runs) -> Verdict:
    """Reproduced: training the backbone adds 3 points. Direction only: it adds."""
    gain = runs.difference("AP, backbone trained − frozen", FAST, FROZEN, AP, needs="≥ 3 points", paper=5.5)
    pyramid = runs.difference("AP, backbone trained − frozen with a pyramid", FAST, PYRAMID, AP)
    shared_lr = runs.shared_lr("AP, backbone trained − frozen", FAST, FROZEN, AP)
    return Rule((gain, pyramid), (runs.tuned(), learns(runs, FAST)), shared_lr).judge(
        reproduced=gain.above(0) and gain.estimate >= 3,
        direction=gain.above(0),
        refuted=gain.shows_no_rise(1),
        because=f"Training the backbone through the pooling adds {gain.estimate:+.1f} points of AP to the same network on a "
        f"frozen one, and {pyramid.estimate:+.1f} to a frozen one with SPP-net's pyramid of cells.",
    )


study = RegionStudy(
    claim="G13",
    says="SPP-net: 4.3 s an image; shared convolutions, which are not fine-tuned.",
    slide="R-CNN vs SPP vs Fast R-CNN",
    paper="VGG-16 on VOC 2007: convolutions frozen 61.4 %, fine-tuned 66.9 %; SPP-net 63.1 %.",
    variants={FAST: fast(), PYRAMID: frozen([1, 2, 3, 6]), FROZEN: frozen([4])},
    controlled="pre-trained backbone, head, proposals, data, order, steps",
    deviations=("all have Fast R-CNN's head, so that nothing but the backbone differs; SPP-net itself had R-CNN's stages",),
    parts=verdict,
)
