"""The verdicts on the ways down, on skips and on what they cost, on runs that nobody made; and the measures behind them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from experiments.lectures.cs231n import full_resolution_is_too_expensive, skips_refine_segmentation
from experiments.lectures.cs231n import sliding_window_wastes_computation as sliding
from experiments.lectures.cs231n import strided_convolution_is_learned_downsampling as strided
from experiments.measures.cost import cost_of, step_seconds
from experiments.studies.results import Runs
from experiments.studies.study import Study, configuration
from experiments.studies.verdict import Check, Level
from lightning_modules.networks import FCN, FullResolutionFCN, PatchClassifier
from tests.support.exchange import assert_exchange_turns
from tests.support.five_seeds import EXACT, NAN, NOT, OPEN, SOME, WHOLE, around, levels, times
from tests.support.made_up_verdicts import Options, Values, untuned

# Sliding windows and strides (F03, F11) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "cpu", "difference", "expected"),
    [
        (30.0, 40.0, 1e-7, WHOLE),
        (30.0, 0.8, 1e-7, WHOLE),  # a processor decides nothing
        (10.0, 40.0, 1e-7, SOME),
        (0.9, 40.0, 1e-7, NOT),
        (1 / 30, 40.0, 1e-7, NOT),  # the plans exchanged
        (30.0, 40.0, 1e-3, OPEN),
        (30.0, 40.0, NAN, OPEN),
        (NAN, 40.0, 1e-7, OPEN),
    ],
)
def test_sliding_window(operations: float, cpu: float, difference: float, expected: Level) -> None:
    values = {"operations": operations, "cpu": cpu, "wall": cpu, "difference": difference}
    variants = {variant: {name: [value] * 5 for name, value in values.items()} for variant in sliding.study.variants}
    assert levels(sliding.study, variants) == [expected]


def test_the_forecast_of_a_sliding_windows_cost_counts_each_layers_places() -> None:
    classifier = PatchClassifier(3, patch_size=6, widths=(2,), hidden=4)  # 4 × 4 places, then 2 × 2 × 2 features
    conv, linear = 3 * 9 * 2, 8 * 4 + 4 * 3
    assert sliding.predicted(classifier, 6) == pytest.approx((16 * conv + linear) / (conv + linear))


def down(stride: list[float], pooling: float = 0.8, difference: float = 0.0) -> dict[str, Values]:
    return {
        strided.IDENTITY: {"difference": [difference] * 5, "operations": [3.0] * 5},
        strided.STRIDE: {strided.ACCURACY: stride},
        strided.POOLING: {strided.ACCURACY: around(pooling)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (down(around(0.801)), {}, [EXACT, WHOLE]),
        (down(around(0.75)), {}, [EXACT, NOT]),
        (down(around(0.85)), {}, [EXACT, NOT]),
        (down([0.78, 0.80, 0.82, 0.79, 0.81]), {}, [EXACT, OPEN]),
        (down(around(0.801), difference=0.1), {}, [NOT, WHOLE]),
        (down(around(0.801), difference=NAN), {}, [NOT, WHOLE]),
        (down(around(0.17), pooling=0.17), {}, [EXACT, OPEN]),
        (down([NAN, 0.8, 0.8, 0.8, 0.8]), {}, [EXACT, OPEN]),
        (down(around(0.801)), untuned(strided.STRIDE), [EXACT, OPEN]),
    ],
)
def test_strides(variants: dict[str, Values], options: Options, expected: list[Level]) -> None:
    assert levels(strided.study, variants, **options) == expected


# Cost and skips (F04, F05) --------------------------------------------------------------------------------------------


def costs(down_up: float, full: float, gflop: float = 0.02, parameters: float = 12e3) -> dict[str, Values]:
    def variant(miou: float, flop: float, weights: float) -> Values:
        return {
            "test/miou": around(miou),
            "cost/gflop": [flop] * 5,
            "cost/saved_mib": [flop] * 5,
            "cost/cpu_seconds": times(flop),
            "cost/parameters": [weights] * 5,
        }

    return {"down and up": variant(down_up, 0.002, 12e3), "full resolution": variant(full, gflop, parameters)}


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (costs(0.70, 0.68), {}, [WHOLE, WHOLE]),
        (costs(0.70, 0.75), {}, [SOME, WHOLE]),
        (costs(0.70, 0.68, gflop=0.006), {}, [SOME, WHOLE]),
        (costs(0.70, 0.68, gflop=0.001), {}, [NOT, NOT]),
        (costs(0.70, 0.30), {}, [OPEN, OPEN]),
        (costs(0.30, 0.70), {}, [SOME, WHOLE]),
        (costs(0.70, 0.68, parameters=30e3), {}, [OPEN, OPEN]),
        (costs(0.70, 0.68), untuned("full resolution"), [OPEN, OPEN]),
    ],
)
def test_full_resolution(variants: dict[str, Values], options: Options, expected: list[Level]) -> None:
    assert levels(full_resolution_is_too_expensive.study, variants, **options) == expected


def test_a_step_of_the_larger_network_takes_longer() -> None:
    small, large = (FullResolutionFCN(2, width=width, depth=3) for width in (2, 64))
    assert 0 < step_seconds(small, (32, 32), repeats=3) < step_seconds(large, (32, 32), repeats=3)


def test_cost_is_that_of_a_count_by_hand() -> None:
    network = FullResolutionFCN(4, width=8, depth=2)
    found = cost_of(network, (16, 16))
    assert found["gflop"] == pytest.approx(2 * 16 * 16 * 9 * (3 * 8 + 8 * 4) / 1e9)
    assert found["parameters"] == 9 * 3 * 8 + 2 * 8 + 9 * 8 * 4 + 4
    maps = (3 + 8 + 8) * 16 * 16 * 4 / 2**20  # image, convolution's output, and normalised and rectified in one
    assert found["saved_mib"] == pytest.approx(maps, rel=0.01)
    assert not any(parameter.grad is not None for parameter in network.parameters())


def test_the_two_networks_have_as_many_weights() -> None:
    variants = full_resolution_is_too_expensive.study.variants
    made = []
    for variant, kind in (("down and up", FCN), ("full resolution", FullResolutionFCN)):
        settings = configuration("segmentation/small_shapes", variants[variant])["model"]["init_args"]["network"]  # type: ignore[arg-type]
        arguments = dict(settings["init_args"])
        if "encoder" in arguments:
            from functools import partial

            from lightning_modules.networks import ConvEncoder

            arguments["encoder"] = partial(ConvEncoder, **arguments["encoder"]["init_args"])
        made.append(cost_of(kind(4, **arguments), (32, 32))["parameters"])
    assert made[0] == pytest.approx(made[1], rel=full_resolution_is_too_expensive.SAME)


def skips(coarse: Sequence[float], middle: Sequence[float], fine: Sequence[float]) -> dict[str, Values]:
    variants = {"8s": list(fine), "16s": list(middle), "32s": list(coarse)}
    return {variant: {"test/miou": values, "test/border_accuracy": values} for variant, values in variants.items()}


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (skips(around(0.50), around(0.60), around(0.65)), {}, WHOLE),
        (skips(around(0.50), around(0.60), around(0.595)), {}, WHOLE),
        (skips(around(0.50), around(0.66), around(0.60)), {}, SOME),
        (skips(around(0.50), around(0.40), around(0.60)), {}, SOME),
        (skips(around(0.60), around(0.60), around(0.60)), {}, NOT),
        (skips(around(0.60), around(0.60), around(0.50)), {}, NOT),
        (skips(around(0.50), around(0.60), [0.7, 0.4, 0.7, 0.4, 0.6]), {}, OPEN),
        (skips(around(0.30), around(0.60), around(0.65)), {}, OPEN),
        (skips(around(0.50), around(0.60), around(0.65)), untuned("8s"), OPEN),
    ],
)
def test_skips(variants: dict[str, Values], options: Options, expected: Level) -> None:
    assert levels(skips_refine_segmentation.study, variants, **options) == [EXACT, expected]


def test_an_output_of_another_size_refutes_the_lecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skips_refine_segmentation, "sizes", lambda: (Check("sizes", "[(32, 32)]", "[(64, 64)]"),))
    assert levels(skips_refine_segmentation.study, skips(around(0.5), around(0.6), around(0.65))) == [NOT, WHOLE]


# Exchanged ------------------------------------------------------------------------------------------------------------

CLAIMS: tuple[tuple[Study, dict[str, Values]], ...] = (
    (full_resolution_is_too_expensive.study, costs(0.70, 0.68)),
    (skips_refine_segmentation.study, skips(around(0.50), around(0.60), around(0.65))),
)
"""Without F03, whose plans are compared within a run, and F11, which claims that there is no difference."""


@pytest.mark.parametrize(("study", "variants"), CLAIMS, ids=[study.claim for study, _ in CLAIMS])
def test_exchanged_variants_turn_the_verdict(study: Study, variants: dict[str, Values]) -> None:
    assert_exchange_turns(study, Runs.made_up(variants))
