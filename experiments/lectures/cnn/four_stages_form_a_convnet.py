"""A ConvNet's four stages, convolution, nonlinearity, pooling and full connection, are each needed: without one it errs more.

Deck “CNN, R-CNN”, slide “CNN 네트워크 구조”. Each is taken out of the same net at equal numbers of parameters.
"""

from __future__ import annotations

from experiments.lectures._tried import rates_inside
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._drawn import CHANCE, EASY
from ._stages import ALIKE, AVERAGED, LINEAR, NONLINEARITY, PARAMETERS, TEST_ERROR, WHOLE, WITHOUT, measure


def same_size(runs: Runs) -> ValidityCheck:
    counts = [value for variant in (WHOLE, *WITHOUT) for value in runs.values(variant, PARAMETERS)]
    passed = max(counts) <= (1 + ALIKE) * min(counts)
    return ValidityCheck("equal numbers of parameters within 2 %", passed, f"{min(counts):,.0f} to {max(counts):,.0f}")


SAYS = (
    "다음의 4가지 핵심 단계가 CNN 네트워크를 형성: Convolution Layer, Non-linearity Step, Pooling Layer, Fully-connected Layer"
)


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: without any one of the four stages the test error is higher. b, beyond the lecture: reproduced if it is
    highest without the nonlinearity. c, beyond the lecture: the same of the nonlinearity where pooling is an average, and
    nothing else is nonlinear. A difference within ±1 point counts as none."""
    more = Needs(low=0, margin=1)
    hurts = {v: runs.difference(f"test error, {v} − {WHOLE}", v, WHOLE, TEST_ERROR, needs=more) for v in WITHOUT}
    most = tuple(
        runs.difference(f"test error, {NONLINEARITY} − {v}", NONLINEARITY, v, TEST_ERROR, needs=more)
        for v in WITHOUT
        if v != NONLINEARITY
    )
    linear = runs.difference(f"test error, {LINEAR} − {AVERAGED}", LINEAR, AVERAGED, TEST_ERROR, needs=more)
    whole = runs.quantity(f"test error, {WHOLE}", WHOLE, TEST_ERROR, scale=100, unit="%")
    learns = runs.beats(TEST_ERROR, CHANCE, greater=False, variants=[WHOLE])
    valid = (rates_inside(runs, WHOLE, *WITHOUT), learns, same_size(runs))
    losses = ", ".join(f"{effect.estimate:+.1f} with {v}" for v, effect in hurts.items())
    return {
        "a": Part(
            says=SAYS,
            effects=tuple(hurts.values()),
            shown=(whole,),
            validity_checks=valid,
            because=f"Of {whole.estimate:.1f} % with all four stages, the test error changes by {losses}, in points.",
        ),
        "b": Part(
            says="Which stage is missed most?",
            effects=most,
            validity_checks=valid,
            because=f"{losses}; behind max pooling a net without ReLUs is not linear.",
            beyond=True,
        ),
        "c": Part(
            says="And where the pooling is an average?",
            effects=(linear,),
            validity_checks=(rates_inside(runs, AVERAGED, LINEAR),),
            because=f"There the net without ReLUs is one linear map of the image, and errs by {linear.estimate:+.1f} points.",
            beyond=True,
        ),
    }


study = Study(
    claim="B19",
    says=SAYS,
    translation="The following four key stages form a CNN network: convolution layer, non-linearity step, pooling layer, "
    "fully-connected layer.",
    slide="CNN 네트워크 구조",
    work=Measurement(measure),
    variants={kind: {"kind": kind} for kind in (*WITHOUT, AVERAGED, LINEAR, WHOLE)},
    controlled="parameters (16,900 within 2 %), normalisation, scenes, 400 steps of 64; each rate tuned",
    deviations=(
        f"drawn scenes of {EASY.image_size[0]} × {EASY.image_size[1]} pixels, one object each",
        "what stands before the full connection is the mean over the map, so that pooling does not change its weights",
    ),
    parts=parts,
)
