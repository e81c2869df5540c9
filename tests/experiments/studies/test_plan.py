"""What a study has left to run: the walk over learning rates, and the jobs that follow from what is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.studies.needs import Needs
from experiments.studies.plan import LONGEST_GRID, collect, expected_jobs, next_jobs, walk
from experiments.studies.results import Run, Runs
from experiments.studies.study import TUNING_SEED, Job, Measured, Measurement, Study, Training, Tune, Variant
from experiments.studies.verdict import Part

INF, NAN = math.inf, math.nan


# The walk -------------------------------------------------------------------------------------------------------------


class Known(Mapping[int, float]):
    """Scores that a function gives wherever they are asked for."""

    def __init__(self, score: Callable[[int], float]) -> None:
        self.score = score

    def __getitem__(self, place: int) -> float:
        return self.score(place)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(range(-20, 21))

    def __len__(self) -> int:
        return 41


def best(places: list[int], score: Callable[[int], float]) -> int:
    return min(places, key=score)


def test_a_best_lr_inside_ends_the_walk() -> None:
    assert walk(Known(lambda p: abs(p))) == [-1, 0, 1]


@pytest.mark.parametrize(("optimum", "places"), [(-2, [-3, -2, -1, 0, 1]), (2, [-1, 0, 1, 2, 3]), (1, [-1, 0, 1, 2])])
def test_the_walk_goes_on_to_the_better_side(optimum: int, places: list[int]) -> None:
    assert walk(Known(lambda p: abs(p - optimum))) == places


def test_more_tries_go_to_the_better_end() -> None:
    assert walk(Known(lambda p: abs(p - 0.2)), 4) == [-1, 0, 1, 2]
    assert walk(Known(lambda p: abs(p + 0.2)), 4) == [-2, -1, 0, 1]
    assert walk(Known(lambda p: abs(p + 0.2)), 5) == [-2, -1, 0, 1, 2]


def test_a_walk_waits_for_what_is_not_known() -> None:
    assert walk({}) == [-1, 0, 1]
    assert walk({-1: 3.0, 0: 2.0}) == [-1, 0, 1]
    assert walk({-1: 3.0, 0: 2.0, 1: 1.0}) == [-1, 0, 1, 2]


def test_lrs_at_which_all_diverge_are_left_downwards() -> None:
    assert walk(Known(lambda p: INF if p > -3 else abs(p + 3))) == [-4, -3, -2, -1, 0, 1]
    assert walk(Known(lambda p: INF)) == [-5, -4, -3, -2, -1, 0, 1]


@settings(deadline=None)
@given(st.floats(-12, 12), st.integers(3, LONGEST_GRID), st.booleans())
def test_of_a_score_with_one_valley_the_walk_ends_inside_or_at_the_limit(optimum: float, length: int, diverges: bool) -> None:
    def score(place: int) -> float:
        return INF if diverges and place > optimum + 3 else (place - optimum) ** 2

    places = walk(Known(score), length)
    assert places == list(range(places[0], places[-1] + 1))
    assert {-1, 0, 1} <= set(places)
    assert length <= len(places) <= LONGEST_GRID
    inside = places[0] < best(places, score) < places[-1]
    assert inside or len(places) == LONGEST_GRID
    if inside:  # and then it is the best of all
        assert score(best(places, score)) == min(score(p) for p in range(-20, 21))


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 5), st.just(INF)), min_size=41, max_size=41), st.integers(3, LONGEST_GRID))
def test_whatever_the_scores_the_walk_ends(scores: list[float], length: int) -> None:
    places = walk(Known(lambda p: scores[p + 20]), length)
    assert length <= len(places) <= LONGEST_GRID


# Jobs -----------------------------------------------------------------------------------------------------------------


def parts(runs: Runs) -> Part:
    return Part(says="", effects=(runs.quantity("loss", runs.variants[0], "loss", needs=Needs(low=0)),))


def measure(*, seed: int, folder: Path) -> Measured:
    return Measured({})


def study(variants: Mapping[str, Variant], *, tuned: bool = True, seeds: int = 3) -> Study:
    return Study(
        claim="D09",
        says="",
        slide="",
        paper="",
        work=Training("classification/cifar_nets_shapes"),
        variants=variants,
        parts=parts,
        tune=Tune(start=0.01, by="loss") if tuned else None,
        seeds=seeds,
    )


def variant(name: str) -> Variant:
    return Variant({"model.init_args.network": {"class_path": name}})


TWO = {"a": variant("A"), "b": variant("B")}


class Lab:
    """Runs what it is asked for, with scores of its own; asking twice for a run is a mistake."""

    def __init__(self, score: Callable[[Job], float]) -> None:
        self.score = score
        self.runs: dict[str, Run] = {}
        self.made: list[Job] = []

    def find(self, job: Job) -> Run | None:
        return self.runs.get(job.hash)

    def make(self, job: Job) -> None:
        assert job.hash not in self.runs, f"{job.version} was there already"
        self.runs[job.hash] = Run(job.variant, job.seed, job.lr, {"loss": self.score(job)})
        self.made.append(job)

    def finish(self, study: Study, *, one_at_a_time: bool = False) -> Runs:
        for _ in range(200):
            jobs = next_jobs(study, "cpu", self.find)
            if not jobs:
                return collect(study, "cpu", self.find)
            assert len({job.hash for job in jobs}) == len(jobs)
            for job in jobs[:1] if one_at_a_time else jobs:
                self.make(job)
        raise AssertionError("it does not end")


def valley(**optimum: float) -> Callable[[Job], float]:
    """The loss of a variant whose best rate is so many steps of √10 from 0.01."""
    return lambda job: abs(2 * math.log10((job.lr or 0.01) / 0.01) - optimum[job.variant]) + 0.01 * (job.seed % 100)


def test_first_the_grid_then_the_seeds_then_the_same_learning_rate() -> None:
    lab, two = Lab(valley(a=0, b=0)), study(TWO)
    first = next_jobs(two, "cpu", lab.find)
    assert [(job.variant, job.lr, job.seed) for job in first] == [
        (name, lr, TUNING_SEED) for name in "ab" for lr in (0.00316, 0.01, 0.0316)
    ]
    for job in first:
        lab.make(job)
    finals = next_jobs(two, "cpu", lab.find)
    assert [(job.variant, job.lr, job.seed) for job in finals] == [
        (name, lr, seed) for name in "ab" for lr in (0.01, 0.0316) for seed in (TUNING_SEED + 1, TUNING_SEED + 2)
    ]
    for job in finals:
        lab.make(job)
    assert [(job.variant, job.lr, job.seed) for job in next_jobs(two, "cpu", lab.find)] == [
        (name, 0.01, seed) for name in "ab" for seed in (0, 1, 2)
    ]
    assert expected_jobs(two, "cpu") == 2 * 3 + 2 * (3 + 2 * 2) + 1


def test_variants_have_equally_many_tries_and_each_its_own_best_lr() -> None:
    lab = Lab(valley(a=0, b=3))
    runs = lab.finish(study(TWO))
    assert runs.lrs == {"a": 0.01, "b": pytest.approx(0.316)}
    assert runs.inside == {"a": True, "b": True}
    tried = {name: {run.lr for run in runs.all if run.variant == name and run.seed == TUNING_SEED} for name in "ab"}
    assert len(tried["b"]) == len(tried["a"]) == 6  # -1 to 4
    assert {run.seed for run in runs.of("a")} == {run.seed for run in runs.of("b")} == {0, 1, 2}


def test_the_same_learning_rate_for_both_is_run_for_the_shared_lr_baseline() -> None:
    runs = Lab(valley(a=-3, b=3)).finish(study(TWO))
    assert any(run.variant == "a" and run.lr == runs.lrs["b"] for run in runs.all)
    assert runs.shared_lr("gap", "a", "b", "loss") is not None


def test_a_best_lr_at_the_end_of_the_longest_grid_is_not_inside() -> None:
    runs = Lab(valley(a=0, b=9)).finish(study(TWO))
    assert runs.inside == {"a": True, "b": False}
    assert not runs.tuned().passed


def test_an_variant_may_take_anothers_lr_or_a_multiple_of_it() -> None:
    variants = {
        "a": variant("A"),
        "b": Variant(variant("B").changes, lr_of="a"),
        "c": Variant(variant("C").changes, lr_of="a", times=3),
    }
    lab = Lab(valley(a=1, b=5, c=5))
    runs = lab.finish(study(variants))
    assert runs.lrs == {"a": 0.0316, "b": 0.0316, "c": 0.0948}
    assert runs.inside == {"a": True}
    assert sum(job.variant == "b" for job in lab.made) == 3


def test_rates_are_chosen_on_a_seed_that_is_not_judged() -> None:
    # On the tuning seed the best rate is another than on those that are judged.
    def score(job: Job) -> float:
        return abs(2 * math.log10((job.lr or 0.01) / 0.01) - (1 if job.seed >= TUNING_SEED else -1))

    lab = Lab(score)
    runs = lab.finish(study({"a": variant("A")}))
    assert runs.lrs == {"a": 0.0316}
    assert [run.seed for run in runs.of("a")] == [0, 1, 2]
    assert {job.settings["data"]["init_args"]["data_seed"] for job in lab.made} == {
        0,
        1,
        2,
        *range(TUNING_SEED, TUNING_SEED + 3),
    }


def test_a_rate_that_won_by_one_lucky_run_is_not_taken() -> None:
    # As in C02, 2026-11-26: at the highest rate one run of five trains, and that one is the best of all.
    def score(job: Job) -> float:
        if (job.lr or 0) > 0.02:
            return 0.0 if job.seed == TUNING_SEED and (job.lr or 0) < 0.05 else 9.0
        return abs(2 * math.log10((job.lr or 0.01) / 0.01)) + 0.5

    runs = Lab(score).finish(study({"a": variant("A")}))
    assert runs.lrs["a"] == 0.01
    assert [run.seed for run in runs.of("a")] == [0, 1, 2]


def test_a_finalist_at_the_end_of_the_grid_is_not_judged_before_its_neighbour_was_tried() -> None:
    # One tuning seed has the best rate in the middle, the three together have it at the end; as plain-56 of D09, 2026-11-26.
    def score(job: Job) -> float:
        place = 2 * math.log10((job.lr or 0.01) / 0.01)
        return abs(place - (0.4 if job.seed == TUNING_SEED else 1))

    lab = Lab(score)
    runs = lab.finish(study(TWO))
    assert runs.lrs == {"a": 0.0316, "b": 0.0316}
    assert runs.inside == {"a": True, "b": True}
    assert {job.lr for job in lab.made} == {0.00316, 0.01, 0.0316, 0.1}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-3, 3), min_size=14, max_size=14), st.floats(-2, 2))
def test_what_is_collected_is_all_that_judging_again_asks_for(noise: list[float], optimum: float) -> None:
    """Also where finalists of a shorter grid said that there is to be a longer one, as in B06 and C02, 2026-11-27."""

    def score(job: Job) -> float:
        place = round(2 * math.log10((job.lr or 0.01) / 0.01))
        return abs(place - optimum) + noise[(place + 3 * job.seed + 7 * (job.variant == "a")) % len(noise)]

    lab, two = Lab(score), study(TWO)
    runs = lab.finish(two)
    kept = {(run.variant, run.lr, run.seed) for run in runs.all}

    def find(job: Job) -> Run | None:
        return lab.find(job) if (job.variant, job.lr, job.seed) in kept else None

    assert next_jobs(two, "cpu", find) == []
    again = collect(two, "cpu", find)
    assert (again.lrs, again.inside) == (runs.lrs, runs.inside)


def test_a_walk_may_go_by_the_mean_of_several_seeds() -> None:
    def score(job: Job) -> float:
        lucky = job.seed == TUNING_SEED and (job.lr or 0) > 0.02
        return 0.0 if lucky else abs(2 * math.log10((job.lr or 0.01) / 0.01)) + 0.5

    lab = Lab(score)
    lab.finish(replace(study({"a": variant("A")}), tune=Tune(start=0.01, by="loss", seeds=3)))
    assert {job.lr for job in lab.made} == {0.00316, 0.01, 0.0316}  # one lucky run leads nowhere
    assert sum(job.seed >= TUNING_SEED for job in lab.made) == 9


def test_fresh_seeds_leave_the_rates_as_they_were() -> None:
    lab, one = Lab(valley(a=1)), study({"a": variant("A")})
    lab.finish(one)
    before = len(lab.made)
    while jobs := next_jobs(one, "cpu", lab.find, first_seed=100):
        for job in jobs:
            lab.make(job)
    assert [(job.lr, job.seed) for job in lab.made[before:]] == [(0.0316, seed) for seed in (100, 101, 102)]
    assert [run.seed for run in collect(one, "cpu", lab.find, first_seed=100).of("a")] == [100, 101, 102]


@pytest.mark.parametrize(("gain", "rate"), [(0.005, 0.0), (0.5, 3.16e-5)])
def test_where_no_rate_is_better_than_none_the_rate_is_0(gain: float, rate: float) -> None:
    # The lower the rate the better; the least is better than no training by ``gain``, seeds differ by 0.01.
    def score(job: Job) -> float:
        if job.lr == 0:
            return 1 + gain
        return 1 + max(0.0, 2 * math.log10((job.lr or 1) / 3.16e-5)) + 0.01 * (job.seed % 100)

    runs = Lab(score).finish(study({"a": variant("A")}))
    assert runs.lrs["a"] == pytest.approx(rate)
    assert runs.tuned().passed is (rate == 0)
    assert [run.seed for run in runs.of("a")] == [0, 1, 2]


def test_claims_about_weights_alone_keep_the_data() -> None:
    job = replace(study(TWO), same_data=True).job("cpu", "a", 0.1, 3)
    assert "data_seed" not in job.settings["data"]["init_args"] and job.settings["seed_everything"] == 3


def test_a_measured_variant_is_run_once_a_seed_and_not_tuned() -> None:
    lab = Lab(lambda job: valley(a=0, b=0)(job) if job.function is None else NAN)
    runs = lab.finish(study({"measured": Variant(work=Measurement(measure)), **TWO}))
    assert [(job.lr, job.seed) for job in lab.made if job.variant == "measured"] == [(None, 0), (None, 1), (None, 2)]
    assert set(runs.inside) == {"a", "b"}
    assert len(runs.of("measured")) == 3


def test_without_tuning_there_are_the_seeds_alone() -> None:
    lab = Lab(lambda job: 1.0)
    runs = lab.finish(study(TWO, tuned=False, seeds=2))
    assert len(lab.made) == 4
    assert runs.lrs == {"a": None, "b": None}


def test_variants_that_are_the_same_run_are_run_once() -> None:
    lab = Lab(lambda job: 1.0)
    lab.finish(study({"a": variant("A"), "again": variant("A")}, tuned=False, seeds=2))
    assert len(lab.made) == 2


def test_a_run_that_diverged_is_worse_than_any_other() -> None:
    # Above the start all diverge, and what does not is the better the lower the rate, down to a hundredth.
    def score(job: Job) -> float:
        return NAN if (job.lr or 0) > 0.005 else abs(math.log10((job.lr or 1) / 1e-4))

    runs = Lab(score).finish(study({"a": variant("A")}))
    assert runs.lrs["a"] == pytest.approx(1e-4)
    assert runs.inside == {"a": True}
    tune = Tune(start=0.1, by="score", greatest=True)
    assert tune.score(Run("a", 0, 0.1, {"score": NAN})) == tune.score(Run("a", 0, 0.1, {"score": INF})) == INF
    assert tune.score(Run("a", 0, 0.1, {"score": 0.9})) < tune.score(Run("a", 0, 0.1, {"score": 0.8})) < INF


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 5), st.just(NAN), st.just(INF)), min_size=40, max_size=40), st.booleans())
def test_whatever_comes_out_a_study_ends_and_repeats_nothing(scores: list[float], one_at_a_time: bool) -> None:
    def score(job: Job) -> float:
        place = round(2 * math.log10((job.lr or 0.01) / 0.01))
        return scores[(place + 10 + 20 * (job.variant == "b")) % 40]

    lab = Lab(score)
    runs = lab.finish(study(TWO), one_at_a_time=one_at_a_time)
    assert len(lab.made) <= 2 * (LONGEST_GRID + 2 * LONGEST_GRID + 1 + 3 + 3 + 1)  # two more seeds of each rate at most
    assert all(runs.inside[name] == (lr == 0 or inside(runs, name)) for name, lr in runs.lrs.items())
    assert all(len(runs.of(name)) == 3 for name in "ab")
    assert next_jobs(study(TWO), "cpu", lab.find) == []


def inside(runs: Runs, name: str) -> bool:
    grid = [run.lr for run in runs.all if run.variant == name and run.seed == TUNING_SEED and run.lr]
    lr = runs.lrs[name]
    return lr is not None and min(grid) < lr < max(grid)


def test_an_interrupted_study_goes_on_to_the_same_end() -> None:
    at_once, in_steps = Lab(valley(a=2, b=-1)), Lab(valley(a=2, b=-1))
    lrs = at_once.finish(study(TWO)).lrs, in_steps.finish(study(TWO), one_at_a_time=True).lrs
    assert lrs[0] == lrs[1]
    assert set(at_once.runs) == set(in_steps.runs)
