"""Pooling halves a map and keeps the greatest, the mean or the least of each window.

Deck “CNN, R-CNN”, slide “Pooling Layer”: max, average and min pooling. Which is best the lecture does not say: beyond it.
"""

from __future__ import annotations

from experiments.lectures._tried import rates_inside
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study, Variant
from experiments.studies.verdict import Check, Needs, Part

from ._drawn import CHANCE, EASY
from ._pools import AVERAGE, FIRST, IDENTITIES, MAX, MIN, POOLS, TEST_ERROR, identities, measure

SAYS = (
    "Pooling Layer는 Convolution layer의 출력(Activation Map)을 입력으로 받아 activation map의 크기를 줄이거나 특정 데이터를 "
    "강조하는 용도로 사용 - Max Pooling, Average Pooling, Min Pooling"
)


def parts(runs: Runs) -> dict[str, Part]:
    """a. Exact: a 2 × 2 pooling halves the map's sides, and gives each window's greatest, mean or least value, the least
    being −max(−x). b, beyond the lecture: reproduced if behind a ReLU max pooling's test error is no more than 1 point above
    average pooling's, and min pooling's is higher than that. c, beyond the lecture: reproduced if min pooling does better
    before the ReLU than behind it. A difference within ±1 point counts as none."""
    off = {name: max(runs.values(IDENTITIES, name)) for name in (MAX, AVERAGE, MIN)}
    checks = [Check(f"{name} pooling less the {name} of each window, greatest", off[name], 0.0, 1e-6) for name in off]
    checks.append(Check("side of a map of 8 × 8, pooled", max(runs.values(IDENTITIES, "side")), 4))
    worse = runs.difference("test error, min − average", MIN, AVERAGE, TEST_ERROR, needs=Needs(low=0, margin=1))
    level = runs.difference("test error, max − average", MAX, AVERAGE, TEST_ERROR, needs=Needs(high=1))
    order = runs.difference("test error, min behind the ReLU − before", MIN, FIRST, TEST_ERROR, needs=Needs(low=0, margin=1))
    zeros = {v: runs.quantity(f"zeros in the first map, {v}", v, "zeros", scale=100, unit="%") for v in POOLS}
    moved = {v: runs.quantity(f"changed by 1 pixel, {v}", v, "changed by a shift", scale=100, unit="%") for v in POOLS}
    own = {v: runs.quantity(f"test error, {v}", v, TEST_ERROR, scale=100, unit="%") for v in POOLS}
    valid = (rates_inside(runs, *POOLS), runs.beats(TEST_ERROR, CHANCE, greater=False, variants=[MAX, AVERAGE]))
    return {
        "a": Part(says=SAYS, checks=tuple(checks)),
        "b": Part(
            says="Which of the three classifies best, behind a ReLU?",
            effects=(worse, level),
            shown=(*own.values(), *moved.values()),
            validity_checks=valid,
            because=f"Test error, in %: max {own[MAX].estimate:.1f}, average {own[AVERAGE].estimate:.1f}, min "
            f"{own[MIN].estimate:.1f}. Of what a minimum behind a ReLU passes on, {zeros[MIN].estimate:.0f} % is 0 (of a "
            f"maximum {zeros[MAX].estimate:.0f} %): it keeps what all four values have in common, which is mostly nothing.",
            beyond=True,
        ),
        "c": Part(
            says="Does the minimum fail for itself, or for its place behind a ReLU?",
            effects=(order,),
            shown=tuple(zeros.values()),
            validity_checks=valid[:1],
            because=f"Before the ReLU min pooling has a test error of {own[FIRST].estimate:.1f} %.",
            beyond=True,
        ),
    }


study = Study(
    claim="B18",
    says=SAYS,
    translation="A pooling layer takes the output of a convolution layer, the activation map, and serves to reduce its size or "
    "to emphasise certain data: max pooling, average pooling, min pooling.",
    slide="Pooling Layer",
    work=Measurement(measure),
    variants={pool: {"pool": pool} for pool in POOLS} | {IDENTITIES: Variant(work=Measurement(identities))},
    controlled="a net of three stages with 16, 32 and 32 filters, 2,000 scenes, 400 steps of 64; each rate tuned",
    deviations=(f"drawn scenes of {EASY.image_size[0]} × {EASY.image_size[1]} pixels, one object each",),
    parts=parts,
)
