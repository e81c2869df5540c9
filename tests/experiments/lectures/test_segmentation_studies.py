"""The verdicts on the ways up and on what they cost, on runs that nobody made; and the measures behind them."""

from __future__ import annotations

import pytest
import torch

from experiments.lectures.cs231n import (
    divisible_kernels_avoid_checkerboards,
    full_resolution_is_too_expensive,
    max_unpooling_keeps_positions,
    skips_refine_segmentation,
    transpose_convolution_makes_checkerboards,
)
from experiments.lectures.cs231n._upsampling import overlaps
from experiments.measures.cost import cost_of
from experiments.measures.segmentation import phase_energy
from experiments.studies.results import Runs
from experiments.studies.study import configuration
from experiments.studies.verdict import Level
from lightning_modules.networks import FCN, FullResolutionFCN
from tests.support.made_up_verdicts import Options, Values, three

UNTUNED: Options = {"inside": {"bed of nails": False}}


# Max unpooling --------------------------------------------------------------------------------------------------------


def unpooling(unpool: list[float], nails: list[float], border: float = 0.80, weakest: float = 0.6) -> dict[str, Values]:
    variants = {
        variant: {"test/miou": three(0.65), "test/border_accuracy": three(0.75)}
        for variant in max_unpooling_keeps_positions.VARIANTS
    }
    variants["max unpooling"] = {"test/miou": unpool, "test/border_accuracy": three(border)}
    variants["bed of nails"]["test/miou"] = nails
    variants["bilinear"]["test/miou"] = three(weakest)
    return variants


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (unpooling(three(0.70), three(0.66)), {}, Level.REPRODUCED),
        (unpooling(three(0.70), three(0.66), border=0.70), {}, Level.DIRECTION_ONLY),
        (unpooling(three(0.62), three(0.66)), {}, Level.NOT_REPRODUCED),
        (unpooling(three(0.66), three(0.66)), {}, Level.NOT_REPRODUCED),
        (unpooling([0.7, 0.6, 0.7], three(0.66)), {}, Level.INCONCLUSIVE),
        (unpooling(three(0.70), three(0.66)), UNTUNED, Level.INCONCLUSIVE),
        (unpooling(three(0.70), three(0.66), weakest=0.3), {}, Level.INCONCLUSIVE),
        (unpooling([0.7, float("nan"), 0.7], three(0.66)), {}, Level.INCONCLUSIVE),
    ],
)
def test_max_unpooling(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert max_unpooling_keeps_positions.verdict(Runs.made_up(variants, **options)).level == level


# Checkerboards --------------------------------------------------------------------------------------------------------


def energies(values: dict[str, list[float]], miou: float = 0.6) -> dict[str, Values]:
    truth = [0.004] * 3
    return {
        variant: {"val/phase_energy": v, "val/phase_energy_of_truth": truth, "test/miou": [miou] * 3}
        for variant, v in values.items()
    }


def boards(k3: list[float], nearest: list[float], miou: float = 0.6) -> dict[str, Values]:
    return energies({"transpose 3 × 3": k3, "bed of nails": three(0.1), "nearest neighbour": nearest}, miou)


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (boards(three(0.10), three(0.005)), {}, Level.REPRODUCED),
        (boards(three(0.02), three(0.005)), {}, Level.DIRECTION_ONLY),
        (boards(three(0.005), three(0.010)), {}, Level.NOT_REPRODUCED),
        (boards([0.02, 0.002, 0.02], three(0.005)), {}, Level.INCONCLUSIVE),
        (boards(three(0.10), three(0.005)), UNTUNED, Level.INCONCLUSIVE),
        (boards(three(0.10), three(0.005), miou=0.3), {}, Level.INCONCLUSIVE),
        (boards([0.1, float("nan"), 0.1], three(0.005)), {}, Level.INCONCLUSIVE),
    ],
)
def test_checkerboards(variants: dict[str, Values], options: Options, level: Level) -> None:
    verdict = transpose_convolution_makes_checkerboards.verdict(Runs.made_up(variants, **options))
    assert verdict.level == level
    assert [check.computed for check in verdict.checks] == [1, 4]


def test_without_an_uneven_overlap_there_is_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transpose_convolution_makes_checkerboards, "overlaps", lambda kernel: (2.0, 2.0))
    runs = Runs.made_up(boards(three(0.10), three(0.005)))
    assert transpose_convolution_makes_checkerboards.verdict(runs).level == Level.NOT_REPRODUCED


