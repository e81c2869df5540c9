"""Base network, architecture and settings of a detector trade speed for accuracy: a grid of them, and where its ends lie.

CS231n 2017, lecture 11, “Object Detection: Lots of variables”; Huang et al. 2017: Faster R-CNN is slower and more accurate, SSD
much faster and not as accurate; 50 proposals in place of 300 keep 96 % of the accuracy.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from experiments.lectures._length import epochs
from experiments.measures.detection_cost import DetectionCost
from experiments.measures.proposals import FewerProposals
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import ConvBackbone

from ._detectors import AP, FASTER, GFLOP, SECONDS, SSD, YOLO, DetectorStudy, finds

ARCHITECTURES = {"YOLO": YOLO, "SSD": SSD, "Faster R-CNN": FASTER}
WIDTHS = {"narrow": [8, 16, 32], "wide": [16, 32, 64]}
SIZES = (48, 96)
FEW, ALL = 5, 30
SAYS = (
    "VGG, ResNet과 같은 다양한 Base Networks를 적용할 수 있다. 또한, 다양한 Architecture를 선택할 수 있다. "
    "많은 Hyperparameter도 조절할 수 있고, CVPR의 다양한 변수들을 이용한 통제실험 논문을 참고할 수 있다."
)

ENDS = "Faster R-CNN is slower but more accurate, SSD is much faster but not as accurate (slide image, from the paper)."


def name(architecture: str, width: str, size: int) -> str:
    return f"{architecture}, {width}, {size} px"


def parts(runs: Runs) -> dict[str, Part]:
    """a: with the wide backbone and large images Faster R-CNN's mAP is above YOLO's and SSD's, and with the narrow one and
    small images both take fewer operations than it. b: with 5 of 30 proposals Faster R-CNN keeps at least 90 % of its mAP.
    Each point of the grid is shown; CPU time decides nothing."""
    best, least = (lambda a: name(a, "wide", SIZES[-1])), (lambda a: name(a, "narrow", SIZES[0]))
    two = "Faster R-CNN"
    accurate = tuple(
        runs.difference(f"mAP at 96 px, wide, Faster R-CNN − {one}", best(two), best(one), AP, needs=Needs(low=0, margin=1))
        for one in ("YOLO", "SSD")
    )
    fast = tuple(
        runs.ratio(f"operations at 48 px, narrow, Faster R-CNN / {one}", least(two), least(one), GFLOP, needs=Needs(low=1))
        for one in ("YOLO", "SSD")
    )
    kept = runs.quantity(
        f"mAP with {FEW} proposals ÷ with {ALL}",
        best(two),
        lambda run: run.value(f"proposals{FEW}/mAP") / run.value(f"proposals{ALL}/mAP"),
        scale=100,
        unit="%",
        needs=Needs(low=90, null=0, absolute=True),
        paper=96.0,
    )
    points = "; ".join(
        f"{v}: {100 * runs.quantity('', v, AP).estimate:.1f} % at {runs.quantity('', v, GFLOP).estimate:.3f} GFLOP, "
        f"{1000 * runs.quantity('', v, SECONDS).estimate:.1f} CPU-ms"
        for v in runs.variants
    )
    return {
        "a": Part(
            says=ENDS,
            effects=(*accurate, *fast),
            validity_checks=(runs.tuned(), finds(runs, best(two), AP)),
            also=(f"mAP and cost of an image: {points}.",),
            because=f"At the accurate end Faster R-CNN is {accurate[0].estimate:+.1f} points from YOLO and "
            f"{accurate[1].estimate:+.1f} from SSD; at the fast end it takes {fast[0].estimate:.2f} and {fast[1].estimate:.2f} "
            "times their operations.",
        ),
        "b": Part(
            says="50 proposals in place of 300 keep 96 % of the accuracy (Huang et al. 2017).",
            effects=(kept,),
            validity_checks=(finds(runs, best(two), AP),),
            because=f"With {FEW} proposals of {ALL} {kept.estimate:.0f} % of the mAP are left.",
            beyond=True,
        ),
    }


def variant(architecture: str, width: str, size: int) -> Variant:
    largest = name(architecture, "wide", SIZES[-1])
    sweep = [L(FewerProposals)(count=count, samples=400) for count in (FEW, ALL)]
    own = {"trainer.callbacks": [L(DetectionCost)(), *(sweep if architecture == "Faster R-CNN" else [])]}
    # Objects grow with the image, and so do YOLO's cells and SSD's boxes.
    anchors = {"model.network.anchor_scales": [scale * size / 64 for scale in FASTER["model.network.anchor_scales"]]}
    changes: dict[str, Any] = {
        **ARCHITECTURES[architecture],
        **(anchors if architecture == "Faster R-CNN" else {}),
        "model.network.backbone": L(ConvBackbone)(widths=WIDTHS[width], depth=1),
        "data.image_size": size,
        **own,
    }
    return Variant(changes, lr_of=None if name(architecture, width, size) == largest else largest)


study = DetectorStudy(
    claim="G24",
    says=SAYS,
    translation="Base networks such as VGG and ResNet can be used, various architectures chosen, and many hyperparameters "
    "set; there is a CVPR paper with controlled experiments on these variables.",
    slide="YOLO & SSD, …pdf-0085; the two ends: slide image, from the paper",
    paper="COCO: Faster R-CNN with 300 proposals 35 mAP, SSD below 25 and several times as fast; 50 proposals keep 96 %.",
    variants={name(*point): variant(*point) for point in product(ARCHITECTURES, WIDTHS, SIZES)},
    controlled="scenes, order, steps, thresholds of score and overlap",
    scales={"cpu": Scale(epochs(6), deviations=("drawn scenes of up to three objects", "backbones of three convolutions"))},
    deviations=("an architecture's rate is chosen with the wide backbone and large images, and is that of its other variants",),
    parts=parts,
)
