"""An image has a varying number of objects, which plain regression to a list of boxes cannot follow; a detector can.

CS231n 2017, lecture 11, “Object Detection as Regression?”: 4 numbers for one object, 12 for three, many for more. The set
prediction of Carion et al. 2020 is the counter-example: the same network with another assignment.
"""

from __future__ import annotations

from typing import Any

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import BestMatching, FromLeftToRight, SetRegressor

from ._detectors import AP50, SSD, DetectorStudy, finds

PLAIN, SETS, DETECTOR = "regression in order", "regression to a set", "detector"
NUMBERS = (1, 4)
SAYS = "Object Detection은 이미지마다 객체의 수가 다르다. … 더 많은 객체의 경우는 매우 복잡하다."


def name(method: str, objects: int) -> str:
    return f"{method}, {objects} object{'s' * (objects > 1)}"


def parts(runs: Runs) -> dict[str, Part]:
    """a: from scenes of one object to scenes of four, boxes regressed in order lose mAP at an IoU of 0.5 (direction), at least
    30 points, and a detector at most 10 (reproduced). b, beyond the lecture: with the best matching in place of the order the
    same network loses less."""
    one, four = NUMBERS
    lost = {
        method: runs.difference(
            f"mAP50 lost from 1 to 4 objects, {method}", name(method, one), name(method, four), AP50, needs=needs
        )
        for method, needs in ((PLAIN, Needs(low=30)), (DETECTOR, Needs(high=10)), (SETS, None))
    }
    less = runs.combined(
        "mAP50 lost in order − to a set",
        lambda by: 100 * (_lost(by, PLAIN) - _lost(by, SETS)),
        unit="points",
        needs=Needs(low=0),
        variants=(name(PLAIN, four), name(SETS, four)),
    )
    said = ", ".join(f"{method} {effect.estimate:+.1f}" for method, effect in lost.items())
    return {
        "a": Part(
            says=SAYS,
            effects=(lost[PLAIN],),
            conditions=(lost[DETECTOR],),
            shown=(lost[SETS],),
            validity_checks=(runs.tuned(), finds(runs, name(PLAIN, one)), finds(runs, name(DETECTOR, one))),
            because=f"Points of mAP50 lost from one object to four: {said}.",
        ),
        "b": Part(
            says="Is it regression that fails, or the order of the list?",
            effects=(less,),
            validity_checks=(runs.tuned(), finds(runs, name(SETS, one))),
            because=f"Matched to a set, the same network loses {less.estimate:+.1f} points less.",
            beyond=True,
        ),
    }


def _lost(by: Any, method: str) -> float:
    first, last = (by[name(method, objects)].value(AP50) for objects in NUMBERS)
    return float(first - last)


def variant(network: dict[str, Any], method: str, objects: int) -> Variant:
    # Each method's rate is the one that suits four objects best, where the claim expects the loss.
    lr_of = None if objects == NUMBERS[-1] else name(method, NUMBERS[-1])
    style = {"objects": [objects, objects], "object_size": [0.2, 0.35], "clutter": 0.2}
    return Variant({**network, "data.style": style}, lr_of=lr_of)


def slots(assignment: type) -> dict[str, Any]:
    return {"model.network": SetRegressor, "model.network.slots": 6, "model.network.assignment": L(assignment)()}


METHODS = {PLAIN: slots(FromLeftToRight), SETS: slots(BestMatching), DETECTOR: SSD}

study = DetectorStudy(
    claim="G02",
    says=SAYS,
    translation="In object detection each image has another number of objects. … With more of them it gets very complicated.",
    slide="Object Detection, …pdf-0056",
    variants={
        name(method, objects): variant(network, method, objects) for method, network in METHODS.items() for objects in NUMBERS
    },
    controlled="backbone, data, order, steps; of both regressions the network and all losses",
    scales={
        "cpu": Scale(deviations=("drawn scenes of 64 × 64 pixels with exactly one or four objects", "SSD is the detector"))
    },
    deviations=("six slots in both cases, of which the unused say “no object”",),
    parts=parts,
)
