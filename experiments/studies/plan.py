"""What a study has left to run, given what is there: a pure function, so that any interruption is one of these states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from statistics import stdev

from .results import Run, Runs
from .study import TUNING_SEED, Job, ScaleName, Study

Find = Callable[[Job], Run | None]
"""The finished run of a job, or None."""

LONGEST_GRID = 7
"""Learning rates that are tried at most: three decades; a best one at the edge then fails the study's validity check."""


FINALISTS, FINAL_SEEDS = 2, 3
"""The best learning rates of one tuning seed that are tried on more, and on how many: a rate may win by one lucky run."""


def next_jobs(study: Study, scale: ScaleName, find: Find, seeds: int | None = None, first_seed: int = 0) -> list[Job]:
    """The jobs that can be run now; empty where all is there. What they show may ask for more.

    In order: the tuning seeds at every learning rate of the walk; the best two of them on more, and where the better one lies
    at an end, one rate more, and again; every judged seed of each variant at its best one; then the first of them of each
    variant at the best one of the last, the others' reference, for the shared-lr baseline.
    """
    wanted = _wanted(study, scale, find, seeds, first_seed)
    for jobs in wanted:
        if missing := {job.hash: job for job in jobs if find(job) is None}:
            return list(missing.values())
    return []


def collect(study: Study, scale: ScaleName, find: Find, seeds: int | None = None, first_seed: int = 0) -> Runs:
    """All runs of a study that has nothing left to run."""
    runs = {
        (job.variant, job.lr, job.seed): find(job) for jobs in _wanted(study, scale, find, seeds, first_seed) for job in jobs
    }
    grids = _grids(study, scale, find)
    judged = _judged(study, scale, seeds, first_seed)
    lrs = _best_lrs(study, scale, grids, find, judged)
    inside = {v: lrs[v] == 0 or _inside(lrs[v], grid) for v, grid in grids.items()}
    return Runs([run for run in runs.values() if run is not None], lrs, inside, TUNING_SEED)


def expected_jobs(study: Study, scale: ScaleName, seeds: int | None = None) -> int:
    """How many runs a study takes where each variant's best learning rate lies in the middle of the first three."""
    count = len(_judged(study, scale, seeds, 0))
    tuned = len(study.tuned_variants)
    return (
        len(study.variants) * count
        + tuned * (3 * len(_tuning(study)) + FINALISTS * (len(_final(study)) - len(_tuning(study))))
        + max(0, tuned - 1)
    )


def judged_seeds(study: Study, scale: ScaleName) -> int:
    """How many seeds a verdict of this study has at least; what fewer say is a preview."""
    return study.scales[scale].seeds or study.seeds


def _judged(study: Study, scale: ScaleName, seeds: int | None, first_seed: int) -> range:
    return range(first_seed, first_seed + (seeds or judged_seeds(study, scale)))


def _tuning(study: Study) -> range:
    return range(TUNING_SEED, TUNING_SEED + (study.tune.seeds if study.tune else 1))


def _wanted(study: Study, scale: ScaleName, find: Find, seeds: int | None, first_seed: int) -> Iterator[list[Job]]:
    """Groups of jobs, one after another: what a later group holds depends on the runs of those before it."""
    growing, judged = list(_growing(study, scale, find)), _judged(study, scale, seeds, first_seed)
    grids = growing[-1]
    yield [study.job(scale, v, lr, seed) for v, grid in grids.items() for lr in grid for seed in _tuning(study)]
    finals = [(v, lr) for grown in growing for v, grid in grown.items() for lr in _finalists(study, scale, v, grid, find)]
    yield [study.job(scale, v, lr, seed) for v, lr in dict.fromkeys(finals) for seed in _final(study)]
    for variant in _at_least(study, scale, grids, find):  # is its least rate any better than none?
        yield [study.job(scale, variant, 0.0, seed) for seed in _tuning(study)]
        yield [study.job(scale, variant, min(grids[variant]), seed) for seed in judged]
    lrs = _best_lrs(study, scale, grids, find, judged)
    yield [study.job(scale, variant, lrs[variant], seed) for variant in study.variants for seed in judged]
    yield [study.job(scale, variant, lr, judged[0]) for variant, lr in _shared_lrs(grids, lrs)]


def _start(study: Study, scale: ScaleName, variant: str) -> float:
    assert study.tune is not None
    return study.tune.own_start.get(variant, study.scales[scale].start or study.tune.start)


def _grids(study: Study, scale: ScaleName, find: Find) -> dict[str, list[float]]:
    """The learning rates that each tuned variant is to have, as far as the runs that are there tell."""
    *_, grids = _growing(study, scale, find)
    return grids


