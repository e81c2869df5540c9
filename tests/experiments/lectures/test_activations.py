"""The verdicts on activations, on runs that nobody made, and what is counted for them."""

from __future__ import annotations

import math

import pytest

from experiments.lectures.cnn import relu_is_six_times_faster as six_times
from experiments.lectures.cnn import relu_units_die as dying
from experiments.lectures.cnn import sigmoid_nets_do_not_train_deep as deep
from experiments.lectures.cnn._small_net import TRAINING_ERROR
from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Level


def reaching(**steps: int | None) -> Runs:
    """Three runs of each variant that reach 25 % training error after so many steps, 50 % after half; None never does."""
    runs = []
    for variant, count in steps.items():
        name = variant.replace("_small", ", N(0, 0.01)")
        for seed in range(3):
            last = six_times.BUDGET if count is None else count + seed
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
        (200, 200, 200, 250, Level.NOT_REPRODUCED),
        (200, None, 200, 250, Level.INCONCLUSIVE),  # the initializations disagree
        (200, 1000, None, None, Level.INCONCLUSIVE),
        (200, None, 200, None, Level.INCONCLUSIVE),  # two variants missed the threshold
        (1200, 1200, 1200, 1200, Level.INCONCLUSIVE),  # ReLU stayed on the plateau for longer than a third of the budget
    ],
)
def test_relu_is_six_times_faster(
    tanh: int | None, tanh_small: int | None, relu: int | None, relu_small: int | None, level: Level
) -> None:
    runs = reaching(relu=relu, relu_small=relu_small, tanh=tanh, tanh_small=tanh_small, sigmoid=1000)
    assert six_times.verdict(runs).level == level


def test_an_untuned_variant_leaves_relu_undecided() -> None:
    runs = reaching(relu=200, relu_small=250, tanh=1200, tanh_small=1200, sigmoid=1000)
    runs.inside["tanh"] = False
    assert six_times.verdict(runs).level == Level.INCONCLUSIVE


def test_a_run_that_misses_the_threshold_is_tuned_worse_than_any_that_reaches_it() -> None:
    runs = reaching(relu=1490, tanh=None)
    assert six_times.slowness(runs.of("relu")[0]) < six_times.slowness(runs.of("tanh")[0])


@pytest.mark.parametrize(
    ("by_depth", "longer", "matched", "relu", "level"),
    [
        ((0.1, 0.1, 0.2, 0.9, 0.9), 0.9, 0.2, 0.1, Level.REPRODUCED),
        ((0.1, 0.1, 0.2, 0.9, 0.9), 0.1, 0.2, 0.1, Level.DIRECTION_ONLY),
        ((0.1, 0.1, 0.2, 0.5, 0.9), 0.1, 0.2, 0.1, Level.DIRECTION_ONLY),
        ((0.1, 0.1, 0.2, 0.2, 0.2), 0.1, 0.2, 0.1, Level.NOT_REPRODUCED),
        ((0.1, 0.1, 0.2, 0.9, 0.6), 0.1, 0.2, 0.1, Level.INCONCLUSIVE),
        ((0.1, 0.1, 0.5, 0.9, 0.9), 0.9, 0.2, 0.1, Level.INCONCLUSIVE),
        ((0.1, 0.1, 0.2, 0.9, 0.9), 0.9, 0.2, 0.9, Level.INCONCLUSIVE),  # ReLU does not train either
        ((0.5, 0.1, 0.2, 0.9, 0.9), 0.9, 0.2, 0.1, Level.INCONCLUSIVE),
    ],
)
def test_sigmoid_nets_do_not_train_deep(
    by_depth: tuple[float, ...], longer: float, matched: float, relu: float, level: Level
) -> None:
    errors = dict(zip(deep.SIGMOID.values(), by_depth, strict=True))
    errors |= dict.fromkeys(deep.LONGER.values(), longer) | {deep.MATCHED: matched, deep.RELU: relu}
    variants = {variant: {TRAINING_ERROR: [error, error + 0.01, error]} for variant, error in errors.items()}
    assert deep.verdict(Runs.made_up(variants)).level == level
    untuned = Runs.made_up(variants, inside={deep.SIGMOID[3]: False})
    assert deep.verdict(untuned).level == Level.INCONCLUSIVE


def test_a_net_that_learns_at_no_lr_is_judged_at_the_middle_one() -> None:
    stuck = [Run(deep.SIGMOID[6], 0, lr, {TRAINING_ERROR: error}) for lr, error in ((0.1, 0.88), (0.316, 0.9), (1, 0.89))]
    assert min(stuck, key=deep.score).lr == deep.START
    learning = Run(deep.SIGMOID[6], 0, 1.0, {TRAINING_ERROR: 0.7})
    assert min([*stuck, learning], key=deep.score) is learning


@pytest.mark.parametrize(
    ("dead", "leaky_dead", "relu", "leaky", "level"),
    [
        (0.5, 0.0, 0.2, 0.2, Level.REPRODUCED),
        (0.5, 0.0, 0.2, 0.3, Level.DIRECTION_ONLY),
        (0.0, 0.0, 0.2, 0.2, Level.DIRECTION_ONLY),
        (0.5, 0.1, 0.2, 0.3, Level.INCONCLUSIVE),
        (0.0, 0.0, 0.2, 0.3, Level.NOT_REPRODUCED),
        (0.0, 0.0, 0.3, 0.2, Level.NOT_REPRODUCED),
        (0.5, math.nan, 0.2, 0.2, Level.INCONCLUSIVE),  # it diverged
        (0.5, 0.0, 0.83, 0.2, Level.INCONCLUSIVE),
    ],
)
def test_relu_units_die(dead: float, leaky_dead: float, relu: float, leaky: float, level: Level) -> None:
    errors = {"relu": relu, dying.LEAKY: leaky, "leaky, 0.25": 0.2, "relu, 3×": 0.4, "relu, 10×": 0.83, "leaky, 10×": 0.83}
    shares = {"relu, 10×": dead, "leaky, 10×": leaky_dead}
    variants = {
        variant: {
            dying.TEST_ERROR: [error, error + 0.002, error + 0.001],
            dying.DEAD: [shares.get(variant, 0.0)] * 3,
            dying.INACTIVE: [0.5] * 3,
        }
        for variant, error in errors.items()
    }
    assert dying.verdict(Runs.made_up(variants)).level == level
    assert dying.verdict(Runs.made_up(variants, inside={"relu": False})).level == Level.INCONCLUSIVE
