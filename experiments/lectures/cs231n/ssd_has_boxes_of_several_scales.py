"""SSD classifies and moves default boxes on maps of several scales in one forward pass; several scales are better than one.

CS231n 2017, lecture 11, “Detection without Proposals: YOLO / SSD”; Liu et al. 2016, table 3: 74.3 % mAP with all six maps,
62.4 % with one.
"""

from __future__ import annotations

import torch

from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import SSD
from lightning_modules.networks.ssd import SSDBackbone

from . import _detectors
from ._detectors import AP, AP50, DRAWN, DetectorStudy, finds

SEVERAL, ONE = "three scales", "one scale"
SAYS = "한 번의 Feed Forward로 가능하여 Single Shot Mthods이다."
RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
BOX_SCALES = [0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.075]


def ssd300() -> tuple[Check, ...]:
    """The paper's own network at 300 × 300 pixels."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = SSD(20, backbone=SSDBackbone, scales=6, ratios=RATIOS, box_scales=BOX_SCALES).eval()
        outputs = network(torch.zeros(1, 3, 300, 300))
    return (
        Check("default boxes of SSD300, classified by one forward pass", len(outputs.defaults), 8732),
        Check(
            "values of each: 20 classes, the background, four offsets", outputs.logits.shape[-1] + outputs.offsets.shape[-1], 25
        ),
    )


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: SSD300 gives all of its 8,732 default boxes in one forward pass. b, the paper's, beyond the lecture: with three
    scales the mAP is above that with one (direction), by at least 2 points (reproduced)."""
    gain = runs.difference("mAP, three scales − one", SEVERAL, ONE, AP, needs=Needs(low=2, margin=1), paper=11.9)
    fifty = runs.difference("mAP50, three scales − one", SEVERAL, ONE, AP50)
    return {
        "a": Part(says=SAYS, checks=ssd300()),
        "b": Part(
            says="Are maps of several scales better than one?",
            effects=(gain,),
            shown=(fifty,),
            validity_checks=(runs.tuned(), finds(runs, ONE)),
            shared_lr=runs.shared_lr(gain.name, SEVERAL, ONE, AP),
            because=f"Three scales add {gain.estimate:+.1f} points of mAP to one.",
            beyond=True,
        ),
    }


study = DetectorStudy(
    claim="G22",
    says=SAYS,
    translation="It is done by one feed-forward pass, hence a single-shot method.",
    slide="YOLO & SSD, …pdf-0084",
    paper="VOC 2007 mAP of SSD300: 74.3 % with six maps, 62.4 % with one (table 3, 8,732 and 8,664 boxes).",
    variants={
        SEVERAL: _detectors.SSD,
        # On the finest map, boxes of the objects' middle size.
        ONE: {**_detectors.SSD, "model.network.scales": 1, "model.network.box_scales": [0.35, 0.5]},
    },
    controlled="backbone, data, order, steps, ratios of the boxes",
    scales={
        "cpu": Scale(
            {"data.style": {"objects": [1, 3], "object_size": [0.12, 0.6], "clutter": 0.3}},
            deviations=(DRAWN, "three convolutions of 16 to 64 features, three scales in place of six"),
        )
    },
    deviations=("one scale has fewer boxes; the paper keeps their number nearly the same",),
    parts=parts,
)
