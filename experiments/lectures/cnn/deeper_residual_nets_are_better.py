"""The deeper a residual net, the lower its training error and its test error.

Deck “CNN, R-CNN”, slide “ImageNet ResNets”; He et al. 2016, table 6. The paper itself has the counter-example: 1,202 layers do
worse than 110.
"""

from __future__ import annotations

from itertools import combinations

from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.training import TestSet, TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale
from experiments.studies.verdict import Effect, Level, Needs, Part, ValidityCheck

from ._depth import CHANCE, ERROR, RUNNING, TEST_ERROR, DepthStudy, nets, variant

DEPTHS = (56, 20, 8)
BUDGET = 10
LOWER = Needs(high=0)
SCORED = L(TestSet)(samples=5000, batch_stats=True)
BY_HEART = 1.0
"""Training error in percent below which no deeper net can be seen to be better."""


def short(depth: int) -> str:
    """The net that the rate is chosen for, at the other studies' budget."""
    return f"residual-{depth}"


def long(depth: int) -> str:
    return f"residual-{depth}, {BUDGET}×"


def parts(runs: Runs) -> dict[str, Part]:
    """a: from 8 to 56 layers the training error falls (direction); it falls from 8 to 20 and from 20 to 56 too, and the test
    error does all of this as well (reproduced). b: from 8 to 56 layers the test error falls (direction), and at each step
    (reproduced)."""

    def falls(kind: str, measure: str) -> tuple[Effect, Effect, Effect]:
        """From the shallowest net to the deepest, and at each step."""
        last, deep, first = (
            runs.difference(f"{kind} error, {a} − {b} layers", long(a), long(b), measure, needs=LOWER)
            for a, b in combinations(DEPTHS, 2)
        )
        return deep, last, first

    train, *train_steps = falls("training", ERROR)
    test, *test_steps = falls("test", TEST_ERROR)
    shallow = runs.quantity("", long(8), ERROR, scale=100).estimate
    validity_checks = (
        runs.tuned(),
        runs.beats(ERROR, CHANCE, greater=False, variants=[long(8)]),
        ValidityCheck(
            "8 layers do not know the training images by heart", shallow >= BY_HEART, f"training error {shallow:.1f} %"
        ),
    )
    means = {
        measure: ", ".join(
            f"{depth}: {runs.quantity('', long(depth), measure, scale=100).estimate:.1f} %" for depth in reversed(DEPTHS)
        )
        for measure in (ERROR, TEST_ERROR)
    }

    def because(level: Level) -> str:
        caveat = "" if level is Level.REPRODUCED else " He et al. trained forty times as many images."
        return f"Training error by depth: {means[ERROR]}; test error: {means[TEST_ERROR]}.{caveat}"

    return {
        "a": Part(
            says="Deeper ResNets have lower training error, and also lower test error",
            effects=(train,),
            conditions=(*train_steps, test, *test_steps),
            shown=(
                runs.difference("training error, 56 − 8 layers, a tenth of the steps", short(56), short(8), ERROR),
                runs.difference("test error, 56 − 8 layers, running statistics", long(56), long(8), RUNNING),
            ),
            validity_checks=validity_checks,
            shared_lr=runs.shared_lr("training error, 56 − 8 layers, a tenth of the steps", short(56), short(8), ERROR),
            because=because,
        ),
        "b": Part(
            says="and also lower test error",
            effects=(test,),
            conditions=tuple(test_steps),
            validity_checks=validity_checks,
            because=f"Test error by depth: {means[TEST_ERROR]}.",
        ),
    }


study = DepthStudy(
    claim="D11",
    says="Deep ResNets can be trained without difficulties. "
    "Deeper ResNets have lower training error, and also lower test error",
    slide="ImageNet ResNets",
    paper="CIFAR-10 test error at 20 / 32 / 44 / 56 / 110 layers: 8.75 / 7.51 / 7.17 / 6.97 / 6.43 %; at 1,202 layers 7.93 %.",
    variants={
        **{long(depth): variant(depth, residual=True, budget=BUDGET, lr_of=short(depth)) for depth in DEPTHS},
        **nets(*map(short, DEPTHS)),
    },
    scales={
        "cpu": Scale(
            {
                "data.train": 20_000,
                "data.test": 5000,
                "data.style": {"objects": [1, 1], "object_size": [0.3, 0.6], "clutter": 0.7, "color_cue": 0.1},
                "trainer.callbacks": [L(TrainingSet)(samples=2000, every=500, batch_stats=True), SCORED],
            },
            deviations=(
                "width 8 in place of 16",
                "20,000 drawn scenes of 16 × 16 pixels in place of CIFAR-10, objects of 0.3 to 0.6 of the side",
                "3,000 steps of 64 images, at the rate that is best for 300",
            ),
        )
    },
    controlled="width, data, order, initialization, batch normalization, steps",
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "ten times the steps, at which the order of the nets is one of depth and no more of who gets going first; 8, 20 "
            "and 56 layers, without 32; 20,000 harder scenes, since 8 layers know 4,000 by heart after so many steps, and "
            "4,000 photographs too; each step's interval decides, where the means' order did; the test error is a part of its "
            "own too",
        ),
        Amendment(
            "2026-11-26",
            "the scenes were chosen by the training error of one 8-layer net each, which has to be 1 % or more for depth to "
            "lower it: 0 % on 4,000 drawn scenes, 0.35 % on 4,000 photographs, 0.6 % on 20,000 scenes with clutter .3 and cue "
            ".3; 4.75 % after 1,000 steps with clutter .5 and cue .1. No difference between depths was looked at",
        ),
        Amendment("2026-11-27", "5,000 test scenes, where there were 1,000: from 20 to 56 layers a point is to be told"),
    ),
)
