"""A net that has learned to tell other classes apart learns new ones better from few images; from many it hardly matters.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “Transfer learning”; Girshick et al. 2014, He et al. 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from experiments.lectures._tried import rates_inside
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Needs, Part

from ._drawn import EASY
from ._transfer import CLASSES, FEW, FROZEN, MANY, SCRATCH, SHUFFLED, TEST_ERROR, TUNED, measure, variant


def gap(runs: Mapping[str, Run], images: int) -> float:
    """Test error from scratch less that of fine-tuning, in points."""
    return 100 * (runs[variant(SCRATCH, images)].value(TEST_ERROR) - runs[variant(TUNED, images)].value(TEST_ERROR))


SAYS = "Transfer learning"
FEW_DATA = "(데이터 부족으로 인해) 우선 Imagenet dataset을 이용해 모델을 classification 문제에 대하여 pretraining"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: with 20 images a class, a net that was pre-trained on other classes and fine-tuned has a lower test error
    than one from scratch, and than one that was pre-trained on shuffled labels. A difference within ±1 point counts as none.
    b. Reproduced: with 1,000 images a class the gap to scratch is at most half of what it is with 20."""
    few = {start: variant(start, FEW) for start in (SCRATCH, TUNED, FROZEN, SHUFFLED)}
    gain, control = (
        runs.difference(
            f"test error, {other} − {TUNED}, n = {FEW}", few[other], few[TUNED], TEST_ERROR, needs=Needs(low=0, margin=1)
        )
        for other in (SCRATCH, SHUFFLED)
    )
    frozen = runs.difference(f"test error, {TUNED} − {FROZEN}, n = {FEW}", few[TUNED], few[FROZEN], TEST_ERROR)
    halved = runs.combined(
        f"half the gap at n = {FEW} − the gap at n = {MANY:,}",
        lambda by: gap(by, FEW) / 2 - gap(by, MANY),
        unit="points",
        needs=Needs(low=0),
    )
    later = runs.combined(f"gap at n = {MANY:,}", partial(gap, images=MANY), unit="points")
    own = {v: runs.quantity(f"test error, {v}", v, TEST_ERROR, scale=100, unit="%") for v in runs.variants}
    learns = runs.beats(TEST_ERROR, 1 - 1 / CLASSES, greater=False, variants=[few[SCRATCH], variant(SCRATCH, MANY)])
    return {
        "a": Part(
            says=SAYS,
            effects=(gain, control),
            shown=(frozen, *own.values()),
            validity_checks=(rates_inside(runs, few[SCRATCH], few[TUNED], few[SHUFFLED]), learns),
            because=f"With {FEW} images a class the test error is {own[few[SCRATCH]].estimate:.0f} % from scratch, "
            f"{own[few[TUNED]].estimate:.0f} % fine-tuned, {own[few[FROZEN]].estimate:.0f} % with frozen features, and "
            f"{own[few[SHUFFLED]].estimate:.0f} % where the pre-training's labels meant nothing.",
        ),
        "b": Part(
            says=FEW_DATA,
            effects=(halved,),
            shown=(later,),
            validity_checks=(rates_inside(runs, *few.values(), variant(SCRATCH, MANY), variant(TUNED, MANY)), learns),
            because=f"The gap is {gain.estimate:.1f} points with {FEW} images a class and {later.estimate:.1f} with {MANY:,}.",
        ),
    }


CELLS = [(start, FEW) for start in (TUNED, FROZEN, SHUFFLED, SCRATCH)] + [(start, MANY) for start in (TUNED, SCRATCH)]

study = Study(
    claim="C06",
    says=f"{SAYS}; {FEW_DATA}",
    translation="Transfer learning; (because data are few) first pre-train the model on ImageNet for classification.",
    slide="Improving Generalization; R-CNN: Regions with CNN features",
    paper="Girshick et al. 2014, VOC 2007: 44.7 % without fine-tuning, 54.2 % with it; He et al. 2019: with many data and "
    "time, training from scratch catches up.",
    work=Measurement(measure),
    variants={variant(*cell): {"start": cell[0], "images": cell[1]} for cell in CELLS},
    controlled="net, scenes, steps (300 with 20 images a class, 800 with 1,000), each rate tuned at each number of images",
    deviations=(
        f"drawn scenes of {EASY.image_size[0]} × {EASY.image_size[1]} pixels; six classes of outlines, and six others",
    ),
    parts=parts,
)
