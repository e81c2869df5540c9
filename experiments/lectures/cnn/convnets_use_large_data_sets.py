"""The more labelled images there are, the further a ConvNet is ahead of hand-made features with a linear classifier.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “leverage large labeled datasets”.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.lectures._tried import rates_inside
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement, Study, Variant
from experiments.studies.verdict import Needs, Part

from ._drawn import CHANCE, EASY
from ._sample_sizes import CONVNET, HOG, STEPS, at, convnet, hand_made


def slope_of_the_gap(runs: Mapping[str, Run]) -> float:
    """By how many points the ConvNet gets further ahead with ten times the images: least squares over log10 n."""
    gaps = [100 * (runs[HOG].value(at(n)) - runs[CONVNET].value(at(n))) for n in STEPS]
    return float(np.polyfit(np.log10(list(STEPS)), gaps, 1)[0])


SAYS = "ConvNets are the most successful example. Leverage large labeled datasets."


def parts(runs: Runs) -> Part:
    """Reproduced: from 100 to 10,000 images the gap between the test errors of HOG with a linear SVM and of the ConvNet grows
    with the logarithm of their number; a growth within ±1 point for ten times the images counts as none."""
    slope = runs.combined("gap, for ten times the images", slope_of_the_gap, unit="points", needs=Needs(low=0, margin=1))
    most, least = max(STEPS), min(STEPS)
    gaps = {n: runs.difference(f"test error, {HOG} − {CONVNET}, n = {n:,}", HOG, CONVNET, at(n)) for n in STEPS}
    exponents = tuple(runs.quantity(f"exponent of the error in n, {v}", v, "exponent") for v in (CONVNET, HOG))
    ends = {v: [runs.quantity(f"{at(n)}, {v}", v, at(n), scale=100, unit="%") for n in (least, most)] for v in (CONVNET, HOG)}
    falls = " and ".join(f"{a.estimate:.0f} to {b.estimate:.0f} % ({v})" for v, (a, b) in ends.items())
    return Part(
        says=SAYS,
        effects=(slope,),
        shown=(*gaps.values(), *ends[CONVNET], *ends[HOG], *exponents),
        validity_checks=(rates_inside(runs, CONVNET), runs.beats(at(most), CHANCE, greater=False, by=0.3, variants=[HOG])),
        because=f"From {least} to {most:,} images the test error falls from {falls}; with ten times the images the "
        f"ConvNet gets {slope.estimate:.1f} points further ahead.",
        also=("That errors fall as a power of n says nothing about ConvNets: those on hand-made features do too.",),
    )


study = Study(
    claim="C09",
    says=SAYS,
    slide="Conclusions - CNNs",
    work=Measurement(convnet),
    variants={CONVNET: {}, HOG: Variant(work=Measurement(hand_made))},
    controlled="scenes, those of a smaller number being among those of a larger; rate and C by validation scenes at "
    "each number",
    deviations=(
        f"drawn scenes of {EASY.image_size[0]} × {EASY.image_size[1]} pixels, one object each, 100 to 10,000",
        f"{min(STEPS.values())} to {max(STEPS.values()):,} steps of 64 images",
    ),
    parts=parts,
    figure="test error",
    figure_axes="log-log",
    figure_x="training images",
)
