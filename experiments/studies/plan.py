"""What a study has left to run, given what is there: a pure function, so that any interruption is one of these states."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .results import Run, Runs
from .study import Job, ScaleName, Study

Find = Callable[[Job], Run | None]
"""The finished run of a job, or None."""

LONGEST_GRID = 7
"""Learning rates that are tried at most: three decades; a best one at the edge then fails the study's gate."""


def next_jobs(study: Study, scale: ScaleName, find: Find, seeds: int | None = None) -> list[Job]:
    """The jobs that can be run now; empty where all is there. What they show may ask for more.

    In order: the first seed of every rate of the tuning, then every seed of each arm at its best rate, then the first seed
    of each arm at the best rate of the others' reference (the last arm), for the naive comparison.
    """
    count = seeds or study.scales[scale].seeds or study.seeds
    grids = _grids(study, scale, find)
    tuning = [study.job(scale, arm, rate, 0) for arm, grid in grids.items() for rate in grid]
    if missing := [job for job in tuning if find(job) is None]:
        return missing
    rates = _best_rates(study, scale, grids, find)
    jobs = [study.job(scale, arm, rates[arm], seed) for arm in study.arms for seed in range(count)]
    jobs += [study.job(scale, arm, rate, 0) for arm, rate in _naive_rates(study, grids, rates)]
    return list({job.hash: job for job in jobs if find(job) is None}.values())


def collect(study: Study, scale: ScaleName, find: Find, seeds: int | None = None) -> Runs:
    """All runs of a study that has nothing left to run."""
    count = seeds or study.scales[scale].seeds or study.seeds
    grids = _grids(study, scale, find)
    rates = _best_rates(study, scale, grids, find)
    wanted = [study.job(scale, arm, rate, 0) for arm, grid in grids.items() for rate in grid]
    wanted += [study.job(scale, arm, rates[arm], seed) for arm in study.arms for seed in range(count)]
    wanted += [study.job(scale, arm, rate, 0) for arm, rate in _naive_rates(study, grids, rates)]
    runs = {(job.arm, job.rate, job.seed): find(job) for job in wanted}
    inside = {arm: min(grid) < (rates[arm] or 0) < max(grid) for arm, grid in grids.items()}
    return Runs([run for run in runs.values() if run is not None], rates, inside)


def expected_jobs(study: Study, scale: ScaleName, seeds: int | None = None) -> int:
    """How many runs a study takes where each arm's best rate lies in the middle of the first three."""
    count = seeds or study.scales[scale].seeds or study.seeds
    return len(study.arms) * count + 2 * len(study.tuned_arms)


def _start(study: Study, scale: ScaleName, arm: str) -> float:
    assert study.tune is not None
    return study.tune.own_start.get(arm, study.scales[scale].start or study.tune.start)


def _grids(study: Study, scale: ScaleName, find: Find) -> dict[str, list[float]]:
    """The rates of each tuned arm to have, as far as the runs that are there tell."""
    if not study.tuned_arms:
        return {}
    scores = {arm: Scores(study, scale, arm, find) for arm in study.tuned_arms}
    longest = 3
    while True:
        grids = {arm: walk(own, longest) for arm, own in scores.items()}
        length = max(len(grid) for grid in grids.values())
        if length == longest:
            return {arm: [scores[arm].rate(i) for i in grid] for arm, grid in grids.items()}
        longest = length  # an arm that had to go further lets all others have as many tries


class Scores(Mapping[int, float]):
    """How an arm did at each place of its grid: place i is ``start`` times √10 to the power of i."""

    def __init__(self, study: Study, scale: ScaleName, arm: str, find: Find) -> None:
        self.study, self.scale, self.arm, self.find = study, scale, arm, find
        self.start = _start(study, scale, arm)

    def rate(self, place: int) -> float:
        return float(f"{self.start * 10 ** (place / 2):.3g}")

    def __getitem__(self, place: int) -> float:
        run = self.find(self.study.job(self.scale, self.arm, self.rate(place), 0))
        if run is None or self.study.tune is None:
            raise KeyError(place)
        return self.study.tune.score(run)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(place for place in range(-LONGEST_GRID, LONGEST_GRID + 1) if place in self)

    def __len__(self) -> int:
        return len(list(iter(self)))


def walk(scores: Mapping[int, float], length: int = 3) -> list[int]:
    """The places of a grid to have: from -1, 0 and 1 towards the least score, until it is inside and ``length`` are there.

    Where a score is not known yet the walk ends; it goes on when it is.
    """
    places = [-1, 0, 1]
    while all(place in scores for place in places) and len(places) < LONGEST_GRID:
        best = min(places, key=lambda place: scores[place])
        inside = places[0] < best < places[-1]
        if inside and len(places) >= length:
            break
        left = best == places[0] or (inside and scores[places[0]] < scores[places[-1]])
        places = [places[0] - 1, *places] if left else [*places, places[-1] + 1]
    return places


def _best_rates(study: Study, scale: ScaleName, grids: Mapping[str, list[float]], find: Find) -> dict[str, float | None]:
    rates: dict[str, float | None] = dict.fromkeys(study.arms)
    if study.tune is None:
        return rates
    for arm, grid in grids.items():
        scored = {rate: run for rate in grid if (run := find(study.job(scale, arm, rate, 0))) is not None}
        rates[arm] = min(scored, key=lambda rate: study.tune.score(scored[rate]), default=None)  # type: ignore[union-attr]
    for arm in study.arms:
        if (source := study.arm(arm).rate_of) and (rate := rates[source]) is not None:
            rates[arm] = float(f"{study.arm(arm).times * rate:.3g}")
    return rates


def _naive_rates(study: Study, grids: Mapping[str, list[float]], rates: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """Each tuned arm at the best rate of the last one: whoever compares with it at the same rate finds the runs."""
    reference = [rates[arm] for arm in grids][-1:]
    return [(arm, rate) for arm in grids for rate in reference if rate is not None and not math.isnan(rate)]
