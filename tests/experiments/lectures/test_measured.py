"""The verdicts of the studies that are measured, wholly or in part, on runs that nobody made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from experiments.lectures.cnn import kernels_make_linear_predictors_nonlinear as kernels
from experiments.lectures.cnn import minibatches_approximate_the_gradient as minibatches
from experiments.lectures.cnn import momentum_speeds_up_descent as momentum
from experiments.lectures.cnn import sigmoid_gradients_share_a_sign as signs
from experiments.lectures.cnn import squashing_kills_gradients as squashing
from experiments.lectures.cnn._descent import LOSS
from experiments.lectures.cs231n import sliding_window_wastes_computation as sliding
from experiments.lectures.cs231n import strided_convolution_is_learned_downsampling as strided
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement
from experiments.studies.verdict import Level

NAN = float("nan")


def made(
    measured: Mapping[str, Mapping[str, float]], steps: Mapping[str, int | None], threshold: float, budget: int = 1500
) -> Runs:
    """Three runs of each variant: of the measured ones their values, of the trained ones the step of the loss."""
    runs = [Run(variant, seed, None, values) for variant, values in measured.items() for seed in range(3)]
    for variant, count in steps.items():
        last, loss = (budget, threshold + 0.5) if count is None else (count, threshold - 0.1)
        curve = [(0.0, 9.0), (last - 1.0, loss)]
        runs += [Run(variant, seed, 0.01, {LOSS: loss}, {LOSS: curve}) for seed in range(3)]
    return Runs(runs, inside=dict.fromkeys(steps, True))


# A07 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kernel", "slope", "level"),
    [
        (0.55, 0.99, -0.5, Level.REPRODUCED),
        (0.65, 0.99, -0.5, Level.NOT_REPRODUCED),
        (0.55, 0.95, -0.5, Level.NOT_REPRODUCED),
        (0.55, NAN, -0.5, Level.INCONCLUSIVE),
    ],
)
def test_kernels(line: float, kernel: float, slope: float, level: Level) -> None:
    values = {"linear": line, "kernel": kernel}
    variants: dict[str, dict[str, Sequence[float]]] = {
        variant: {"exclusive or": [value] * 10, "circles": [value] * 10} for variant, value in values.items()
    }
    variants["random features"] = {"slope": [slope] * 10}
    assert kernels.verdict(Runs.made_up(variants)).level == level


# A13 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sigmoid", "relu", "level"),
    [
        ([-1.8, -1.9, -1.7], [0.0, 0.1, -0.1], Level.REPRODUCED),
        ([-1.8, -1.9, -1.7], [-0.5, -0.5, -0.4], Level.DIRECTION_ONLY),
        ([-1.0, -0.9, -1.1], [0.0, 0.1, -0.1], Level.DIRECTION_ONLY),
        ([0.1, 0.2, 0.3], [0.0, 0.1, -0.1], Level.NOT_REPRODUCED),
        ([-1.0, 0.5, -1.1], [0.0, 0.1, -0.1], Level.INCONCLUSIVE),
        ([NAN, -1.9, -1.7], [0.0, 0.1, -0.1], Level.INCONCLUSIVE),
    ],
)
def test_squashing(sigmoid: list[float], relu: list[float], level: Level) -> None:
    values = {"sigmoid": sigmoid, "relu": relu}
    variants = {variant: {"slope": values.get(variant, [0.0, 0.0, 0.0])} for variant in squashing.study.variants}
    assert squashing.verdict(Runs.made_up(variants)).level == level


# A15 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "sigmoid", "centred", "double", "level"),
    [
        (1.0, 900, 300, 400, Level.REPRODUCED),
        (1.0, None, 300, 400, Level.REPRODUCED),  # longer than the budget is longer
        (1.0, 300, 900, 400, Level.DIRECTION_ONLY),
        (1.0, 900, 300, 900, Level.DIRECTION_ONLY),
        (0.9, 900, 300, 400, Level.NOT_REPRODUCED),
        (1.0, None, None, 400, Level.INCONCLUSIVE),
        (NAN, 900, 300, 400, Level.INCONCLUSIVE),
    ],
)
def test_signs(share: float, sigmoid: int | None, centred: int | None, double: int | None, level: Level) -> None:
    measured = {signs.SIGMOID: share, signs.CENTRED: 0.0, f"{signs.SIGMOID}, batches": 0.5, f"{signs.CENTRED}, batches": 0.0}
    steps = {signs.SIGMOID: sigmoid, signs.DOUBLE: double, signs.CENTRED: centred}
    runs = made({signs.SIGNS: measured}, steps, signs.THRESHOLD)
    assert signs.verdict(runs).level == level
    runs.inside[signs.SIGMOID] = False
    assert signs.verdict(runs).level == Level.INCONCLUSIVE


# B15 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "full", "mini", "level"),
    [
        (-1.0, 50, 60, Level.REPRODUCED),  # 50 · 2048 images against 60 · 128
        (-1.0, None, 60, Level.REPRODUCED),
        (-1.0, 20, 200, Level.DIRECTION_ONLY),
        (-1.0, 50, None, Level.DIRECTION_ONLY),
        (-0.5, 50, 60, Level.NOT_REPRODUCED),
        (-1.5, 50, 60, Level.NOT_REPRODUCED),
        (-1.0, None, None, Level.INCONCLUSIVE),
        (NAN, 50, 60, Level.INCONCLUSIVE),
    ],
)
def test_minibatches(slope: float, full: int | None, mini: int | None, level: Level) -> None:
    measured = {"slope": slope, "slope without repeats, corrected": slope, f"cosine of {minibatches.BATCH}": 0.9}
    steps = {minibatches.FULL: full, minibatches.MINI: mini}
    runs = made({minibatches.GRADIENTS: measured}, steps, minibatches.THRESHOLD)
    assert minibatches.verdict(runs).level == level
    runs.inside[minibatches.MINI] = False
    assert minibatches.verdict(runs).level == Level.INCONCLUSIVE


# B16 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "later", "without", "with_it", "level"),
    [
        (60_000, 0.0, 400, 200, Level.REPRODUCED),
        (60_000, 0.0, None, 200, Level.REPRODUCED),
        (60_000, 0.0, 200, 200, Level.DIRECTION_ONLY),
        (5_000, 0.0, 400, 200, Level.NOT_REPRODUCED),
        (60_000, 0.1, 400, 200, Level.NOT_REPRODUCED),
        (60_000, 0.0, None, None, Level.INCONCLUSIVE),
        (NAN, 0.0, 400, 200, Level.INCONCLUSIVE),
    ],
)
def test_momentum(plain: float, later: float, without: int | None, with_it: int | None, level: Level) -> None:
    measured = {"plain": plain, "momentum": 1000.0, "controlled": 60_000.0, "later": later, "stale": 0.5}
    runs = made({momentum.QUADRATIC: measured}, {momentum.PLAIN: without, momentum.MOMENTUM: with_it}, momentum.THRESHOLD)
    assert momentum.verdict(runs).level == level
    runs.inside[momentum.PLAIN] = False
    assert momentum.verdict(runs).level == Level.INCONCLUSIVE


# What is measured -----------------------------------------------------------------------------------------------------


def test_a_measured_variant_of_a_trained_study_has_no_learning_rate_and_none_of_the_scales_changes() -> None:
    for study in (signs.study, minibatches.study, momentum.study, strided.study):
        measured = [variant for variant in study.variants if isinstance(study.work_of(variant), Measurement)]
        assert len(measured) == 1
        assert set(study.tuned_variants) == set(study.variants) - set(measured)
        job = study.job("cpu", measured[0], None, 1)
        assert job.function is not None
        assert set(job.settings) == {*study.variant(measured[0]).changes, "seed"}


def test_descent_by_hand() -> None:
    import numpy as np

    start = np.array([1.0, 1.0])
    assert momentum.descend(start, np.array([1.0, 1.0]), 1.0, 0.0) == 1  # one Newton step
    found = momentum.order_of_the_slide(start, np.array([1.0, 10.0]), 0.01, 0.9, 20)
    assert found["later"] < 1e-12 < found["stale"]


def test_the_forecast_of_a_sliding_windows_cost_counts_each_layers_places() -> None:
    from lightning_modules.networks import PatchClassifier

    classifier = PatchClassifier(3, patch_size=6, widths=(2,), hidden=4)  # 4 × 4 places, then 2 × 2 × 2 features
    conv, linear = 3 * 9 * 2, 8 * 4 + 4 * 3
    assert sliding.predicted(classifier, 6) == pytest.approx((16 * conv + linear) / (conv + linear))
