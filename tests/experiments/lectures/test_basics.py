"""The verdicts on kernels, gradients and descent, on runs that nobody made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from experiments.lectures.cnn import kernels_make_linear_predictors_nonlinear as kernels
from experiments.lectures.cnn import learning_rate_decay_helps as decay
from experiments.lectures.cnn import minibatches_approximate_the_gradient as minibatches
from experiments.lectures.cnn import momentum_speeds_up_descent as momentum
from experiments.lectures.cnn import sigmoid_gradients_share_a_sign as signs
from experiments.lectures.cnn import squashing_kills_gradients as squashing
from experiments.lectures.cnn._descent import LOSS
from experiments.lectures.cnn._scenes import training_images
from experiments.lectures.cnn._small_net import TEST_ERROR, TRAINING_ERROR
from experiments.studies.levels import Level
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns

NAN = float("nan")


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


def made(
    measured: Mapping[str, Mapping[str, float]],
    steps: Mapping[str, int | None],
    threshold: float,
    *,
    seeds: int,
    batches: Mapping[str, int] | None = None,
) -> Runs:
    """Runs of each variant: of the measured ones their values, of the trained ones the step of the loss, a little apart."""
    runs = [Run(variant, seed, None, values) for variant, values in measured.items() for seed in range(seeds)]
    for variant, count in steps.items():
        size = float((batches or {}).get(variant, 64))
        for seed in range(seeds):
            last, loss = (1500, threshold + 0.5) if count is None else (count + seed % 3, threshold - 0.1)
            curve = [(0.0, 9.0), (last - 1.0, loss)]
            runs.append(Run(variant, seed, 0.01, {LOSS: loss, "batch/size": size}, {LOSS: curve}))
    return Runs(runs, inside=dict.fromkeys(steps, True))


# A07 ------------------------------------------------------------------------------------------------------------------


def lines_and_kernels(line: float, kernel: float, best: float = 0.68) -> Runs:
    def values(accuracy: float) -> dict[str, list[float]]:
        own = {name: [accuracy + seed / 1000 for seed in range(10)] for name in kernels.PROBLEMS}
        return own | {f"{name}, best line": [best] * 10 for name in kernels.PROBLEMS}

    variants = {kernels.LINE: values(line), kernels.KERNEL: values(kernel), kernels.RANDOM: {"slope": [-0.5] * 10}}
    return Runs.made_up(variants)


@pytest.mark.parametrize(
    ("line", "kernel", "best", "level"),
    [
        (0.55, 0.99, 0.68, Level.REPRODUCED),
        (0.68, 0.99, 0.68, Level.REPRODUCED),  # the best line there is
        (0.68, 0.90, 0.68, Level.DIRECTION_ONLY),
        (0.68, 0.60, 0.68, Level.NOT_REPRODUCED),
        (0.55, NAN, 0.68, Level.INCONCLUSIVE),
    ],
)
def test_kernels(line: float, kernel: float, best: float, level: Level) -> None:
    assert levels(kernels.study, lines_and_kernels(line, kernel, best)) == (level,)


def test_a_kernel_that_is_exchanged_with_the_line_loses() -> None:
    assert_exchange_turns(kernels.study, lines_and_kernels(0.6, 0.99))


def test_no_line_has_more_than_three_quarters_of_the_exclusive_or() -> None:
    points, classes = kernels.exclusive_or(np.random.default_rng(0), 2000)
    assert 0.6 < kernels.best_line(points, classes) <= 0.75
    assert kernels.best_line(points, np.sign(points[:, 0])) == 1.0


# A13 ------------------------------------------------------------------------------------------------------------------


def slopes(sigmoid: float, relu: float, matched: float = -0.5) -> Runs:
    values = {"sigmoid": sigmoid, "relu": relu, "sigmoid, matched": matched}
    spread = [0.0, 0.05, -0.05, 0.02, -0.03]
    return Runs.made_up(
        {
            variant: {"slope": [values.get(variant, 0.0) + (e if i % 3 else -e) for e in spread]}
            for i, variant in enumerate(squashing.study.variants)
        }
    )


@pytest.mark.parametrize(
    ("sigmoid", "relu", "level"),
    [
        (-1.8, 0.0, Level.REPRODUCED),
        (-1.8, -0.5, Level.DIRECTION_ONLY),
        (-1.0, 0.0, Level.DIRECTION_ONLY),
        (0.2, 0.0, Level.NOT_REPRODUCED),
        (0.0, 0.0, Level.INCONCLUSIVE),
        (NAN, 0.0, Level.INCONCLUSIVE),
    ],
)
def test_squashing(sigmoid: float, relu: float, level: Level) -> None:
    assert levels(squashing.study, slopes(sigmoid, relu))[0] == level


def test_squashing_turns() -> None:
    runs = slopes(-1.8, 0.0)
    assert levels(squashing.study, runs) == (Level.REPRODUCED, Level.REPRODUCED)
    assert_exchange_turns(squashing.study, runs)


# A15 ------------------------------------------------------------------------------------------------------------------


def centring(share: float, sigmoid: int | None, centred: int | None, double: int | None, control: float = 0.0) -> Runs:
    measured = {
        signs.SIGMOID: share,
        signs.CENTRED: control,
        f"{signs.SIGMOID}, batches": 0.5,
        f"{signs.CENTRED}, batches": 0.0,
    }
    steps = {signs.SIGMOID: sigmoid, signs.DOUBLE: double, signs.CENTRED: centred}
    return made({signs.SIGNS: measured}, steps, signs.THRESHOLD, seeds=5)


@pytest.mark.parametrize(
    ("runs", "a", "b"),
    [
        (centring(1.0, 900, 300, 400), Level.EXACT, Level.REPRODUCED),
        (centring(1.0, 300, 900, 400), Level.EXACT, Level.NOT_REPRODUCED),
        (centring(1.0, 900, 300, 900), Level.EXACT, Level.NOT_REPRODUCED),  # slower than one of the two alone
        (centring(0.9, 900, 300, 400), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (centring(1.0, 900, 300, 400, control=1.0), Level.INCONCLUSIVE, Level.REPRODUCED),  # all would have one sign
        (centring(1.0, None, None, 400), Level.EXACT, Level.INCONCLUSIVE),
        (centring(NAN, 900, 300, 400), Level.INCONCLUSIVE, Level.REPRODUCED),
    ],
)
def test_signs(runs: Runs, a: Level, b: Level) -> None:
    assert levels(signs.study, runs) == (a, b)
    runs.inside[signs.SIGMOID] = False  # the signs need no learning rate
    assert levels(signs.study, runs) == (a, Level.INCONCLUSIVE)


def test_signs_turn() -> None:
    assert_exchange_turns(signs.study, centring(1.0, 900, 300, 400))


# B15 ------------------------------------------------------------------------------------------------------------------


def batches(slope: float, full: int | None, mini: int | None) -> Runs:
    measured = {"slope": slope, "slope without repeats, corrected": slope, f"cosine of {minibatches.BATCH}": 0.9}
    steps = {minibatches.FULL: full, minibatches.MINI: mini}
    sizes = {minibatches.FULL: minibatches.IMAGES, minibatches.MINI: minibatches.BATCH}
    return made({minibatches.GRADIENTS: measured}, steps, minibatches.THRESHOLD, seeds=5, batches=sizes)


@pytest.mark.parametrize(
    ("slope", "full", "mini", "a", "b"),
    [
        (-1.0, 50, 60, Level.REPRODUCED, Level.REPRODUCED),  # 50 · 2048 images against 60 · 128
        (-1.0, 20, 200, Level.REPRODUCED, Level.DIRECTION_ONLY),
        (-1.0, 20, 600, Level.REPRODUCED, Level.NOT_REPRODUCED),
        (-1.0, None, None, Level.REPRODUCED, Level.INCONCLUSIVE),
        (-0.5, 50, 60, Level.DIRECTION_ONLY, Level.REPRODUCED),
        (0.5, 50, 60, Level.NOT_REPRODUCED, Level.REPRODUCED),
        (NAN, 50, 60, Level.INCONCLUSIVE, Level.REPRODUCED),
    ],
)
def test_minibatches(slope: float, full: int | None, mini: int | None, a: Level, b: Level) -> None:
    runs = batches(slope, full, mini)
    assert levels(minibatches.study, runs) == (a, b)
    runs.inside[minibatches.MINI] = False
    assert levels(minibatches.study, runs) == (a, Level.INCONCLUSIVE)


def test_minibatches_turn() -> None:
    assert_exchange_turns(minibatches.study, batches(-1.0, 50, 60))


# B16 ------------------------------------------------------------------------------------------------------------------


def descents(plain: float, later: float, without: int | None, with_it: int | None) -> Runs:
    counts = {momentum.QUADRATIC: plain, momentum.POLYAK: 1000.0, momentum.CONTROLLED: 50_000.0}
    measured = {variant: {"steps": steps, "later": later, "stale": 0.5} for variant, steps in counts.items()}
    return made(measured, {momentum.PLAIN: without, momentum.MOMENTUM: with_it}, momentum.THRESHOLD, seeds=10)


@pytest.mark.parametrize(
    ("plain", "later", "without", "with_it", "a", "b"),
    [
        (60_000, 0.0, 400, 200, Level.REPRODUCED, Level.REPRODUCED),
        (60_000, 0.0, None, 200, Level.REPRODUCED, Level.REPRODUCED),  # over 4 times
        (60_000, 0.0, 210, 200, Level.REPRODUCED, Level.DIRECTION_ONLY),
        (60_000, 0.0, 200, 200, Level.REPRODUCED, Level.NOT_REPRODUCED),
        (60_000, 0.0, 200, 400, Level.REPRODUCED, Level.NOT_REPRODUCED),
        (5_000, 0.0, 400, 200, Level.DIRECTION_ONLY, Level.REPRODUCED),
        (500, 0.0, 400, 200, Level.NOT_REPRODUCED, Level.REPRODUCED),
        (60_000, 0.1, 400, 200, Level.NOT_REPRODUCED, Level.REPRODUCED),
        (60_000, 0.0, None, None, Level.REPRODUCED, Level.INCONCLUSIVE),
        (NAN, 0.0, 400, 200, Level.INCONCLUSIVE, Level.REPRODUCED),
    ],
)
def test_momentum(plain: float, later: float, without: int | None, with_it: int | None, a: Level, b: Level) -> None:
    runs = descents(plain, later, without, with_it)
    assert levels(momentum.study, runs) == (a, b)
    runs.inside[momentum.PLAIN] = False
    assert levels(momentum.study, runs) == (a, Level.INCONCLUSIVE)


def test_momentum_turns() -> None:
    assert_exchange_turns(momentum.study, descents(60_000, 0.0, 400, 200))


def test_descent_by_hand() -> None:
    start = np.array([1.0, 1.0])
    assert momentum.descend(start, np.array([1.0, 1.0]), 1.0, 0.0) == 1  # one Newton step
    found = momentum.order_of_the_slide(start, np.array([1.0, 10.0]), 0.01, 0.9, 20)
    assert found["later"] < 1e-12 < found["stale"]


# B17 ------------------------------------------------------------------------------------------------------------------


def decays(constant: float, steps: float, cosine: float) -> Runs:
    spread = [0.0, 0.002, -0.002, 0.001, -0.001]
    errors = {decay.CONSTANT: constant, "steps": steps, "cosine": cosine}
    signed = {decay.CONSTANT: 1, "steps": -1, "cosine": -1}
    return Runs.made_up(
        {v: {TRAINING_ERROR: [e + signed[v] * x for x in spread], TEST_ERROR: [e] * 5} for v, e in errors.items()},
        inside=dict.fromkeys(errors, True),
    )


@pytest.mark.parametrize(
    ("constant", "steps", "cosine", "level"),
    [
        (0.2, 0.1, 0.1, Level.REPRODUCED),
        (0.2, 0.1, 0.2, Level.NOT_REPRODUCED),  # the same within a point
        (0.1, 0.2, 0.2, Level.NOT_REPRODUCED),
        (0.8, 0.1, 0.1, Level.INCONCLUSIVE),  # the control learns nothing
    ],
)
def test_decay(constant: float, steps: float, cosine: float, level: Level) -> None:
    assert levels(decay.study, decays(constant, steps, cosine)) == (level,)


def test_decay_turns() -> None:
    assert_exchange_turns(decay.study, decays(0.2, 0.1, 0.1))


# What is measured -----------------------------------------------------------------------------------------------------


def test_a_measured_variant_of_a_trained_study_has_no_learning_rate_and_none_of_the_scales_changes() -> None:
    for study, count in ((signs.study, 1), (minibatches.study, 1), (momentum.study, 3)):
        measured = [variant for variant in study.variants if isinstance(study.work_of(variant), Measurement)]
        assert len(measured) == count
        assert set(study.tuned_variants) == set(study.variants) - set(measured)
        job = study.job("cpu", measured[0], None, 1)
        assert job.function is not None
        assert set(job.settings) == {*study.variant(measured[0]).changes, "seed"}


def test_a_seed_draws_other_images() -> None:
    first, second = (training_images(signs.RECIPE, 4, data_seed=seed)[0] for seed in (0, 1))
    assert not bool((first == second).all())
