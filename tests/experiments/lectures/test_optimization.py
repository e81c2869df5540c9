"""The verdicts on depth, leaderboards, minima, scaling and optimizers, on runs that nobody made; and what they measure with."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from experiments.lectures.cnn import better_optimizers_need_fewer_steps as optimizers
from experiments.lectures.cnn import error_fell_as_nets_grew_deeper as depth
from experiments.lectures.cnn import gpus_scale_training as gpus
from experiments.lectures.cnn import large_nets_end_at_the_same_loss as minima
from experiments.lectures.cnn import many_submissions_climb_the_leaderboard as leaderboard
from experiments.lectures.cnn import training_is_distributed_over_workers as workers
from experiments.lectures.cnn._descent import LOSS
from experiments.lectures.cnn._devices import count
from experiments.lectures.cnn._leaderboards import LAW, climb, full, ladder
from experiments.lectures.cnn._perceptrons import best_lr, digits, errors, initial, logits, losses, trained
from experiments.studies.levels import Level
from experiments.studies.results import Run, Runs
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

APART = [0.20, 0.60, 0.25, 0.55, 0.30]


def levels(parts: object) -> dict[str, Level]:
    return {key: part.level for key, part in Verdict.of(parts).parts.items()}  # type: ignore[arg-type]


# The revolution of depth ----------------------------------------------------------------------------------------------


def ladder_of(*errors: list[float], **kwargs: dict[str, bool]) -> Runs:
    """Test errors from HOG to ResNet."""
    made = zip(depth.ERAS, errors, (0.0, 5.0, 8.0, 11.0, 20.0), strict=True)
    return Runs.made_up({era: {"test/error": own, "network/layers": [n] * 5} for era, own, n in made}, **kwargs)


FALLING = [five(0.5), five(0.4), five(0.3), five(0.2), five(0.1)]


@pytest.mark.parametrize(
    ("errors", "level"),
    [
        (FALLING, Level.REPRODUCED),
        ([five(0.5), five(0.4), five(0.4), five(0.2), five(0.1)], Level.DIRECTION_ONLY),
        ([five(0.5), five(0.6), five(0.3), five(0.2), five(0.1)], Level.DIRECTION_ONLY),
        ([five(0.3), five(0.5), five(0.45), five(0.42), five(0.4)], Level.NOT_REPRODUCED),
        ([five(0.4), five(0.5), five(0.45), five(0.42), APART], Level.INCONCLUSIVE),
        ([five(0.8), five(0.4), five(0.3), five(0.2), five(0.1)], Level.INCONCLUSIVE),  # HOG is no better than a guess
        ([five(0.5), five(0.4), five(0.8), five(0.2), five(0.1)], Level.INCONCLUSIVE),  # nor is AlexNet
    ],
)
def test_revolution_of_depth(errors: list[list[float]], level: Level) -> None:
    assert levels(depth.parts(ladder_of(*errors))) == {"a": level}


def test_revolution_of_depth_needs_tuned_nets_and_turns() -> None:
    assert levels(depth.parts(ladder_of(*FALLING, inside={"VGG": False}))) == {"a": Level.INCONCLUSIVE}
    assert_exchange_turns(depth.study, ladder_of(*FALLING))


def test_hog_sees_the_scenes_of_the_nets_and_brings_the_slides_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.lectures.cnn import _eras

    monkeypatch.setattr(_eras, "SCENES", {"image_size": 16, "train": 60, "val": 20, "test": 20})
    found = _eras.hog_and_svm(seed=3, folder=tmp_path)
    assert 0 <= found.values["test/error"] <= 1 and found.values["network/layers"] == 0
    assert found.curves["ImageNet top-5 error, %, published"][-1] == (2015, 3.57)
    job = depth.study.job("cpu", depth.RESNET, 0.1, 3).settings["data"]["init_args"]
    drawn = {**_eras.DRAWN, "data.data_seed": 3}
    assert all(job[key.removeprefix("data.")] == value for key, value in drawn.items() if key.startswith("data."))


# Leaderboards ---------------------------------------------------------------------------------------------------------


def contest(gap: float = 7.0, blind: float = 0.0, mended: float = 1.0, law: float = 1.0, private: float = 50.0) -> Runs:
    """Ten contests with each board."""
    noise = np.linspace(-0.1, 0.1, 10)

    def of_board(own: float) -> dict[str, list[float]]:
        values = {leaderboard.GAP: own, leaderboard.PRIVATE: private, "law in k": law, "law in n": 1.0, "constant": LAW}
        return {name: list(value + noise) for name, value in values.items()}

    return Runs.made_up({v: of_board(g) for v, g in zip(leaderboard.study.variants, (gap, blind, mended), strict=True)})


@pytest.mark.parametrize(
    ("runs", "a", "b"),
    [
        (contest(), Level.REPRODUCED, Level.REPRODUCED),
        (contest(gap=0.0, blind=1.0, mended=1.0), Level.NOT_REPRODUCED, Level.NOT_REPRODUCED),
        (contest(law=3.0), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (contest(law=2.0), Level.INCONCLUSIVE, Level.REPRODUCED),
        (contest(private=52.0), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (contest(gap=math.nan), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
    ],
)
def test_leaderboard(runs: Runs, a: Level, b: Level) -> None:
    assert levels(leaderboard.parts(runs)) == {"a": a, "b": b, "c": Level.EXACT}


def test_an_exchange_turns_the_leaderboard() -> None:
    assert_exchange_turns(leaderboard.study, contest())


def test_guesses_climb_as_the_law_says_and_the_ladder_bears_it() -> None:
    rng = np.random.default_rng(0)
    k, n = 200, 2000
    gaps: dict[str, list[float]] = {"full": [], "ladder": [], "blind": []}
    for _ in range(20):
        right = rng.random((k, 2 * n)) < 0.5
        for name, board, follows in (("full", full, True), ("ladder", ladder, True), ("blind", full, False)):
            shown, private = climb(right, board, follows, rng)
            gaps[name].append(shown - private)
    means = {name: float(np.mean(own)) for name, own in gaps.items()}
    assert means["full"] == pytest.approx(LAW * (k / n) ** 0.5, rel=0.15)
    assert abs(means["blind"]) < 0.01
    assert means["ladder"] < means["full"] / 2


def test_the_ladder_shows_the_best_and_moves_for_a_significant_gain_alone() -> None:
    right = np.zeros((4, 100), bool)
    right[0, :50], right[1, 50:], right[2, :52], right[3, :90] = True, True, True, True
    shown, news = ladder(right)
    # 52 of the same images are two more than 50: sd 0.14, a standard error of 0.014, and a gain of 0.02.
    assert shown.tolist() == [0.5, 0.5, 0.52, 0.9] and news.tolist() == [True, False, True, True]
    assert full(right)[1].tolist() == [False, False, True, True]


def test_human_interval_is_wilsons() -> None:
    from scipy import stats

    low, high = leaderboard.human_interval()
    exact = stats.binomtest(round(0.051 * 1500), 1500).proportion_ci(method="wilson")
    assert (low, high) == (pytest.approx(100 * exact.low, abs=0.05), pytest.approx(100 * exact.high, abs=0.05))


# Minima ---------------------------------------------------------------------------------------------------------------


def spread(narrow: list[float], wide: list[float], error: float = 0.0, inside: float = 1.0, barrier: float = 0.3) -> Runs:
    """SDs of the test loss in five groups of ten nets."""
    made = dict.fromkeys(minima.study.variants, wide) | {minima.NARROW: narrow}
    common = {"training error": [error] * 5, "rate inside": [inside] * 5, "barrier": five(barrier), "disagreement": five(0.02)}
    return Runs.made_up({variant: {minima.SD: own, **common} for variant, own in made.items()})


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (spread(five(0.10, 0.01), five(0.010, 0.001)), Level.REPRODUCED),
        (spread(five(0.10, 0.01), five(0.040, 0.002)), Level.DIRECTION_ONLY),  # by 2.5, but not with an F interval above 2
        (spread(five(1.60, 0.10), five(0.140, 0.010)), Level.DIRECTION_ONLY),  # 6 % of the loss of a guess
        (spread([0.02, 0.008, 0.015, 0.007, 0.012], five(0.010, 0.0005)), Level.INCONCLUSIVE),
        (spread(five(0.01), five(0.02)), Level.NOT_REPRODUCED),
        (spread(five(0.10, 0.01), five(0.010, 0.001), error=0.2), Level.INCONCLUSIVE),  # not trained to the end
        (spread(five(0.10, 0.01), five(0.010, 0.001), inside=0.0), Level.INCONCLUSIVE),
    ],
)
def test_minima(runs: Runs, level: Level) -> None:
    assert levels(minima.parts(runs))["a"] == level


def test_an_exchange_turns_minima() -> None:
    assert_exchange_turns(minima.study, spread(five(0.10, 0.01), five(0.010, 0.001)))
    assert levels(minima.parts(spread(five(0.1), five(0.01), barrier=-0.1)))["b"] is Level.NOT_REPRODUCED


def test_the_f_interval_is_that_of_the_ratio_of_two_sds() -> None:
    rng = np.random.default_rng(0)
    ratios = rng.normal(size=(4000, 10)).std(1, ddof=1) / rng.normal(size=(4000, 10)).std(1, ddof=1)
    assert (ratios / minima.of_f(10) > 1).mean() == pytest.approx(0.025, abs=0.008)  # with equal SDs it is above 1 so often


# Nets that are trained at once ----------------------------------------------------------------------------------------


def test_nets_at_once_are_each_as_it_would_be_alone() -> None:
    train, _ = digits(0)
    together = trained(train, [1, 2, 3], 4, 0.1, 20)
    alone = trained(train, [2], 4, 0.1, 20)
    assert all(torch.allclose(many[1], one[0], atol=1e-5) for many, one in zip(together, alone, strict=True))


@pytest.mark.parametrize("delay", [0, 3])
def test_a_delayed_gradient_is_taken_at_the_weights_of_so_many_steps_before(delay: int) -> None:
    train, _ = digits(0)
    found = trained(train, [5], 4, 0.1, 12, delay, decays=False)
    rng, past = torch.Generator().manual_seed(1_000_003 * 6), [[w[0] for w in initial([5], 4)]]
    for step in range(12):
        chosen = torch.randint(1000, (50,), generator=rng)
        w1, b1, w2, b2 = old = [w.clone().requires_grad_() for w in past[max(0, step - delay)]]
        nn.functional.cross_entropy(torch.relu(train.images[chosen] @ w1 + b1) @ w2 + b2, train.labels[chosen]).backward()
        past.append([w - 0.1 * o.grad for w, o in zip(past[-1], old, strict=True)])  # type: ignore[operator]
    assert all(torch.allclose(w[0], own, atol=1e-5) for w, own in zip(found, past[-1], strict=True))


def test_losses_and_errors_are_those_of_torch() -> None:
    _, test = digits(1)
    weights = initial([0, 1], 8)
    for i, own in enumerate(logits(weights, test.images)):
        assert float(losses(weights, *test)[i]) == pytest.approx(float(nn.functional.cross_entropy(own, test.labels)), rel=1e-5)
        assert float(errors(weights, test)[i]) == pytest.approx(float((own.argmax(1) != test.labels).float().mean()))


def test_digits_are_split_by_the_seed() -> None:
    (train, test), (other, _) = digits(0), digits(1)
    assert train.images.shape == (1000, 64) and test.images.shape == (797, 64)
    assert not torch.equal(train.images, other.images) and torch.equal(train.images, digits(0)[0].images)


def test_a_rate_that_diverges_is_never_the_best() -> None:
    assert best_lr(lambda lr: math.nan if lr > 0.5 else 1 - lr) == (0.316, True)
    assert best_lr(lambda lr: lr) == (0.00316, False)


# Workers --------------------------------------------------------------------------------------------------------------


EIGHT = [0.031, 0.029, 0.033, 0.028, 0.030]


def distributed(
    equal: float = 1e-9, eight: list[float] = EIGHT, shared: float = 0.9, one: float = 0.03, trap: float = 0.3
) -> Runs:
    """Relative differences of gradients; test errors of workers that do not wait."""
    made: dict[str, dict[str, list[float]]] = {
        workers.PROCESSES: {"equal shares": [equal] * 5, "unequal shares": [trap] * 5, "batch normalisation": [trap] * 5}
    }
    for name in ("1 worker", "2 workers", "8 workers", "32 workers"):
        own = {workers.ONE: five(one), workers.EIGHT: eight}.get(name, five(0.05))
        same = shared if name == workers.MOST else one
        rates = {"rate": [0.1] * 5, "rate inside": [1.0] * 5}
        made[name] = {workers.ERROR: own, workers.SHARED: five(same), **rates}
    return Runs.made_up(made)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (distributed(), (Level.EXACT, Level.REPRODUCED, Level.REPRODUCED)),
        (distributed(equal=1e-5), (Level.NOT_REPRODUCED, Level.REPRODUCED, Level.REPRODUCED)),
        (distributed(trap=0.0), (Level.NOT_REPRODUCED, Level.REPRODUCED, Level.REPRODUCED)),
        (distributed(eight=five(0.08)), (Level.EXACT, Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (distributed(eight=[0.03, 0.06, 0.02, 0.05, 0.04]), (Level.EXACT, Level.INCONCLUSIVE, Level.REPRODUCED)),
        (distributed(shared=0.01), (Level.EXACT, Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (distributed(one=0.85), (Level.EXACT, Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
    ],
)
def test_workers(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert tuple(levels(workers.parts(runs)).values()) == expected


def test_an_exchange_turns_workers() -> None:
    assert_exchange_turns(workers.study, distributed())


# GPUs -----------------------------------------------------------------------------------------------------------------


def devices(gpu: list[float], speedup: float = 500.0) -> Runs:
    """Images per second, and the speed-up that the operations allow."""
    counted = {gpus.SPEEDUP: [speedup] * 5, "operations at once": [1e6] * 5}
    return Runs.made_up(
        {
            gpus.OPERATIONS: counted,
            gpus.ONE_IMAGE: counted,
            gpus.CPU: {gpus.IMAGES: five(100.0), gpus.THREADS: five(150.0)},
            gpus.GPU: {gpus.IMAGES: gpu},
        }
    )


@pytest.mark.parametrize(
    ("runs", "a", "b"),
    [
        (devices(five(5000.0)), Level.REPRODUCED, Level.REPRODUCED),
        (devices(five(500.0)), Level.DIRECTION_ONLY, Level.REPRODUCED),
        (devices(five(50.0)), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (devices([math.nan] * 5), Level.INCONCLUSIVE, Level.REPRODUCED),
        (devices([math.nan] * 5, speedup=8.0), Level.INCONCLUSIVE, Level.DIRECTION_ONLY),
        (devices([math.nan] * 5, speedup=1.0), Level.INCONCLUSIVE, Level.NOT_REPRODUCED),
    ],
)
def test_gpus(runs: Runs, a: Level, b: Level) -> None:
    assert levels(gpus.parts(runs)) == {"a": a, "b": b}


def test_without_a_gpu_it_is_said_that_the_scale_has_none_and_an_exchange_turns_gpus() -> None:
    assert "not at this scale" in Verdict.of(gpus.parts(devices([math.nan] * 5))).parts["a"].reason
    assert_exchange_turns(gpus.study, devices(five(5000.0)))


def test_a_step_of_alexnet_is_counted_alike_for_any_number_of_images(tmp_path: Path) -> None:
    one, many = count(1), count(64)
    # 2.27 GFLOP forward in one tower, thrice as many with the backward pass, which needs no gradient of the images.
    assert many.work / 64 == pytest.approx(3 * 2.27e9 - 0.21e9, rel=0.03)
    assert one.span < many.span < 2 * one.span


# Optimizers -----------------------------------------------------------------------------------------------------------


def raced(sgd: list[float], adam: list[float], **kwargs: dict[str, bool]) -> Runs:
    """Runs that came to the loss at these steps; 0 for one that never did."""
    made = {variant: [50.0] * 6 for variant in optimizers.study.variants} | {optimizers.SGD: sgd, optimizers.ADAM: adam}

    def curve(steps: float) -> list[tuple[float, float]]:
        return [(4.0, 1.7), (steps - 1 if steps else 599.0, 0.8 if steps else 1.2)]

    runs = [Run(v, seed, None, {LOSS: 0.8}, {LOSS: curve(steps)}) for v, own in made.items() for seed, steps in enumerate(own)]
    return Runs(runs, dict.fromkeys(made), **kwargs)


SLOW, QUICK = [150.0, 160.0, 140.0, 150.0, 155.0, 145.0], [50.0, 55.0, 50.0, 45.0, 50.0, 50.0]


@pytest.mark.parametrize(
    ("sgd", "adam", "level"),
    [
        (SLOW, QUICK, Level.REPRODUCED),
        ([0.0] * 6, QUICK, Level.REPRODUCED),  # more than the budget
        (QUICK, SLOW, Level.NOT_REPRODUCED),
        (SLOW, [60.0, 300.0, 80.0, 290.0, 100.0, 250.0], Level.INCONCLUSIVE),
        ([0.0] * 6, [0.0] * 6, Level.INCONCLUSIVE),
    ],
)
def test_optimizers(sgd: list[float], adam: list[float], level: Level) -> None:
    assert levels(optimizers.parts(raced(sgd, adam))) == {"a": level}
    assert levels(optimizers.parts(raced(sgd, adam, inside={optimizers.SGD: False}))) == {"a": Level.INCONCLUSIVE}


def test_an_exchange_turns_optimizers() -> None:
    assert_exchange_turns(optimizers.study, raced(SLOW, QUICK))
