"""What the runs of a study say before they are judged, and what is kept of it."""

from __future__ import annotations

import math

import pytest

from experiments.studies.needs import Needs
from experiments.studies.results import Run, Runs
from experiments.studies.study import TUNING_SEED


def test_a_lr_at_the_edge_of_its_grid_is_named() -> None:
    tried = [Run("slow", TUNING_SEED, lr, {}) for lr in (0.1, 0.01, 0.001)]
    least = Runs(tried, {"slow": 0.001, "given": None}, {"slow": False}).tuned()
    assert not least.passed and least.detail == "slow: 0.001 is the best and the least of 3"
    greatest = Runs(tried, {"slow": 0.1}, {"slow": False}).tuned()
    assert greatest.detail == "slow: 0.1 is the best and the greatest of 3"
    assert Runs(tried, {"slow": 0.01}, {"slow": True}).tuned().passed


def test_a_check_of_the_tuning_may_ask_for_some_variants() -> None:
    runs = Runs([], {}, {"relu": True, "tanh": False})
    assert not runs.tuned().passed and "tanh" in runs.tuned().detail and "relu" not in runs.tuned().detail
    assert runs.tuned("relu").passed and not runs.tuned("tanh").passed


def test_variants_are_compared_seed_by_seed() -> None:
    runs = Runs.made_up({"a": {"x": [0.5, 0.7, 0.6]}, "b": {"x": [0.4, 0.5]}})
    effect = runs.difference("a − b", "a", "b", "x")
    assert effect.by_seed == pytest.approx((10, 20))  # points, of the seeds that both have
    assert effect.variants == ("a", "b")


def test_tuning_seeds_are_not_judged() -> None:
    runs = [Run("a", seed, 0.1, {"x": float(seed)}) for seed in (0, 1, TUNING_SEED, TUNING_SEED + 1)]
    assert Runs(runs, {"a": 0.1}, tuning=TUNING_SEED).values("a", "x") == [0, 1]


def test_the_shared_lr_comparison_is_at_the_others_best_lr() -> None:
    runs = Runs(
        [
            *(Run("a", seed, 0.1, {"x": 0.5}) for seed in range(3)),
            *(Run("b", seed, 0.01, {"x": 0.4}) for seed in range(3)),
            Run("a", 0, 0.01, {"x": 0.9}),
            Run("b", 0, 0.1, {"x": 0.1}),
            Run("a", TUNING_SEED, 0.01, {"x": 5.0}),
            Run("b", TUNING_SEED, 0.01, {"x": 4.0}),
        ],
        {"a": 0.1, "b": 0.01},
        tuning=TUNING_SEED,
    )
    assert runs.difference("gap", "a", "b", "x").by_seed == pytest.approx((10, 10, 10))
    shared_lr = runs.shared_lr("gap", "a", "b", "x")
    assert shared_lr is not None and shared_lr.by_seed == pytest.approx((50,))
    assert Runs(runs.all[:6], runs.lrs).shared_lr("gap", "a", "b", "x") is None


def test_a_combination_is_of_the_seeds_that_all_variants_have() -> None:
    runs = Runs.made_up({"a": {"x": [5, 7, 6]}, "b": {"x": [4, 5]}, "c": {"x": [1, 1, 1]}})
    effect = runs.combined("a − b − c", lambda by: by["a"].value("x") - by["b"].value("x") - by["c"].value("x"))
    assert effect.by_seed == (0, 1)


def test_exchanged_variants_turn_the_sign() -> None:
    runs = Runs(
        [Run(name, seed, lr, {"x": x + seed}) for name, lr, x in (("a", 0.1, 5.0), ("b", 0.2, 3.0)) for seed in range(3)],
        {"a": 0.1, "b": 0.2},
        {"a": True, "b": False},
    )
    turned = runs.exchanged("a", "b")
    assert turned.difference("", "a", "b", "x", scale=1).by_seed == (-2, -2, -2)
    assert turned.lrs == {"a": 0.2, "b": 0.1} and turned.inside == {"a": False, "b": True}


def test_what_a_verdict_reads_is_kept_and_gives_the_same_again() -> None:
    run = Run("a", 0, 0.1, {"x": 0.5, "unused": 1.0}, {"loss": [(9, 2.0), (19, 1.0)]})
    asked = [run.value("x"), run.value(lambda r: r.value("x") / 2), run.steps_to("loss", 1.5), run.last_step("loss")]
    assert run.read == {"x": 0.5, "steps to loss 1.5": 19, "last step of loss": 19}
    again = Run("a", 0, 0.1, run.read)  # without its curves, as a record has it
    assert [again.value("x"), again.value("x") / 2, again.steps_to("loss", 1.5), again.last_step("loss")] == asked


def test_a_metric_that_a_run_lost_is_missing_and_one_that_diverged_is_not() -> None:
    run = Run("a", 0, 0.1, {"diverged": math.nan})
    assert math.isnan(run.value("diverged")) and math.isnan(run.value("lost"))
    run.steps_to("loss", 1)
    assert run.missing == ["lost", "steps to loss 1"]


def test_needs_and_papers_figures_stay_with_an_effect() -> None:
    effect = Runs.made_up({"a": {"x": [1, 2]}}).quantity("x", "a", "x", needs=Needs(low=0), paper=3)
    assert effect.needs == Needs(low=0) and effect.paper == 3 and effect.variants == ("a",)
