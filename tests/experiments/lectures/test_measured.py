"""The verdicts of the studies that are measured, wholly or in part, on runs that nobody made."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from experiments.lectures.cs231n import sliding_window_wastes_computation as sliding
from experiments.lectures.cs231n import strided_convolution_is_learned_downsampling as strided
from experiments.studies.results import Runs
from experiments.studies.verdict import Level

NAN = float("nan")


# F03 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "cpu", "difference", "level"),
    [
        (30.0, 40.0, 1e-7, Level.REPRODUCED),
        (10.0, 40.0, 1e-7, Level.DIRECTION_ONLY),
        (0.9, 0.8, 1e-7, Level.NOT_REPRODUCED),
        (30.0, 40.0, 1e-3, Level.INCONCLUSIVE),
        (NAN, 40.0, 1e-7, Level.INCONCLUSIVE),
    ],
)
def test_sliding_window(operations: float, cpu: float, difference: float, level: Level) -> None:
    values = {"operations": operations, "cpu": cpu, "wall": cpu, "predicted": 45.0, "difference": difference}
    variants = {variant: {name: [value] * 3 for name, value in values.items()} for variant in sliding.study.variants}
    assert sliding.verdict(Runs.made_up(variants)).level == level


# F11 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stride", "pooling", "difference", "level"),
    [
        ([0.801, 0.800, 0.802], [0.8, 0.8, 0.8], 0.0, Level.REPRODUCED),
        ([0.75, 0.76, 0.75], [0.8, 0.8, 0.8], 0.0, Level.DIRECTION_ONLY),
        ([0.801, 0.800, 0.802], [0.8, 0.8, 0.8], 0.1, Level.NOT_REPRODUCED),
        ([0.17, 0.17, 0.17], [0.8, 0.8, 0.8], 0.0, Level.INCONCLUSIVE),
        ([NAN, 0.8, 0.8], [0.8, 0.8, 0.8], 0.0, Level.INCONCLUSIVE),
    ],
)
def test_strides(stride: list[float], pooling: list[float], difference: float, level: Level) -> None:
    variants: dict[str, dict[str, Sequence[float]]] = {
        strided.IDENTITY: {"difference": [difference] * 3, "operations": [3.0] * 3},
        strided.STRIDE: {strided.ACCURACY: stride},
        strided.POOLING: {strided.ACCURACY: pooling},
    }
    assert strided.verdict(Runs.made_up(variants)).level == level
    assert strided.verdict(Runs.made_up(variants, inside={strided.STRIDE: False})).level == Level.INCONCLUSIVE


# What is measured -----------------------------------------------------------------------------------------------------


def test_the_forecast_of_a_sliding_windows_cost_counts_each_layers_places() -> None:
    from lightning_modules.networks import PatchClassifier

    classifier = PatchClassifier(3, patch_size=6, widths=(2,), hidden=4)  # 4 × 4 places, then 2 × 2 × 2 features
    conv, linear = 3 * 9 * 2, 8 * 4 + 4 * 3
    assert sliding.predicted(classifier, 6) == pytest.approx((16 * conv + linear) / (conv + linear))
