"""Conventional learning needs features that are extracted beforehand; a convolutional net, given pixels, holds that step.

Deck “CNN, R-CNN”, slide “Convolution Layer”. A linear SVM stands for conventional learning: on pixels, on HOG (the step made by
hand), and on what the convolutions make of the pixels. The control shows the net the same images with their pixels in another,
fixed order: the SVM on pixels sees no difference, and filters find nothing there.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Effect, Needs, Part

from ._hand_features import ERROR, HOG, LEARNED, PERMUTED, PHOTOGRAPHS, PIXELS, RANDOM, HandStudy, named, variants

SAYS = "입력 이미지로부터 필터를 사용하여 특징을 추출; 특징을 추출하는 전처리 단계가 포함 → CNN은 기존의 분류학습과의 차이"
CHANCE = 9 / 10
"""Error of one guess among ten classes."""
ARMS = (RANDOM, PERMUTED, PIXELS, HOG, LEARNED)
WORSE = Needs(low=0, margin=1)


def parts(runs: Runs) -> Part:
    """Reproduced: the linear SVM has a higher test error on pixels than on HOG; on pixels it is at least 5 points higher than
    on the features that the net has learned, and on HOG it is higher than on them; and, as a condition, it is higher on the
    features that the net learns of permuted pixels. Direction only: it is higher on pixels than on both, and on HOG than on
    the learned ones."""

    def gap(worse: str, better: str, needs: Needs | None) -> Effect:
        name = f"test error, {worse} − {better}"
        return runs.difference(name, named(worse, PHOTOGRAPHS), named(better, PHOTOGRAPHS), ERROR, needs=needs)

    errors = {arm: runs.quantity(f"test error, {arm}", named(arm, PHOTOGRAPHS), ERROR, scale=100, unit="%") for arm in ARMS}
    return Part(
        says=SAYS,
        effects=(gap(PIXELS, LEARNED, Needs(low=5, margin=1)), gap(PIXELS, HOG, WORSE), gap(HOG, LEARNED, WORSE)),
        conditions=(gap(PERMUTED, LEARNED, WORSE),),
        validity_checks=(runs.beats(ERROR, CHANCE, greater=False, variants=[named(PIXELS, PHOTOGRAPHS)]),),
        shown=(gap(RANDOM, LEARNED, None), *errors.values()),
        because=f"A linear SVM has {errors[PIXELS].estimate:.0f} % of the test images wrong on pixels, "
        f"{errors[HOG].estimate:.0f} % on HOG and {errors[LEARNED].estimate:.0f} % behind the learned convolutions, which see "
        f"pixels; where these are permuted, {errors[PERMUTED].estimate:.0f} %.",
    )


study = HandStudy(
    claim="B11",
    says=SAYS,
    translation="Features are extracted from the input image with filters; the preprocessing step that extracts features is "
    "included → how CNNs differ from conventional learning of classifiers",
    slide="Convolution Layer",
    variants=variants(ARMS, PHOTOGRAPHS),
    parts=parts,
)
