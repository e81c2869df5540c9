"""SPP-net shares its convolutions and cannot fine-tune them; trained through the pooling, the same network detects more.

CS231n 2017, lecture 11, “R-CNN vs SPP vs Fast R-CNN”; He et al. 2014; Girshick 2015, section 4.5 and table 5.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._regions import ADAPTED, AMENDED, AP, FAST, FROZEN, PYRAMID, RegionStudy, fast, frozen, learns
from ._statistics import AdaptedSPPNet

PERFECT = 0.9
"""AP from which on a frozen backbone leaves nothing for training to add."""


def room(runs: Runs) -> ValidityCheck:
    """The frozen backbone is not perfect already."""
    found = runs.quantity("", FROZEN, AP).estimate
    return ValidityCheck(f"the frozen backbone has an AP of at most {PERFECT}", found <= PERFECT, f"{found:.2f}")


def parts(runs: Runs) -> Part:
    """Training the backbone through the pooling adds 3 points of AP or more to the same network, and as much where the frozen
    one's batch normalisation sees the new images too; direction only: it adds to both. A change within ±1 point counts as none.
    A frozen backbone that is perfect already says nothing."""
    need = Needs(low=3, null=0, margin=1)
    gain = runs.difference("AP, backbone trained − frozen", FAST, FROZEN, AP, needs=need, paper=5.5)
    adapted = runs.difference("AP, backbone trained − frozen but for its statistics", FAST, ADAPTED, AP, needs=need)
    pyramid = runs.difference("AP, backbone trained − frozen with a pyramid", FAST, PYRAMID, AP)
    return Part(
        says=study.says,
        effects=(gain, adapted),
        shown=(pyramid,),
        validity_checks=(runs.tuned(FAST, FROZEN, ADAPTED), learns(runs, FROZEN), room(runs)),
        shared_lr=runs.shared_lr(gain.name, FAST, FROZEN, AP),
        because=f"Training the backbone through the pooling changes the AP of the same network by {gain.estimate:+.1f} points "
        f"against a frozen one, by {adapted.estimate:+.1f} where that has the statistics of these images, and by "
        f"{pyramid.estimate:+.1f} against a frozen one with SPP-net's pyramid of cells.",
    )


study = RegionStudy(
    claim="G13",
    says="SPP-net: shared convolutions, which are not fine-tuned",
    slide="R-CNN vs SPP vs Fast R-CNN, …pdf-0080 (slide image, from the paper)",
    paper="VGG-16 on VOC 2007: convolutions frozen 61.4 %, fine-tuned 66.9 %; SPP-net 63.1 %.",
    variants={FAST: fast(), PYRAMID: frozen([1, 2, 3, 6]), ADAPTED: frozen([4], AdaptedSPPNet), FROZEN: frozen([4])},
    controlled="pre-trained backbone, head, proposals, data, order, steps",
    deviations=("all have Fast R-CNN's head, so that nothing but the backbone differs; SPP-net itself had R-CNN's stages",),
    parts=parts,
    amendments=(
        *AMENDED,
        Amendment(
            "2026-11-27",
            "training has to add to a frozen backbone with the new images' batch statistics too: VGG has no batch "
            "normalisation, which is not what the claim is about",
        ),
        Amendment("2026-11-26", "a frozen backbone of an AP above 0.9 makes it inconclusive; before, nothing asked for room"),
    ),
)
