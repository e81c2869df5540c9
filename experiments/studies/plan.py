"""What a study has left to run, given what is there: a pure function, so that any interruption is one of these states."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .results import Run, Runs
from .study import Job, ScaleName, Study

Find = Callable[[Job], Run | None]
"""The finished run of a job, or None."""

LONGEST_GRID = 7
"""Learning rates that are tried at most: three decades; a best one at the edge then fails the study's validity check."""


def next_jobs(study: Study, scale: ScaleName, find: Find, seeds: int | None = None) -> list[Job]:
    """The jobs that can be run now; empty where all is there. What they show may ask for more.

    In order: the first seed at every learning rate of the tuning, then every seed of each variant at its best one, then the
    first seed of each variant at the best one of the last variant, the others' reference, for the shared-lr baseline.
    """
    count = seeds or study.scales[scale].seeds or study.seeds
    grids = _grids(study, scale, find)
    tuning = [study.job(scale, variant, lr, 0) for variant, grid in grids.items() for lr in grid]
    if missing := [job for job in tuning if find(job) is None]:
        return missing
    lrs = _best_lrs(study, scale, grids, find)
    jobs = [study.job(scale, variant, lrs[variant], seed) for variant in study.variants for seed in range(count)]
    jobs += [study.job(scale, variant, lr, 0) for variant, lr in _shared_lrs(study, grids, lrs)]
    return list({job.hash: job for job in jobs if find(job) is None}.values())


def collect(study: Study, scale: ScaleName, find: Find, seeds: int | None = None) -> Runs:
    """All runs of a study that has nothing left to run."""
    count = seeds or study.scales[scale].seeds or study.seeds
    grids = _grids(study, scale, find)
    lrs = _best_lrs(study, scale, grids, find)
    wanted = [study.job(scale, variant, lr, 0) for variant, grid in grids.items() for lr in grid]
    wanted += [study.job(scale, variant, lrs[variant], seed) for variant in study.variants for seed in range(count)]
    wanted += [study.job(scale, variant, lr, 0) for variant, lr in _shared_lrs(study, grids, lrs)]
    runs = {(job.variant, job.lr, job.seed): find(job) for job in wanted}
    inside = {variant: min(grid) < (lrs[variant] or 0) < max(grid) for variant, grid in grids.items()}
    return Runs([run for run in runs.values() if run is not None], lrs, inside)


def expected_jobs(study: Study, scale: ScaleName, seeds: int | None = None) -> int:
    """How many runs a study takes where each variant's best learning rate lies in the middle of the first three."""
    count = seeds or study.scales[scale].seeds or study.seeds
    return len(study.variants) * count + 2 * len(study.tuned_variants)


def _start(study: Study, scale: ScaleName, variant: str) -> float:
    assert study.tune is not None
    return study.tune.own_start.get(variant, study.scales[scale].start or study.tune.start)


def _grids(study: Study, scale: ScaleName, find: Find) -> dict[str, list[float]]:
    """The learning rates that each tuned variant is to have, as far as the runs that are there tell."""
    if not study.tuned_variants:
        return {}
    scores = {variant: Scores(study, scale, variant, find) for variant in study.tuned_variants}
    longest = 3
    while True:
        grids = {variant: walk(own, longest) for variant, own in scores.items()}
        length = max(len(grid) for grid in grids.values())
        if length == longest:
            return {variant: [scores[variant].lr(i) for i in grid] for variant, grid in grids.items()}
        longest = length  # a variant that had to go further lets all others have as many tries


class Scores(Mapping[int, float]):
    """How a variant did at each place of its grid: place i is ``start`` times √10 to the power of i."""

    def __init__(self, study: Study, scale: ScaleName, variant: str, find: Find) -> None:
        self.study, self.scale, self.variant, self.find = study, scale, variant, find
        self.start = _start(study, scale, variant)

    def lr(self, place: int) -> float:
        return float(f"{self.start * 10 ** (place / 2):.3g}")

    def __getitem__(self, place: int) -> float:
        run = self.find(self.study.job(self.scale, self.variant, self.lr(place), 0))
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


def _best_lrs(study: Study, scale: ScaleName, grids: Mapping[str, list[float]], find: Find) -> dict[str, float | None]:
    lrs: dict[str, float | None] = dict.fromkeys(study.variants)
    if study.tune is None:
        return lrs
    for variant, grid in grids.items():
        scored = {lr: run for lr in grid if (run := find(study.job(scale, variant, lr, 0))) is not None}
        lrs[variant] = min(scored, key=lambda lr: study.tune.score(scored[lr]), default=None)  # type: ignore[union-attr]
    for variant in study.variants:
        if (source := study.variant(variant).lr_of) and (lr := lrs[source]) is not None:
            lrs[variant] = float(f"{study.variant(variant).times * lr:.3g}")
    return lrs


def _shared_lrs(study: Study, grids: Mapping[str, list[float]], lrs: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """Each tuned variant at the best learning rate of the last one: who compares with it at the same one finds the runs."""
    reference = [lrs[variant] for variant in grids][-1:]
    return [(variant, lr) for variant in grids for lr in reference if lr is not None and not math.isnan(lr)]