def kernels(k4: list[float], k3: float = 0.2, nearest: float = 0.005) -> dict[str, Values]:
    others = {"transpose 2 × 2": three(0.1), "bilinear": three(0.005), "nearest neighbour": three(nearest)}
    return energies({**others, "transpose 4 × 4": k4, "transpose 3 × 3": three(k3)})


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (kernels(three(0.1)), {}, Level.REPRODUCED),
        (kernels(three(0.3)), {}, Level.NOT_REPRODUCED),
        (kernels([0.1, 0.3, 0.2]), {}, Level.INCONCLUSIVE),
        (kernels(three(0.1), nearest=0.3), {}, Level.INCONCLUSIVE),
        (kernels(three(0.1)), UNTUNED, Level.INCONCLUSIVE),
    ],
)
def test_divisible_kernels(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert divisible_kernels_avoid_checkerboards.verdict(Runs.made_up(variants, **options)).level == level


@pytest.mark.parametrize(("kernel", "counts"), [(2, (1, 1)), (3, (1, 4)), (4, (4, 4)), (5, (4, 9)), (6, (9, 9))])
def test_the_copies_that_are_summed(kernel: int, counts: tuple[int, int]) -> None:
    assert overlaps(kernel) == counts


def test_a_checkerboard_is_told_from_what_is_none() -> None:
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = ((rows + columns) % 2).float()[None, None]
    stripes = (rows % 2).float()[None, None]
    wide = ((rows // 4 + columns // 4) % 2).float()[None, None]
    noise = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    slope = (rows + 2 * columns).float()[None, None]
    assert float(phase_energy(board)) == pytest.approx(1)
    assert float(phase_energy(stripes)) == pytest.approx(1)
    assert float(phase_energy(noise)) < 0.01
    assert float(phase_energy(wide)) < 0.01
    # A strong content that changes slowly hides no weak checkerboard.
    assert float(phase_energy(board + 100 * slope)) == pytest.approx(1, abs=1e-6)
    # A board of ±1 has variance 1, and so has the noise, of which the smoothing leaves (1 - 4/16)² + … = 0.64.
    assert float(phase_energy(2 * board + noise)) == pytest.approx(1 / 1.64, abs=0.02)
    # What comes at either phase, as content does, is none.
    assert float(phase_energy(torch.cat([board, 1 - board]))) < 1e-9
    with pytest.raises(ValueError, match="2 pixels inside"):
        phase_energy(board[..., :8, :8])


def test_variants_of_the_three_studies_are_the_same_runs() -> None:
    studies = (
        max_unpooling_keeps_positions.study,
        transpose_convolution_makes_checkerboards.study,
        divisible_kernels_avoid_checkerboards.study,
    )
    jobs = [{variant: study.job("cpu", variant, 0.01, 0).hash for variant in study.variants} for study in studies]
    assert jobs[0]["nearest neighbour"] == jobs[1]["nearest neighbour"] == jobs[2]["nearest neighbour"]
    assert jobs[0]["bed of nails"] == jobs[1]["bed of nails"]
    assert jobs[0]["transpose 4 × 4"] == jobs[2]["transpose 4 × 4"]
    assert jobs[1]["transpose 3 × 3"] == jobs[2]["transpose 3 × 3"]


# Cost and skips -------------------------------------------------------------------------------------------------------


def costs(down_up: float, full: float, gflop: float = 0.02, parameters: float = 12e3) -> dict[str, Values]:
    def variant(miou: float, flop: float, weights: float) -> Values:
        return {
            "test/miou": three(miou),
            "cost/gflop": [flop] * 3,
            "cost/saved_mib": [flop] * 3,
            "cost/parameters": [weights] * 3,
        }

    return {"down and up": variant(down_up, 0.002, 12e3), "full resolution": variant(full, gflop, parameters)}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (costs(0.70, 0.68), {}, Level.REPRODUCED),
        (costs(0.70, 0.75), {}, Level.DIRECTION_ONLY),
        (costs(0.70, 0.68, gflop=0.006), {}, Level.DIRECTION_ONLY),
        (costs(0.70, 0.68, gflop=0.001), {}, Level.NOT_REPRODUCED),
        (costs(0.70, 0.30), {}, Level.INCONCLUSIVE),
        (costs(0.70, 0.68, parameters=30e3), {}, Level.INCONCLUSIVE),
        (costs(0.70, 0.68), {"inside": {"full resolution": False}}, Level.INCONCLUSIVE),
    ],
)
def test_full_resolution(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert full_resolution_is_too_expensive.verdict(Runs.made_up(variants, **options)).level == level


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


def skips(coarse: list[float], middle: list[float], fine: list[float]) -> dict[str, Values]:
    variants = {"8s": fine, "16s": middle, "32s": coarse}
    return {variant: {"test/miou": values, "test/border_accuracy": values} for variant, values in variants.items()}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (skips(three(0.50), three(0.60), three(0.65)), {}, Level.REPRODUCED),
        (skips(three(0.50), three(0.66), three(0.60)), {}, Level.DIRECTION_ONLY),
        (skips(three(0.50), three(0.40), three(0.60)), {}, Level.DIRECTION_ONLY),
        (skips(three(0.60), three(0.60), three(0.60)), {}, Level.NOT_REPRODUCED),
        (skips(three(0.60), three(0.60), three(0.50)), {}, Level.NOT_REPRODUCED),
        (skips(three(0.50), three(0.60), [0.7, 0.4, 0.7]), {}, Level.INCONCLUSIVE),
        (skips(three(0.30), three(0.60), three(0.65)), {}, Level.INCONCLUSIVE),
        (skips(three(0.50), three(0.60), three(0.65)), {"inside": {"8s": False}}, Level.INCONCLUSIVE),
    ],
)
def test_skips(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert skips_refine_segmentation.verdict(Runs.made_up(variants, **options)).level == level
