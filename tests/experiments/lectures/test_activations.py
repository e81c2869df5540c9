"""The verdicts on activations, on runs that nobody made, and what is counted for them."""

from __future__ import annotations

import math

import pytest

from experiments.lectures.cnn import relu_is_six_times_faster as six_times
from experiments.lectures.cnn import relu_units_die as dying
from experiments.lectures.cnn import sigmoid_nets_do_not_train_deep as deep
from experiments.lectures.cnn._small_net import TRAINING_ERROR
from experiments.studies.levels import Level
from experiments.studies.results import Run, Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


# A17 ------------------------------------------------------------------------------------------------------------------


def reaching(**steps: int | None) -> Runs:
    """Six runs of each variant that reach 25 % training error after so many steps, 50 % after half; None never does."""
    runs = []
    for variant, count in steps.items():
        name = variant.replace("_small", ", N(0, 0.01)")
        for seed in range(6):
            last = six_times.BUDGET if count is None else count + seed % 3
            error = 0.9 if count is None else 0.24
            curve = [(last // 2 - 1, 0.9 if count is None else 0.5), (last - 1, error)]
            runs.append(Run(name, seed, 0.01, {TRAINING_ERROR: error}, {TRAINING_ERROR: curve}))
    return Runs(runs)


@pytest.mark.parametrize(
    ("tanh", "tanh_small", "relu", "relu_small", "level"),
    [
        (1200, 1200, 200, 250, Level.REPRODUCED),
        (400, 400, 200, 250, Level.DIRECTION_ONLY),
        (1450, 400, 100, 250, Level.DIRECTION_ONLY),  # 14 times is more than twice the paper's
        (None, None, 200, 250, Level.DIRECTION_ONLY),  # over 7 times, and nobody knows how much over
        (1200, 250, 200, 250, Level.DIRECTION_ONLY),  # small weights do not show it
        (200, 200, 200, 250, Level.NOT_REPRODUCED),
        (150, 1000, 200, 250, Level.NOT_REPRODUCED),
        (200, 1000, None, 250, Level.INCONCLUSIVE),
        (None, 1200, None, 250, Level.INCONCLUSIVE),  # two variants missed the threshold
        (1200, 1200, 1200, 1200, Level.INCONCLUSIVE),  # ReLU stayed on the plateau for longer than a third of the budget
    ],
)
def test_relu_is_six_times_faster_than_tanh(
    tanh: int | None, tanh_small: int | None, relu: int | None, relu_small: int | None, level: Level
) -> None:
    runs = reaching(relu=relu, relu_small=relu_small, tanh=tanh, tanh_small=tanh_small, sigmoid=1000)
    assert levels(six_times.study, runs)[0] == level


@pytest.mark.parametrize(
    ("sigmoid", "level"),
    [(1000, Level.REPRODUCED), (400, Level.DIRECTION_ONLY), (None, Level.DIRECTION_ONLY), (150, Level.NOT_REPRODUCED)],
)
def test_relu_is_six_times_faster_than_sigmoid(sigmoid: int | None, level: Level) -> None:
    runs = reaching(relu=200, relu_small=250, tanh=200, tanh_small=250, sigmoid=sigmoid)
    assert levels(six_times.study, runs) == (Level.NOT_REPRODUCED, level)


def test_an_untuned_variant_leaves_its_own_part_undecided() -> None:
    for untuned, expected in (
        ("tanh", (Level.INCONCLUSIVE, Level.REPRODUCED)),
        ("sigmoid", (Level.REPRODUCED, Level.INCONCLUSIVE)),
        ("relu", (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
    ):
        runs = reaching(relu=200, relu_small=250, tanh=1200, tanh_small=1200, sigmoid=1000)
        runs.inside[untuned] = False
        assert levels(six_times.study, runs) == expected


def test_six_times_turns() -> None:
    # Slower within a third of the budget, so that no validity check hides the exchange.
    assert_exchange_turns(six_times.study, reaching(relu=100, relu_small=100, tanh=450, tanh_small=450, sigmoid=450))


def test_a_run_that_misses_the_threshold_is_tuned_worse_than_any_that_reaches_it() -> None:
    runs = reaching(relu=1490, tanh=None)
    assert six_times.slowness(runs.of("relu")[0]) < six_times.slowness(runs.of("tanh")[0])


# A14 ------------------------------------------------------------------------------------------------------------------

SPREAD = (0.0, 0.01, -0.01, 0.005, -0.005)


def depths(by_depth: tuple[float, ...], longer: tuple[float, float], matched: float = 0.2, relu: float = 0.1) -> Runs:
    """Training errors by hidden layers, of four and six in ten times the steps, of matched weights and of ReLU."""
    errors = dict(zip(deep.SIGMOID.values(), by_depth, strict=True))
    errors |= dict(zip(deep.LONGER.values(), longer, strict=True)) | {deep.MATCHED: matched, deep.RELU: relu}
    return Runs.made_up(
        {variant: {TRAINING_ERROR: [error + x for x in SPREAD]} for variant, error in errors.items()},
        inside=dict.fromkeys(errors, True),
    )


@pytest.mark.parametrize(
    ("by_depth", "longer", "relu", "level"),
    [
        ((0.1, 0.1, 0.2, 0.9, 0.9), (0.9, 0.9), 0.1, Level.REPRODUCED),
        ((0.1, 0.1, 0.2, 0.9, 0.9), (0.1, 0.9), 0.1, Level.DIRECTION_ONLY),  # four layers need more steps
        ((0.1, 0.1, 0.2, 0.5, 0.9), (0.1, 0.9), 0.1, Level.DIRECTION_ONLY),
        ((0.1, 0.1, 0.5, 0.9, 0.9), (0.9, 0.9), 0.1, Level.DIRECTION_ONLY),
        ((0.1, 0.1, 0.2, 0.9, 0.6), (0.9, 0.6), 0.1, Level.DIRECTION_ONLY),
        ((0.1, 0.1, 0.2, 0.9, 0.9), (0.1, 0.1), 0.1, Level.NOT_REPRODUCED),  # six layers as well
        ((0.1, 0.1, 0.2, 0.2, 0.2), (0.1, 0.1), 0.1, Level.NOT_REPRODUCED),
        ((0.1, 0.1, 0.2, 0.9, 0.3), (0.9, 0.9), 0.1, Level.INCONCLUSIVE),
        ((0.1, 0.1, 0.2, 0.9, 0.9), (0.9, 0.9), 0.9, Level.INCONCLUSIVE),  # ReLU does not train either
        ((0.5, 0.1, 0.2, 0.9, 0.9), (0.9, 0.9), 0.1, Level.INCONCLUSIVE),
    ],
)
def test_sigmoid_nets_do_not_train_deep(
    by_depth: tuple[float, ...], longer: tuple[float, float], relu: float, level: Level
) -> None:
    runs = depths(by_depth, longer, relu=relu)
    assert levels(deep.study, runs)[0] == level
    runs.inside[deep.SIGMOID[3]] = False
    assert levels(deep.study, runs)[0] == Level.INCONCLUSIVE


def test_the_wall_turns() -> None:
    runs = depths((0.1, 0.1, 0.2, 0.9, 0.9), (0.9, 0.9))
    assert levels(deep.study, runs) == (Level.REPRODUCED, Level.REPRODUCED)
    error = "training error, {}".format
    shallow = {error(deep.SIGMOID[d]): [(deep.SIGMOID[d], deep.SIGMOID[6])] for d in (2, 3)}
    more = {error(deep.LONGER[d]): [(deep.LONGER[d], deep.SIGMOID[3])] for d in (4, 6)}
    steep = {error(deep.SIGMOID[d]): [(deep.SIGMOID[d], deep.SIGMOID[3])] for d in (4, 6)}
    assert_exchange_turns(deep.study, runs, shallow | more | steep)


def test_a_net_that_learns_at_no_lr_is_judged_at_the_middle_one() -> None:
    stuck = [Run(deep.SIGMOID[6], 0, lr, {TRAINING_ERROR: error}) for lr, error in ((0.1, 0.88), (0.316, 0.9), (1, 0.89))]
    assert min(stuck, key=deep.score).lr == deep.START
    learning = Run(deep.SIGMOID[6], 0, 1.0, {TRAINING_ERROR: 0.7})
    assert min([*stuck, learning], key=deep.score) is learning


# A18 ------------------------------------------------------------------------------------------------------------------


def units(dead: float, leaky_dead: float, relu: float, leaky: float) -> Runs:
    """Shares of dead units at ten times the best rate, and test errors at the best."""
    errors = {"relu": relu, dying.LEAKY: leaky, "leaky, 0.25": 0.2, "relu, 3×": 0.4, "relu, 10×": 0.83, "leaky, 10×": 0.83}
    shares = {"relu, 10×": dead, "leaky, 10×": leaky_dead}
    spread = (0.0, 0.003, 0.001, -0.003, -0.001)
    variants = {
        variant: {
            dying.TEST_ERROR: [error + (x if variant == "relu" else -x) for x in spread],
            dying.DEAD: [shares.get(variant, 0.0)] * 5,
            dying.INACTIVE: [0.5] * 5,
        }
        for variant, error in errors.items()
    }
    return Runs.made_up(variants, inside=dict.fromkeys(errors, True))


@pytest.mark.parametrize(
    ("dead", "leaky_dead", "relu", "leaky", "a", "b"),
    [
        (0.5, 0.0, 0.2, 0.2, Level.REPRODUCED, Level.REPRODUCED),
        (0.5, 0.0, 0.2, 0.3, Level.REPRODUCED, Level.NOT_REPRODUCED),
        (0.5, 0.0, 0.2, 0.21, Level.REPRODUCED, Level.INCONCLUSIVE),
        (0.0, 0.0, 0.2, 0.2, Level.NOT_REPRODUCED, Level.REPRODUCED),
        (0.5, 0.1, 0.2, 0.2, Level.NOT_REPRODUCED, Level.REPRODUCED),  # leaky ReLU dies too
        (0.5, math.nan, 0.2, 0.2, Level.INCONCLUSIVE, Level.REPRODUCED),  # it diverged
        (0.5, 0.0, 0.83, 0.2, Level.INCONCLUSIVE, Level.INCONCLUSIVE),
    ],
)
def test_relu_units_die(dead: float, leaky_dead: float, relu: float, leaky: float, a: Level, b: Level) -> None:
    runs = units(dead, leaky_dead, relu, leaky)
    assert levels(dying.study, runs) == (a, b)
    runs.inside["relu"] = False
    assert levels(dying.study, runs) == (Level.INCONCLUSIVE, Level.INCONCLUSIVE)


def test_dying_turns() -> None:
    # That the errors are the same is an equivalence, which no exchange can turn.
    assert_exchange_turns(dying.study, units(0.5, 0.0, 0.2, 0.2))
