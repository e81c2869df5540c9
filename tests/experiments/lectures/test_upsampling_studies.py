"""The verdicts on the ways up, on runs that nobody made; and how a checkerboard is measured."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from experiments.lectures.cs231n import (
    divisible_kernels_avoid_checkerboards,
    max_unpooling_keeps_positions,
    transpose_convolution_makes_checkerboards,
)
from experiments.lectures.cs231n._upsampling import overlaps
from experiments.measures.segmentation import PhaseEnergy, phase_energy
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Level, Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.five_seeds import EXACT, NAN, NOT, OPEN, SOME, WHOLE, around, levels, times
from tests.support.made_up_verdicts import Options, Values, untuned

# Max unpooling (F10) --------------------------------------------------------------------------------------------------


def unpooling(unpool: Sequence[float], nails: float = 0.66, nearest: float = 0.65, bilinear: float = 0.6) -> dict[str, Values]:
    mious = dict.fromkeys(max_unpooling_keeps_positions.VARIANTS, around(bilinear))
    mious |= {"max unpooling": list(unpool), "bed of nails": around(nails), "nearest neighbour": around(nearest)}
    return {variant: {"test/miou": miou, "test/border_accuracy": around(0.75)} for variant, miou in mious.items()}


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (unpooling(around(0.70)), {}, [EXACT, WHOLE, WHOLE]),
        (unpooling(around(0.70), nearest=0.75), {}, [EXACT, WHOLE, NOT]),
        (unpooling(around(0.62)), {}, [EXACT, NOT, NOT]),
        (unpooling(around(0.66), nearest=0.66), {}, [EXACT, NOT, NOT]),
        (unpooling([0.7, 0.6, 0.7, 0.6, 0.7]), {}, [EXACT, OPEN, OPEN]),
        (unpooling(around(0.70)), untuned("bed of nails"), [EXACT, OPEN, WHOLE]),
        (unpooling(around(0.70), bilinear=0.3), untuned("bilinear"), [EXACT, WHOLE, WHOLE]),
        (unpooling(around(0.70), nails=0.3), {}, [EXACT, OPEN, WHOLE]),
        (unpooling([0.7, NAN, 0.7, 0.7, 0.7]), {}, [EXACT, OPEN, OPEN]),
    ],
)
def test_max_unpooling(variants: dict[str, Values], options: Options, expected: list[Level]) -> None:
    assert levels(max_unpooling_keeps_positions.study, variants, **options) == expected


def test_what_max_unpooling_keeps_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(check.holds for check in max_unpooling_keeps_positions.positions())
    place = "experiments.lectures.cs231n.max_unpooling_keeps_positions.max_unpool"
    monkeypatch.setattr(place, lambda x, indices, size: max_unpooling_keeps_positions.bed_of_nails(x))
    assert levels(max_unpooling_keeps_positions.study, unpooling(around(0.70)))[0] == NOT


# Checkerboards (F14, F15) ---------------------------------------------------------------------------------------------


def energies(values: dict[str, list[float]], miou: float = 0.6) -> dict[str, Values]:
    truth = [0.004] * 5
    return {
        variant: {"val/phase_energy": v, "val/phase_energy_of_truth": truth, "test/miou": [miou] * 5}
        for variant, v in values.items()
    }


def boards(k3: list[float], nearest: list[float], miou: float = 0.6) -> dict[str, Values]:
    return energies({"transpose 3 × 3": k3, "bed of nails": times(0.1), "nearest neighbour": nearest}, miou)


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (boards(times(0.10), times(0.005)), {}, WHOLE),
        (boards(times(0.02), times(0.005)), {}, SOME),
        (boards(times(0.10, 0.9), times(0.0095, 0.0)), {}, SOME),  # ten times and more, but not surely
        (boards(times(0.005), times(0.010)), {}, NOT),
        (boards([0.02, 0.002, 0.02, 0.002, 0.01], times(0.005)), {}, OPEN),
        (boards(times(0.10), times(0.005)), untuned("transpose 3 × 3"), OPEN),
        (boards(times(0.10), times(0.005)), untuned("bed of nails"), WHOLE),
        (boards(times(0.10), times(0.005), miou=0.3), {}, OPEN),
        (boards([0.1, NAN, 0.1, 0.1, 0.1], times(0.005)), {}, OPEN),
    ],
)
def test_checkerboards(variants: dict[str, Values], options: Options, expected: Level) -> None:
    study = transpose_convolution_makes_checkerboards.study
    assert levels(study, variants, **options) == [expected]
    checks = Verdict.of(study.parts(Runs.made_up(variants))).headline.checks
    assert [check.computed for check in checks] == [1, 4]


def test_without_an_uneven_overlap_there_is_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transpose_convolution_makes_checkerboards, "overlaps", lambda kernel: (2.0, 2.0))
    assert levels(transpose_convolution_makes_checkerboards.study, boards(times(0.10), times(0.005))) == [NOT]


def kernels(
    k4: list[float], k2: float = 0.1, k3: float = 0.2, nearest: float = 0.005, bilinear: float = 0.005
) -> dict[str, Values]:
    others = {"transpose 2 × 2": times(k2), "bilinear": times(bilinear), "nearest neighbour": times(nearest)}
    return energies({**others, "transpose 4 × 4": k4, "transpose 3 × 3": times(k3)})


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (kernels(times(0.1)), {}, [WHOLE, WHOLE, WHOLE]),
        (kernels(times(0.3)), {}, [NOT, WHOLE, WHOLE]),
        (kernels([0.1, 0.4, 0.2, 0.3, 0.15]), {}, [OPEN, WHOLE, WHOLE]),
        (kernels(times(0.1), nearest=0.3), {}, [OPEN, OPEN, NOT]),
        (kernels(times(0.1)), untuned("transpose 2 × 2"), [WHOLE, OPEN, WHOLE]),
        (kernels(times(0.1)), untuned("transpose 3 × 3"), [OPEN, OPEN, OPEN]),
    ],
)
def test_divisible_kernels(variants: dict[str, Values], options: Options, expected: list[Level]) -> None:
    assert levels(divisible_kernels_avoid_checkerboards.study, variants, **options) == expected


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


def test_the_checkerboard_is_that_of_the_last_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def logits(self: PhaseEnergy, trainer: Any, task: Any) -> tuple[Any, torch.Tensor]:
        measured.append(trainer.global_step)
        return {"mask": torch.zeros(2, 32, 32)}, torch.rand(2, 3, 32, 32)

    monkeypatch.setattr(PhaseEnergy, "_logits", logits)
    trainer: Any = SimpleNamespace(estimated_stepping_batches=10, loggers=[])
    callback = PhaseEnergy(pictures=0, last=3, every=2)
    for step in range(1, 11):
        trainer.global_step = step
        if step == 8:  # as where a training was interrupted
            stored, callback = callback.state_dict(), PhaseEnergy(pictures=0, last=3, every=2)
            callback.load_state_dict(stored)
        callback.on_train_batch_end(trainer, None, None, None, 0)
    callback.on_train_end(trainer, None)
    assert measured == [6, 8, 10] and len(callback._before) == 2


# Exchanged ------------------------------------------------------------------------------------------------------------

CLAIMS: tuple[tuple[Study, dict[str, Values]], ...] = (
    (max_unpooling_keeps_positions.study, unpooling(around(0.70))),
    (transpose_convolution_makes_checkerboards.study, boards(times(0.10), times(0.005))),
    (divisible_kernels_avoid_checkerboards.study, kernels(times(0.1))),
)


@pytest.mark.parametrize(("study", "variants"), CLAIMS, ids=[study.claim for study, _ in CLAIMS])
def test_exchanged_variants_turn_the_verdict(study: Study, variants: dict[str, Values]) -> None:
    assert_exchange_turns(study, Runs.made_up(variants))
