"""Detection and captioning are learned as one network, and say more than a captioner of whole images does.

CS231n 2017, lecture 11, “Dense Captioning”; Johnson et al. 2016, “DenseCap”, sections 3 and 4.2 and table 1.
"""

from __future__ import annotations

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import DetectThenCaption, FullImageCaptioner, FullyConnected

JOINT, TWO_STAGE, FULL_IMAGE = "trained as one", "detect, then caption", "full-image captioner"
SLOTS, TEMPLATE, CONSTANT = "test/slot_mAP", "test/template_slot_mAP", "test/constant_slot_mAP"
BOX_AP = "test/mAP"


def parts(runs: Runs) -> dict[str, Part]:
    """a: one network for boxes and phrases has at least 1.5 times the AP of slots that a captioner of whole images has on the
    same detector's boxes (direction: more), and at most 3 points less than a captioner of regions with a backbone of its own
    (reproduced). Valid where both captioners of regions are 2 points above the phrase that knows the class alone; the captioner
    of whole images, whose failing is claimed, has to be as much above one phrase for every box. b, beyond the lecture: its
    boxes lose at most 2 points of AP to those of the detector that learns no phrase. How held-out combinations are named
    decides nothing."""
    more = runs.ratio("AP of slots, as one ÷ full-image", JOINT, FULL_IMAGE, SLOTS, needs=Needs(low=1.5))
    gap = runs.difference("AP of slots, as one − detect, then caption", JOINT, TWO_STAGE, SLOTS, needs=Needs(low=-3))
    boxes = runs.difference("box AP, as one − detect, then caption", JOINT, TWO_STAGE, BOX_AP, needs=Needs(low=-2))
    of_each = {name: runs.quantity(f"AP of slots, {name}", name, SLOTS, scale=100, unit="points") for name in runs.variants}
    template = runs.quantity("the phrase that knows the class alone", JOINT, TEMPLATE, scale=100, unit="points")
    held_out = runs.quantity("held-out combinations named right", JOINT, "test/named_held_out", scale=100, unit="points")
    chance = runs.quantity("by chance", JOINT, "test/named_chance", scale=100, unit="points")
    others = (
        runs.quantity("combinations of training named right", JOINT, "test/named_seen", scale=100, unit="points"),
        runs.quantity("DenseCap's own mAP", JOINT, "test/dense_mAP", scale=100, unit="points"),
    )
    said = ", ".join(f"{name} {effect.estimate:.1f}" for name, effect in of_each.items())
    return {
        "a": Part(
            says="End-to-end로 학습하여 모두 동시에 예측할 수 있다.",
            effects=(more,),
            conditions=(gap,),
            shown=(*of_each.values(), template, held_out, chance, *others),
            validity_checks=(
                runs.tuned(),
                runs.beats(lambda run: run.value(SLOTS) - run.value(TEMPLATE), 0.0, by=0.02, variants=[JOINT, TWO_STAGE]),
                runs.beats(lambda run: run.value(SLOTS) - run.value(CONSTANT), 0.0, by=0.02, variants=[FULL_IMAGE]),
            ),
            shared_lr=runs.shared_lr(gap.name, JOINT, TWO_STAGE, SLOTS),
            because=f"AP of slots: {said}; the phrase that knows the class alone {template.estimate:.1f}. Of held-out "
            f"combinations {held_out.estimate:.0f} % are named right, {chance.estimate:.1f} % would be by chance.",
        ),
        "b": Part(
            says="Do boxes suffer where phrases are learned on the same maps?",
            effects=(boxes,),
            validity_checks=(runs.tuned(JOINT, TWO_STAGE), runs.beats("test/mAP50", 0.0, variants=[TWO_STAGE])),
            because=f"Box AP changes by {boxes.estimate:+.1f} points.",
            beyond=True,
        ),
    }


OWN_LAYERS = {"model.network.caption_layers": L(FullyConnected)(widths=[256, 256])}

study = Study(
    claim="H01",
    says="강의 진행자와 Andrej가 Object Detection과 Image Captioning을 조합한 논문이다. … "
    "End-to-end로 학습하여 모두 동시에 예측할 수 있다. "
    "Faster R-CNN와 비슷하게 Region Proposal Stage가 있고, … "
    "Caption을 예측해야 하므로 RNN Language Model를 도입했다.",
    translation="A paper by the lecturer and Andrej that combines object detection and image captioning. … It is trained end "
    "to end and can predict everything at once. Like Faster R-CNN it has a region proposal stage, … and since captions have to "
    "be predicted, an RNN language model was brought in.",
    slide="Dense Captioning, …pdf-0086",
    paper="Visual Genome: mAP 5.39 (5.70 of the released model).",
    work=Training("dense_captioning/small_shapes"),
    variants={
        JOINT: {},
        FULL_IMAGE: {"model.network": FullImageCaptioner, **OWN_LAYERS},
        TWO_STAGE: {"model.network": DetectThenCaption, **OWN_LAYERS},
    },
    controlled="detector and its first weights, language model, the regions that phrases are learned on, data, order, steps",
    tune=Tune(start=2e-3, by="val/slot_mAP", greatest=True),
    scales={
        "cpu": Scale(
            deviations=(
                "drawn scenes of 64 × 64 pixels with phrases of a grammar, in place of Visual Genome",
                "a backbone of 16, 32 and 64 features, 1,250 steps of 16 images",
            )
        )
    },
    deviations=(
        "the measure is the AP of slots: of size, colour, fill and class the share that is said right takes METEOR's place, "
        "since METEOR lets most phrases of a grammar pass",
        "the captioners beside the detector are trained in one run with it, on its sampled regions or on whole images",
        "a region's code enters at every word, and not once before the first",
    ),
    parts=parts,
)
