"""The verdicts on learned features, layers, margins and codes, on runs that nobody made; and what their measurements do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from experiments.lectures.cnn import _annotated_pixels as pixels
from experiments.lectures.cnn import _hand_features as hand
from experiments.lectures.cnn import _layer_probes as probes
from experiments.lectures.cnn import _margins as lines
from experiments.lectures.cnn import _shared_units as units
from experiments.lectures.cnn import codes_are_distributed as codes
from experiments.lectures.cnn import convolutions_hold_the_feature_extraction as inside
from experiments.lectures.cnn import end_to_end_beats_fixed_features as end_to_end
from experiments.lectures.cnn import features_grow_from_edges_to_objects as grow
from experiments.lectures.cnn import svms_maximise_the_margin as svms
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741
APART = [0.3, 0.6, 0.35, 0.55, 0.45]


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


# A01 ------------------------------------------------------------------------------------------------------------------


def fixed(hog: Sequence[float], random: Sequence[float], shuffled: Sequence[float], learned: Sequence[float]) -> Runs:
    """The same test errors on photographs and on drawn scenes."""
    made = {hand.HOG: hog, hand.RANDOM: random, hand.SHUFFLED: shuffled, hand.LEARNED: learned}
    return Runs.made_up(
        {
            hand.named(name, root): {hand.ERROR: list(errors), hand.OWN: list(errors)}
            for root in (hand.PHOTOGRAPHS, None)
            for name, errors in made.items()
        }
    )


@pytest.mark.parametrize(
    ("hog", "random", "shuffled", "learned", "level"),
    [
        (five(0.55), five(0.53), five(0.60), five(0.45), R),
        (five(0.48), five(0.53), five(0.60), five(0.45), D),  # 3 points, and not 5
        (five(0.55), five(0.53), five(0.45), five(0.45), D),  # any training is as good
        (five(0.45), five(0.53), five(0.60), five(0.45), N),
        (five(0.40), five(0.53), five(0.60), five(0.45), N),
        (five(0.55), five(0.40), five(0.60), five(0.45), N),
        (five(0.55), APART, five(0.60), five(0.45), I),
        (five(0.89), five(0.53), five(0.60), five(0.45), I),  # HOG at chance is no control
    ],
)
def test_learned_features(
    hog: list[float], random: list[float], shuffled: list[float], learned: list[float], level: Level
) -> None:
    assert levels(end_to_end.study, fixed(hog, random, shuffled, learned))[0] == level


def test_photographs_and_scenes_are_judged_apart() -> None:
    runs = fixed(five(0.55), five(0.53), five(0.60), five(0.45))
    scenes = hand.named(hand.LEARNED, None), hand.named(hand.HOG, None)
    assert levels(end_to_end.study, runs) == (R, R)
    assert levels(end_to_end.study, runs.exchanged(*scenes)) == (R, N)


def test_fixed_features_that_are_exchanged_with_learned_ones_lose() -> None:
    assert_exchange_turns(end_to_end.study, fixed(five(0.55), five(0.53), five(0.60), five(0.45)))


# B11 ------------------------------------------------------------------------------------------------------------------


def extraction(pixel: Sequence[float], hog: Sequence[float], permuted: Sequence[float], learned: Sequence[float]) -> Runs:
    made = {hand.PIXELS: pixel, hand.HOG: hog, hand.PERMUTED: permuted, hand.LEARNED: learned, hand.RANDOM: five(0.53)}
    return Runs.made_up({hand.named(name, hand.PHOTOGRAPHS): {hand.ERROR: list(errors)} for name, errors in made.items()})


@pytest.mark.parametrize(
    ("pixel", "hog", "permuted", "learned", "level"),
    [
        (five(0.65), five(0.55), five(0.60), five(0.45), R),
        (five(0.65), five(0.55), five(0.45), five(0.45), D),  # filters work without neighbours: it is not they
        (five(0.48), five(0.47), five(0.60), five(0.45), D),
        (five(0.55), five(0.65), five(0.60), five(0.45), N),  # no preprocessing is needed
        (five(0.65), five(0.45), five(0.60), five(0.55), N),  # nor does the net have it
        (five(0.65), APART, five(0.60), five(0.45), I),
        (five(0.85), five(0.55), five(0.60), five(0.45), I),
    ],
)
def test_extraction_inside(
    pixel: list[float], hog: list[float], permuted: list[float], learned: list[float], level: Level
) -> None:
    assert levels(inside.study, extraction(pixel, hog, permuted, learned)) == (level,)


def test_an_extraction_that_is_exchanged_is_outside() -> None:
    assert_exchange_turns(inside.study, extraction(five(0.65), five(0.55), five(0.60), five(0.45)))


def test_both_studies_of_features_share_their_runs() -> None:
    jobs = {s.claim: {s.job("cpu", v, None, 0).hash for v in s.variants} for s in (end_to_end.study, inside.study)}
    assert len(jobs["A01"] & jobs["B11"]) == 3


# A06 ------------------------------------------------------------------------------------------------------------------


def margins(svm: float, perceptron: float, exact: float = 0.1, slsqp: float | None = None) -> Runs:
    def values(margin: float) -> list[float]:
        return [margin * (1 + seed / 5000) for seed in range(10)]

    made = {lines.SVM: svm, lines.PERCEPTRON: perceptron, lines.LOGISTIC: 0.09, lines.EXACT: exact}
    variants = {name: {lines.MARGIN: values(margin)} for name, margin in made.items()}
    variants[lines.EXACT][lines.SLSQP] = values(slsqp or exact)
    return Runs.made_up(variants)


@pytest.mark.parametrize(
    ("svm", "perceptron", "slsqp", "level"),
    [
        (0.0995, 0.05, None, R),
        (0.0950, 0.05, None, N),  # it does not reach the greatest
        (0.0995, 0.1, None, N),
        (-0.01, 0.05, None, I),  # some point is wrong: no margin
        (0.0995, 0.05, 0.11, N),  # the solvers do not agree
    ],
)
def test_margins(svm: float, perceptron: float, slsqp: float | None, level: Level) -> None:
    assert levels(svms.study, margins(svm, perceptron, slsqp=slsqp)) == (level,)


def test_a_perceptron_that_is_exchanged_with_the_svm_has_the_smaller_margin() -> None:
    assert_exchange_turns(svms.study, margins(0.0995, 0.05))


# A02 ------------------------------------------------------------------------------------------------------------------


def layers(trained: Sequence[float], random: Sequence[float] = (1, 2, 2, 2), accuracy: float = 0.8, rise: float = 0.2) -> Runs:
    """Layers of edge, texture, part and class; of the net that was taught nothing those of the random one."""

    def values(of_net: Sequence[float], right: float) -> dict[str, list[float]]:
        own = {name: [layer + 0.001 * seed for seed in range(6)] for name, layer in zip(probes.JUDGED, of_net, strict=True)}
        own |= {pixels.CORNERS: own["part"]}
        return own | {probes.ACCURACY: [right] * 6} | {f"rise of {name}": [rise] * 6 for name in own}

    nets = {
        probes.TRAINED: values(trained, accuracy),
        probes.RANDOM: values(random, 0.17),
        probes.SHUFFLED: values(random, 0.17),
    }
    return Runs.made_up(nets)


@pytest.mark.parametrize(
    ("trained", "random", "accuracy", "rise", "level"),
    [
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.8, 0.2, R),
        ((1, 2, 3, 3), (1, 2, 2, 2), 0.8, 0.2, N),
        ((1, 3, 2, 5), (1, 2, 2, 2), 0.8, 0.2, N),
        ((1, 2, 3, 5), (1, 2, 3, 6), 0.8, 0.2, D),  # a random net has the order too
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.3, 0.2, I),
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.8, 0.01, I),
    ],
)
def test_layers(trained: Sequence[float], random: Sequence[float], accuracy: float, rise: float, level: Level) -> None:
    assert levels(grow.study, layers(trained, random, accuracy, rise)) == (level,)


def test_a_random_net_that_is_exchanged_with_the_trained_one_shows_no_order() -> None:
    assert_exchange_turns(grow.study, layers((1, 2, 3, 5)))


# A20 ------------------------------------------------------------------------------------------------------------------


def coded(
    shared: Sequence[float] = five(0.7),
    fall: Sequence[float] = five(0.2),
    shallow: Sequence[float] = five(0.55),
    deep: Sequence[float] = five(0.45),
    parameters: float = 9800.0,
) -> Runs:
    def values(shared: Sequence[float], fall: Sequence[float], errors: Sequence[float], count: float) -> dict[str, list[float]]:
        figures = {units.SHARED: list(shared), units.FALL: list(fall), units.ERROR: list(errors)}
        return figures | {units.CODES: [90.0] * 5, units.PARAMETERS: [count] * 5}

    return Runs.made_up(
        {
            units.SHALLOW: values(five(0.5), five(0.2), shallow, parameters),
            units.MIDDLE: values(five(0.5), five(0.2), five(0.5), 9826.0),
            units.RANDOM: values(five(0.3), five(0.2), five(0.6), 9682.0),
            units.CELLS: values(five(0.1), five(0.5), five(0.5), 5000.0),
            units.DEEP: values(shared, fall, deep, 9682.0),
        }
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (coded(), (R, R)),
        (coded(shared=five(0.4)), (D, R)),  # a missed threshold refutes nothing
        (coded(shared=five(0.05)), (D, R)),
        (coded(fall=APART), (I, R)),
        (coded(fall=five(0.6)), (N, R)),
        (coded(deep=five(0.55)), (R, N)),
        (coded(deep=five(0.6)), (R, N)),
        (coded(deep=APART), (R, I)),
        (coded(parameters=12_000), (R, N)),
        (coded(shallow=five(0.89)), (I, I)),
    ],
)
def test_codes(runs: Runs, expected: tuple[Level, Level]) -> None:
    assert levels(codes.study, runs) == expected


def test_grandmother_cells_that_are_exchanged_with_units_are_missed_less() -> None:
    assert_exchange_turns(codes.study, coded())