def _growing(study: Study, scale: ScaleName, find: Find) -> Iterator[dict[str, list[float]]]:
    """The grids whose finalists say whether there is to be a longer one, which is the next; the last is the one to have."""
    if not study.tuned_variants:
        yield {}
        return
    scores = {variant: Scores(study, scale, variant, find) for variant in study.tuned_variants}
    longest = 3
    while True:
        grids = {variant: walk(own, longest) for variant, own in scores.items()}
        length = max(len(grid) for grid in grids.values())
        if length == longest:
            rates = {variant: [scores[variant].lr(i) for i in grid] for variant, grid in grids.items()}
            yield rates
            best = {variant: _best(study, scale, variant, grid, find) for variant, grid in rates.items()}
            if length >= LONGEST_GRID or all(lr is None or _inside(lr, rates[variant]) for variant, lr in best.items()):
                return
            # The better finalist lies at an end. It is the second of its grid, so the better of the two ends: the next try is
            # beyond it.
            length += 1
        longest = length  # a variant that had to go further lets all others have as many tries


def _inside(lr: float | None, grid: list[float]) -> bool:
    return lr is not None and min(grid) < lr < max(grid)


class Scores(Mapping[int, float]):
    """How a variant did at each place of its grid: place i is ``start`` times √10 to the power of i."""

    def __init__(self, study: Study, scale: ScaleName, variant: str, find: Find) -> None:
        self.study, self.scale, self.variant, self.find = study, scale, variant, find
        self.start = _start(study, scale, variant)

    def lr(self, place: int) -> float:
        return float(f"{self.start * 10 ** (place / 2):.3g}")

    def __getitem__(self, place: int) -> float:
        score = _score(self.study, self.scale, self.variant, self.lr(place), self.find)
        if score is None:
            raise KeyError(place)
        return score

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


def _final(study: Study) -> range:
    """The tuning seeds that finalists are tried on."""
    return range(TUNING_SEED, TUNING_SEED + max(FINAL_SEEDS, len(_tuning(study))))


def _score(study: Study, scale: ScaleName, variant: str, lr: float, find: Find, seeds: range | None = None) -> float | None:
    """The mean over the tuning seeds, or these; None where a run is missing."""
    assert study.tune is not None
    runs = [find(study.job(scale, variant, lr, seed)) for seed in seeds or _tuning(study)]
    scores = [study.tune.score(run) for run in runs if run is not None]
    return sum(scores) / len(scores) if len(scores) == len(runs) else None


def _finalists(study: Study, scale: ScaleName, variant: str, grid: list[float], find: Find) -> list[float]:
    """The best rates by the first tuning seeds, the best first; none before all are scored."""
    scored = {lr: score for lr in grid if (score := _score(study, scale, variant, lr, find)) is not None}
    return sorted(scored, key=lambda lr: scored[lr])[:FINALISTS] if len(scored) == len(grid) else []


def _best(study: Study, scale: ScaleName, variant: str, grid: list[float], find: Find) -> float | None:
    """The finalist of the least score; None where one is not known yet."""
    seeds = _final(study)
    scored = {lr: _score(study, scale, variant, lr, find, seeds) for lr in _finalists(study, scale, variant, grid, find)}
    known = {lr: score for lr, score in scored.items() if score is not None}
    return min(known, key=lambda lr: known[lr]) if known and len(known) == len(scored) else None


def _at_least(study: Study, scale: ScaleName, grids: Mapping[str, list[float]], find: Find) -> list[str]:
    """The variants whose least rate of a whole walk is their best."""
    full = {variant: grid for variant, grid in grids.items() if len(grid) >= LONGEST_GRID}
    return [variant for variant, grid in full.items() if _best(study, scale, variant, grid, find) == min(grid)]


def _best_lrs(
    study: Study, scale: ScaleName, grids: Mapping[str, list[float]], find: Find, judged: range
) -> dict[str, float | None]:
    lrs: dict[str, float | None] = dict.fromkeys(study.variants)
    if study.tune is None:
        return lrs
    for variant, grid in grids.items():
        lrs[variant] = _best(study, scale, variant, grid, find)
    for variant in _at_least(study, scale, grids, find):
        least, none = lrs[variant], _score(study, scale, variant, 0.0, find)
        runs = [find(study.job(scale, variant, least, seed)) for seed in judged]
        scores = [study.tune.score(run) for run in runs if run is not None]
        gain = None if none is None or least is None else none - (_score(study, scale, variant, least, find) or 0.0)
        if gain is not None and len(scores) > 1 and all(map(math.isfinite, scores)) and gain <= stdev(scores):
            lrs[variant] = 0.0
    for variant in study.variants:
        if (source := study.variant(variant).lr_of) and (lr := lrs[source]) is not None:
            lrs[variant] = float(f"{study.variant(variant).times * lr:.3g}")
    return lrs


def _shared_lrs(grids: Mapping[str, list[float]], lrs: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """Each tuned variant at the best learning rate of the last one: who compares with it at the same one finds the runs."""
    reference = [lrs[variant] for variant in grids][-1:]
    return [(variant, lr) for variant in grids for lr in reference if lr is not None and not math.isnan(lr)]
